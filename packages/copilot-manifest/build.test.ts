import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { buildPackage } from "./build.ts";
import { minimal, workspaceFolder } from "./testing.ts";

/** Puts the built package where an installation would: below node_modules, with its command in .bin. */
async function installed(
  files: Record<string, string>,
): Promise<(...args: string[]) => { status: number | null; stdout: string; stderr: string }> {
  const root = workspaceFolder(files);
  const modules = join(root, "node_modules");
  await buildPackage(join(modules, "copilot-manifest"), "1.0.0");
  mkdirSync(join(modules, ".bin"));
  symlinkSync("../copilot-manifest/cli.mjs", join(modules, ".bin/copilot-manifest"));
  const parser = dirname(createRequire(import.meta.url).resolve("oxc-parser/package.json"));
  symlinkSync(realpathSync(parser), join(modules, "oxc-parser"));
  return (...args) => {
    const command = join(modules, ".bin/copilot-manifest");
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
      cwd: root,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
}

test("the built command checks a workspace of another repository", async () => {
  const run = await installed({ "copilot/svc/manifest.yml": `${minimal.backend}cpus: 1\n` });
  expect(run("check")).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("✘ copilot/svc/manifest.yml:5:1 `cpus` is no key that Copilot knows"),
  });
  expect(run("rules").stdout).toContain("no-exec");
});

test("the built command reads code with the parser that is installed beside it", async () => {
  const run = await installed({
    "copilot/svc/manifest.yml": `${minimal.backend}variables: { A: 1 }\n`,
    "copilot-manifest.yml": 'code: { entries: ["{name}.mjs"] }\n',
    "svc.mjs": "env({ A: text, B: text });\n",
  });
  expect(run("check").stdout).toContain("✘ svc.mjs:1:16 svc stops as it starts: its code requires B");
});
