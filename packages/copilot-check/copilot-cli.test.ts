import { expect, test } from "vitest";
import { execute } from "./copilot-cli.ts";

test("a program that ends without reading what it is given is a program that ended", async () => {
  // More than a pipe holds, so that some of it is still to be written when nobody reads any more.
  const input = "answer\n".repeat(100_000);
  expect(await execute(process.execPath, ["-e", "process.exit(3)"], { input })).toMatchObject({ code: 3 });
});

test("a program that cannot be started ends with 127, and its reason", async () => {
  expect(await execute("/nowhere/program", [], { input: "answer\n" })).toMatchObject({
    code: 127,
    stderr: expect.stringContaining("ENOENT"),
  });
});
