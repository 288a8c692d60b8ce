import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const said = (...args: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "cli.ts"), ...args], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, stderr };
};

test.each([
  [["--upate"], "✘ Unknown option '--upate'."],
  [["rehearse"], "✘ A rehearsal of what?"],
  [["rehearse", "deploy", "--env", "staging", "prod"], "✘ There is no environment prod."],
  [["rehearse", "pipeline", "stagin"], "✘ There is no pipeline stagin."],
])("%j: what is wrong and what there is, before anything is installed", (args, message) => {
  const { status, stderr } = said(...args);
  expect(stderr.split("\n")).toEqual([message, expect.stringMatching(/^ {2}\S/), ""]);
  expect(status).toBe(2);
});
