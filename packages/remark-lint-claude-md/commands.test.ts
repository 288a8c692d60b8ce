import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { type RuleName, rules } from "./rules.ts";
import { repository, write } from "./testing.ts";

const cli = join(import.meta.dirname, "cli.ts");

function claudeMd(cwd: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, GITHUB_ACTIONS: undefined, ...env },
  });
  return { code: status, stdout, stderr };
}

const facts = {
  values: { "jobs memory": "512 MB" },
  blocks: { "jobs table": "| a | b |\n| - | - |" },
  related: { jobs: ["docs"] },
  claims: [{ type: "count", noun: "^ services", value: 3 }],
};

const files = {
  "claude-md.config.mjs": `import { exampleProvider } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "testing-facts.ts")).href)};
export default {
  templates: [{ files: ["**"], template: "docs/template.md" }],
  exclude: [{ files: ["vendor"], reason: "not ours" }],
  facts: [exampleProvider(${JSON.stringify(facts)})],
};
`,
  "docs/template.md": `# {{path}}/CLAUDE.md

## Purpose
- why it is there

## Stack
- **Memory**: {{fact memory}}
- **Region**: tokyo

## Tree
\`\`\`text
{{tree}}
\`\`\`

{{block table}}
`,
  "vendor/x.js": "",
  "jobs/daily/main.ts": "",
  "jobs/main.ts": "",
};

test("scaffold writes what is known and leaves open what people must write; it never overwrites", () => {
  const root = repository(files);
  const first = claudeMd(root, ["scaffold", "jobs"]);
  expect(first).toMatchObject({ code: 0, stdout: "jobs/CLAUDE.md\njobs/daily/CLAUDE.md\n" });
  expect(readFileSync(join(root, "jobs/CLAUDE.md"), "utf8")).toBe(`# jobs/CLAUDE.md

## Purpose
- why it is there

## Stack
- **Memory**: 512 MB
- **Region**: tokyo

## Tree
\`\`\`text
jobs/
├── daily/
└── main.ts
\`\`\`

<!--claude-md table-->
| a | b |
| - | - |
<!--claude-md end-->
`);
  const { stdout } = claudeMd(root, ["check", "jobs/CLAUDE.md"]);
  expect(stdout).toContain("Unexpected sample text `why it is there`");
  expect(stdout).toMatch(/1 document checked: 1 error,/);

  write(root, { "jobs/CLAUDE.md": "mine\n" });
  expect(claudeMd(root, ["scaffold"]).stdout).toBe("CLAUDE.md\ndocs/CLAUDE.md\n");
  expect(readFileSync(join(root, "jobs/CLAUDE.md"), "utf8")).toBe("mine\n");
});

test("scaffold links to the documents that the lint asks for, those of the same run included", () => {
  const root = repository({
    ...files,
    "docs/template.md": "# {{path}}/CLAUDE.md\n\n## See also\n- [another](../other/)\n",
  });
  claudeMd(root, ["scaffold"]);
  expect(readFileSync(join(root, "jobs/CLAUDE.md"), "utf8")).toBe(
    "# jobs/CLAUDE.md\n\n## See also\n- [docs](../docs/CLAUDE.md)\n- [CLAUDE.md](../CLAUDE.md)\n",
  );
  expect(claudeMd(root, ["check", "jobs"]).stdout).not.toContain("without a link");
});

