import { expect, test } from "vitest";
import { folderOf } from "./testing.ts";
import { copilotBinary, nodeTools, pythonTools } from "./tools.ts";

test("a CLI that is not the official release is never run", () => {
  const bin = folderOf({ copilot: "#!/bin/sh\necho pwned\n" });
  expect(() => copilotBinary(bin)).toThrow(
    /is not the official Copilot CLI: its SHA-256 is [0-9a-f]{64}, not 620117da|is not the official/,
  );
  expect(() => copilotBinary(folderOf({}))).toThrow("The Copilot CLI is not at");
});

test("a missing list of what to install is an error that names it", async () => {
  const folders = { tools: folderOf({}), local: folderOf({}) };
  await expect(pythonTools(folders, () => undefined)).rejects.toThrow("requirements.txt is missing");
  await expect(nodeTools(folders, () => undefined)).rejects.toThrow("package.json is missing");
});
