import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage } from "./build.ts";
import { parse } from "./extract.ts";
import { git, write } from "./testing.ts";

// The package as users get it, below `node_modules`, in a repository set up as the README says.
const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-md-package-")));
const installed = join(root, "node_modules/remark-lint-claude-md");
const fences = parse(readFileSync(join(import.meta.dirname, "README.md"), "utf8")).fences;
const first = (lang: string, word: string): string =>
  `${fences.find((fence) => fence.lang === lang && fence.value.includes(word))?.value}\n`;

function run(program: string, ...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { code: status, stdout, stderr };
}

const claudeMd = (...args: string[]) => run(join(installed, "cli.js"), ...args);

beforeAll(async () => {
  mkdirSync(join(root, "node_modules"));
  await buildPackage(installed, "1.0.0");
  symlinkSync(join(import.meta.dirname, "node_modules"), join(installed, "node_modules"));
  git(root, "init", "--quiet");
  write(root, {
    ".gitignore": "node_modules/\n",
    ".remarkrc.mjs": first("js", "preset"),
    "claude-md.config.mjs": first("js", "defineConfig"),
    "docs/template.md": first("md", "{{path}}"),
    "jobs/main.ts": "",
  });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

test("nothing about the package is wrong", async () => {
  const { messages } = await publint({ pkgDir: installed, strict: true, pack: false });
  expect(messages).toEqual([]);
});

test("the README's set-up goes from nothing to clean, in the command and under remark-cli", () => {
  expect(claudeMd("scaffold")).toMatchObject({
    code: 0,
    stdout: "CLAUDE.md\ndocs/CLAUDE.md\njobs/CLAUDE.md\n",
  });
  const open = claudeMd("check");
  expect(open.code).toBe(1);
  expect(open.stdout).toContain("Unexpected empty section `Purpose`");
  expect(open.stdout).toContain("Unexpected field `Image` without a value");
  expect(open.stdout).toContain("Unexpected sample text `What breaks, and what to do then`");

  for (const dir of ["", "docs/", "jobs/"]) {
    const up = dir === "" ? "" : " [Up](../CLAUDE.md).";
    const text = readFileSync(join(root, `${dir}CLAUDE.md`), "utf8")
      .replace("## Purpose\n", `## Purpose\nIt is there for ${dir}.${up}\n`)
      .replace(/\*\*Image\*\*:.*/, "**Image**: none")
      .replace(/\*\*Needs\*\*:.*/, "**Needs**: nothing")
      .replace("- What breaks, and what to do then", `- Nothing breaks in ${dir}.`);
    write(root, { [`${dir}CLAUDE.md`]: text });
  }
  expect(claudeMd("check", "--max-warnings", "0")).toMatchObject({
    code: 0,
    stdout: "✔ 3 documents checked: 0 errors, 0 warnings\n",
  });
  const remark = join(import.meta.dirname, "node_modules/remark-cli/cli.js");
  const args = [".", "--frail", "--quiet", "--no-stdout", "--no-color", "--ignore-path", ".gitignore"];
  const ignored = ["--ignore-pattern", "docs/template.md"];
  expect(run(remark, ...args, ...ignored)).toMatchObject({ code: 0, stderr: "" });

  // The short names of remark's plugins lead here, too.
  for (const name of ["lint-claude-md", "lint-claude-md/preset"]) {
    write(root, { ".remarkrc.mjs": `export default { plugins: [${JSON.stringify(name)}] };\n` });
    expect(run(remark, ...args, ...ignored)).toMatchObject({ code: 0, stderr: "" });
  }
  write(root, { "jobs/other.ts": "" });
  expect(claudeMd("check").stdout).toContain("Unexpected tree of `jobs` without `other.ts`");
  expect(run(remark, ...args, ...ignored).stderr).toContain("Unexpected tree of `jobs` without `other.ts`");
  expect(claudeMd("fix")).toMatchObject({ code: 0, stdout: "jobs/CLAUDE.md\n" });
  expect(claudeMd("check").code).toBe(0);
});

test("it explains its rules without their sources", () => {
  expect(claudeMd("explain", "tree").stdout).toContain("Directory trees show what git knows.");
});
