import { defineConfig } from "vitest/config";

// Every package's `test` script runs vitest with this one file; the root is the package it was started in.
export default defineConfig({
  test: {
    root: process.cwd(),
    include: ["*.test.ts", "*.test.tsx", "rules/*.test.ts", "*.e2e.ts"],
    // Real PostgreSQL, browsers and child processes on a small machine: slow is not wrong, hanging is.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ["default", "json"],
    outputFile: { json: "node_modules/.cache/vitest/results.json" },
    passWithNoTests: true,
  },
});
