import { expect, test } from "vitest";
import { runPhases, type Buildspec } from "./code-build.ts";
import { folderOf } from "./testing.ts";

/** Runs a buildspec in an empty source; what it said, and what went wrong. */
async function run(buildspec: Buildspec, instead: Record<string, string> = {}) {
  const said: string[] = [];
  const failed = await runPhases(buildspec, {
    checkout: folderOf({ "source.txt": "" }),
    revision: "c0ffee",
    region: "ap-northeast-1",
    pipeline: "main",
    variables: { GIVEN: "given" },
    instead,
    say: (line) => void said.push(line),
  });
  return { said, failed };
}

test("phases run in their order, in the source, with CodeBuild's variables and none of this machine's AWS", async () => {
  process.env.AWS_PROFILE = "mine";
  const commands = [
    `test -f source.txt && test "$GIVEN $OWN" = "given own"`,
    `test "$CODEBUILD_RESOLVED_SOURCE_VERSION $AWS_REGION" = "c0ffee ap-northeast-1"`,
    `test -z "\${AWS_PROFILE:-}"`,
  ];
  const { said, failed } = await run({
    env: { variables: { OWN: "own" } },
    phases: { build: { commands }, install: { commands: ["true # first"] } },
  });
  delete process.env.AWS_PROFILE;
  expect(failed).toBeUndefined();
  expect(said[0]).toContain("true # first");
  expect(said).toHaveLength(4);
});

test("a command that fails ends the build, and its output is told", async () => {
  const { said, failed } = await run(
    {
      phases: { pre_build: { commands: ["slow", "echo broken >&2; exit 7"] }, build: { commands: ["true"] } },
    },
    { slow: "true" },
  );
  expect(failed).toMatch(/phase pre_build ended with exit code 7:\nbroken/);
  expect(said[0]).toContain("true  (instead of slow)");
  expect(said).toHaveLength(2);
});