test("coverage counts directories, documents and clean ones, and says what is excluded and why", () => {
  const root = repository({ ...files, "docs/CLAUDE.md": "# wrong\n" });
  write(root, {
    "claude-md.config.mjs": files["claude-md.config.mjs"].replace(
      "facts:",
      "rules: { sections: 'off' }, facts:",
    ),
  });
  write(root, { "CLAUDE.md": "# CLAUDE.md\n" });
  const { code, stdout } = claudeMd(root, ["coverage"]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `folder  directories  documented  clean
.                 1           1      1
docs              1           1      0
jobs              2           0      0
total             4           2      1
excluded: vendor (1): not ours
0 sections, 0 trees, 0 links, 0 facts and 0 commands were held against the repository
25 %
`,
  });
  expect(claudeMd(root, ["coverage", "--fail-under", "25"]).code).toBe(0);
  expect(claudeMd(root, ["coverage", "--fail-under", "26"]).code).toBe(1);
  expect(claudeMd(root, ["coverage", "--fail-under", "all"]).code).toBe(2);
  const json = JSON.parse(claudeMd(root, ["coverage", "--json"]).stdout) as object;
  expect(json).toMatchObject({
    percent: 25,
    total: { directories: 4, documented: 2, clean: 1 },
    excluded: [{ files: ["vendor"], reason: "not ours", directories: 1 }],
  });
  claudeMd(root, ["scaffold", "jobs"]);
  write(root, { "CLAUDE.md": "# CLAUDE.md\n\n[a](jobs/) [b](https://example.com) `shop open`\n" });
  expect(claudeMd(root, ["coverage"]).stdout).toContain(
    "6 sections, 2 trees, 1 links, 2 facts and 1 commands were held against the repository",
  );
  claudeMd(root, ["coverage", "--badge", "docs.svg"]);
  const badge = readFileSync(join(root, "docs.svg"), "utf8");
  expect(badge).toMatch(/^<svg [^>]*aria-label="docs: 25 %"/);
});

test("facts says what is known of a directory, and where it stands", () => {
  const root = repository(files);
  expect(claudeMd(root, ["facts", "jobs"])).toEqual({
    code: 0,
    stderr: "",
    stdout: `{{fact memory}}  512 MB  → facts.yml:1
{{block table}}  → facts.yml:1
  | a | b |
  | - | - |
related  docs
claim count  3 before /^ services/  → facts.yml:1
`,
  });
  expect(claudeMd(root, ["facts", "docs"]).stdout).toContain(
    "{{fact memory}}  nothing is known: people write it",
  );
  expect(claudeMd(root, ["facts", "jobs/main.ts"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("is a file"),
  });
});

test("explain lists the rules, and prints one with its examples, in or out of a repository", () => {
  const list = claudeMd("/", ["explain"]);
  expect(list.code).toBe(0);
  expect(list.stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([...Object.keys(rules), ""]);
  for (const name of Object.keys(rules) as RuleName[]) {
    const { code, stdout } = claudeMd("/", ["explain", `claude-md-${name}`]);
    expect(code).toBe(0);
    expect(stdout).toContain(`# claude-md-${name}\n`);
    expect(stdout).toContain("### not ok: ");
  }
  expect(claudeMd("/", ["explain", "tre"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("did you mean `tree`?"),
  });
});

test("in GitHub Actions annotations stand beside the report for people, unless another is asked for", () => {
  const root = repository({ ...files, "CLAUDE.md": "# wrong\n" });
  const both = claudeMd(root, ["check", "CLAUDE.md"], { GITHUB_ACTIONS: "true" }).stdout;
  expect(both).toContain("✘ 1 document checked");
  expect(both).toContain("::error file=CLAUDE.md,line=1,endLine=1,col=1,endColumn=8,title=claude-md-title::");
  expect(claudeMd(root, ["check", "CLAUDE.md"]).stdout).not.toContain("::error");
  const json = claudeMd(root, ["check", "--reporter", "json"], { GITHUB_ACTIONS: "true" }).stdout;
  expect(json).not.toContain("::error");
});

test.each([
  ["{{fact memry}}", "`{{fact memry}}`, which no provider knows of any directory (did you mean `memory`?)"],
  [
    "{{block tables}}",
    "`{{block tables}}`, which no provider knows of any directory (did you mean `table`?)",
  ],
])("a template that asks for %s is never a pass", (written, message) => {
  const template = files["docs/template.md"].replace(
    written.startsWith("{{fact") ? "{{fact memory}}" : "{{block table}}",
    written,
  );
  const root = repository({ ...files, "docs/template.md": template });
  expect(claudeMd(root, ["check"])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

test("a provider whose facts are broken ends the run with its place, and judges nothing", () => {
  const root = repository(files);
  writeFileSync(
    join(root, "claude-md.config.mjs"),
    `export default { templates: [{ files: ["**"], template: "docs/template.md" }], facts: [{
  name: "ports", version: "1", inputs: () => ["jobs/main.ts"],
  load: () => { throw new Error("jobs/main.ts:3: the port is no number"); } }] };\n`,
  );
  expect(claudeMd(root, ["check"])).toEqual({
    code: 2,
    stdout: "",
    stderr: "claude-md: The facts of `ports` cannot be loaded: jobs/main.ts:3: the port is no number\n",
  });
});
