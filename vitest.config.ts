import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Many tests start the real command as a process of its own, again and again. That it finds its compiled code of last
// time halves what such a test costs; `npm start` keeps its own in the same place.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules", ".cache", "node");

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
