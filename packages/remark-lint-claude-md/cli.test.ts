import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { git, repository, write } from "./testing.ts";

const cli = fileURLToPath(new URL("cli.ts", import.meta.url));

function claudeMd(cwd: string, ...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

const files = {
  "claude-md.config.mjs":
    'export default { templates: [{ files: ["**"], template: "docs/template.md" }] };\n',
  "docs/template.md": "# {{path}}/CLAUDE.md\n",
  "docs/CLAUDE.md": "# docs/CLAUDE.md\n\n[up](../CLAUDE.md)\n",
  "CLAUDE.md": "# CLAUDE.md\n",
};

test("a repository whose documents are right exits with 0", () => {
  expect(claudeMd(repository(files), "check")).toEqual({
    code: 0,
    stdout: "✔ 2 documents checked: 0 errors, 0 warnings\n",
    stderr: "",
  });
});

test("findings go to stdout, below their file, and the exit code is 1", () => {
  const root = repository({ ...files, "CLAUDE.md": "# Root\n\n[x](nowhere)\n", "jobs/main.ts": "" });
  expect(claudeMd(root, "check")).toEqual({
    code: 1,
    stdout: `CLAUDE.md
  1:1  error    Unexpected title \`Root\`, expected \`CLAUDE.md\`  claude-md-title
  3:1  error    Unexpected link to \`nowhere\`, which does not exist, expected an existing path  claude-md-links

jobs/CLAUDE.md
  1:1  error    Unexpected directory \`jobs\` without a document, expected \`jobs/CLAUDE.md\`  claude-md-presence
       → write it from \`docs/template.md\`

✘ 2 documents checked: 3 errors, 0 warnings
`,
    stderr: "",
  });
});

test("comments silence rules, unless the configuration allows none", () => {
  const root = repository({ ...files, "CLAUDE.md": "<!--lint disable-->\n\n# Root\n" });
  expect(claudeMd(root, "check").code).toBe(0);
  write(root, {
    "claude-md.config.mjs": files["claude-md.config.mjs"].replace("{ t", '{ disable: "error", t'),
  });
  expect(claudeMd(root, "check").stdout).toContain("Unexpected comment that silences rules");
});

test("paths narrow the report, from any directory, but not the index", () => {
  const root = repository({
    ...files,
    "CLAUDE.md": "# Root\n",
    "docs/CLAUDE.md": "# docs/CLAUDE.md\n[up](../CLAUDE.md) [x](../claude-md.config.mjs)\n",
  });
  expect(claudeMd(root, "check", "docs").code).toBe(0);
  expect(claudeMd(join(root, "docs"), "check", ".").code).toBe(0);
  expect(claudeMd(join(root, "docs"), "check", "../CLAUDE.md").code).toBe(1);
  expect(claudeMd(join(root, "docs"), "check").stdout).toContain("2 documents checked: 1 error,");
});

test("reporters may be repeated and written to files; JSON is not cut", () => {
  const links = Array.from({ length: 25 }, (_, index) => `[x](nowhere${index})`).join("\n");
  const root = repository({ ...files, "CLAUDE.md": `# CLAUDE.md\n\n${links}\n` });
  const { code, stdout } = claudeMd(root, "check", "--reporter", "pretty", "--reporter", "json:report.json");
  expect(code).toBe(1);
  expect(stdout).toContain("… and 5 more of claude-md-links");
  const report = JSON.parse(readFileSync(join(root, "report.json"), "utf8")) as { findings: object[] };
  expect(report).toMatchObject({ version: 1, summary: { documents: 2, errors: 25, warnings: 0 } });
  expect(report.findings).toHaveLength(25);
  expect(report.findings[0]).toEqual({
    file: "CLAUDE.md",
    line: 3,
    column: 1,
    endLine: 3,
    endColumn: 14,
    ruleId: "claude-md-links",
    severity: "error",
    kind: "missing",
    message: "Unexpected link to `nowhere0`, which does not exist, expected an existing path",
    actual: "nowhere0",
    url: "https://www.npmjs.com/package/remark-lint-claude-md#claude-md-links",
  });
});

test("warnings count against --max-warnings only", () => {
  const root = repository({ ...files, "CLAUDE.md": "# CLAUDE.md\n\n## Stranger\n\nx\n" });
  expect(claudeMd(root, "check").code).toBe(0);
  expect(claudeMd(root, "check", "--max-warnings", "1").code).toBe(0);
  expect(claudeMd(root, "check", "--max-warnings", "0").code).toBe(1);
});

test("a reader that has enough is no error", () => {
  const links = "[x](nowhere)\n".repeat(20_000);
  const root = repository({ ...files, "CLAUDE.md": `# CLAUDE.md\n\n${links}` });
  const { stdout, stderr } = spawnSync(
    "bash",
    ["-c", `"$1" "$2" check --reporter json | head -c 20`, "-", process.execPath, cli],
    { cwd: root, encoding: "utf8" },
  );
  expect(stdout).toHaveLength(20);
  expect(stderr).not.toContain("EPIPE");
});

test("--tracked leaves out what git does not track", () => {
  const root = repository(files);
  write(root, { "new/file.ts": "" });
  expect(claudeMd(root, "check").code).toBe(1);
  expect(claudeMd(root, "check", "--tracked").code).toBe(0);
  git(root, "add", "new");
  expect(claudeMd(root, "check", "--tracked").code).toBe(1);
});

test.each([
  [["chek"], "`chek` is not a command (did you mean `check`?)"],
  [[], "No command was given"],
  [["check", "--wat"], "--wat"],
  [["check", "--reporter", "prety"], "`prety` is not a reporter (did you mean `pretty`?)"],
  [["check", "--max-warnings", "few"], "`--max-warnings` must be a number"],
  [["check", "nowhere"], "`nowhere` is not a path that git knows"],
  [["check", ".."], "`..` is not a path that git knows"],
  [["check", "--config", "none.ts"], "none.ts"],
])("a wrong call says what is wrong, on stderr, and exits with 2: %j", (args, message) => {
  const { code, stdout, stderr } = claudeMd(repository(files), ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("at file:");
});

test.each([
  ["claude-md.config.mjs", "export default {", "cannot be loaded"],
  ["claude-md.config.mjs", "export default { rule: {} }", "`rule` is not a setting"],
  ["docs/template.md", "# {{pth}}\n", "docs/template.md:1: `{{pth}}` means nothing"],
])("a broken %s is never a pass", (path, text, message) => {
  const { code, stderr } = claudeMd(repository({ ...files, [path]: text }), "check");
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test("outside a repository and without a configuration it says what to do", () => {
  const root = repository({ "a.ts": "" });
  expect(claudeMd(root, "check")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Write one: export default defineConfig"),
  });
  expect(claudeMd("/", "check")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("is not in a git repository"),
  });
});
