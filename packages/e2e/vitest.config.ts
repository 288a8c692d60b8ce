import { join } from "node:path";
import { mergeConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

// One workspace serves all files, so they run one after the other; the browser and 13 processes share the machine.
export default mergeConfig(shared, {
  test: {
    globalSetup: [join(import.meta.dirname, "workspace.ts")],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
