import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { diff } from "./diff.ts";
import { applyFixes, fixAll } from "./fix.ts";
import { type RuleName, rules } from "./rules.ts";
import { examplesIn, project, repository, type World } from "./testing.ts";

const template = `# {{path}}/CLAUDE.md

## 🎯 Purpose

## ☁️ AWS
- **Memory**: {{fact memory}}
- **Region**: 

## 📁 Tree
\`\`\`text
{{tree}}
\`\`\`

## 🔗 Related
- [other](../path/)

{{block table}}

---
*from: {{template}}*
`;

const truth = `# jobs/CLAUDE.md

## 🎯 Purpose
It counts the day at night. Environments: a, b.

## ☁️ AWS
- **Memory**: 512 MB — twice that at night
- **Region**: tokyo

## 📁 Tree
\`\`\`text
jobs/
├── daily/
│   └── main.ts     # 2 lines
├── main.ts         # starts
└── *.test.ts
\`\`\`

## 🔗 Related
- [up](../CLAUDE.md#-aws)
- [daily](daily/main.ts)

<!--claude-md table-->
| a | b |
| - | - |
<!--claude-md end-->

---
*from: [template.md](../template.md)*
`.replace("#-aws", "#\u{FE0F}-aws");

function world(document: string): World {
  return {
    files: {
      "template.md": template,
      "CLAUDE.md": "# CLAUDE.md\n## ☁️ AWS\n",
      "jobs/CLAUDE.md": document,
      "jobs/main.ts": "",
      "jobs/main.test.ts": "",
      "jobs/daily/main.ts": "a\nb\n",
    },
    facts: { values: { "jobs memory": "512 MB" }, blocks: { "jobs table": "| a | b |\n| - | - |" } },
  };
}

async function fixed(document: string, suggest = false): Promise<string> {
  const all = await fixAll(
    (texts) =>
      Promise.resolve(
        project(world(texts.get("jobs/CLAUDE.md") ?? document), {
          rules: { tree: ["error", { globs: "cover", ellipsis: "error" }] },
        }),
      ),
    { paths: () => ["jobs/CLAUDE.md"], suggest },
  );
  return all[0]?.after ?? document;
}

test("a true document is left alone, guesses or not", async () => {
  expect(await fixed(truth)).toBe(truth);
  expect(await fixed(truth, true)).toBe(truth);
});

const safe: [string, string, string][] = [
  ["another title", "# jobs/", "# job/"],
  ["an invisible character lost in a heading", "☁\u{FE0F} AWS", "☁ AWS"],
  ["an invisible character lost in an anchor", "#\u{FE0F}-aws", "#-aws"],
  ["a value of last year", "512 MB — twice", "256 MB — twice"],
  ["a value taken away", "512 MB — twice that at night", ""],
  ["another case", "(daily/main.ts)", "(Daily/main.ts)"],
  ["an entry of a file that is gone", "├── main.ts  ", "├── gone.ts\n├── main.ts  "],
  ["a file written as a directory", "├── main.ts  ", "├── main.ts/  "],
  ["a file in another case", "├── main.ts  ", "├── Main.ts  "],
  ["another root", "text\njobs/", "text\nworkers/"],
  ["a number of lines", "# 2 lines", "# 120 lines"],
  ["a table of last year", "| - | - |\n<", "| - | - |\n| c | d |\n<"],
  ["the footer of another template", "[template.md](../template.md)", "[other](../other.md)"],
];

test.each(safe)("%s is mended, and no other byte changes", async (name, right, wrong) => {
  const broken = truth.replace(right, wrong);
  expect(broken).not.toBe(truth);
  const mended = name === "a value taken away" ? truth.replace(" — twice that at night", "") : truth;
  expect(await fixed(broken)).toBe(mended);
  const windows = (text: string): string => `\u{FEFF}${text.replaceAll("\n", "\r\n")}`;
  expect(`\u{FEFF}${await fixed(windows(broken))}`.replace(/^\u{FEFF}+/u, "\u{FEFF}")).toBe(windows(mended));
});

const guesses: [string, string, string][] = [
  ["no title", "# jobs/CLAUDE.md\n\n", ""],
  ["a heading that is nearly right", "## 🎯 Purpose", "### Purpose"],
  ["a link to what is nearly there", "(daily/main.ts)", "(dayly/main.ts)"],
  ["an anchor that is nearly there", "#\u{FE0F}-aws", "#\u{FE0F}-awz"],
  ["no region", "\n\n<!--claude-md table-->\n| a | b |\n| - | - |\n<!--claude-md end-->", ""],
  ["no footer", "\n---\n*from: [template.md](../template.md)*\n", ""],
];

test.each(guesses)("%s is mended only on request", async (_, right, wrong) => {
  const broken = truth.replace(right, wrong);
  expect(broken).not.toBe(truth);
  expect(await fixed(broken)).toBe(broken);
  expect(await fixed(broken, true)).toBe(truth);
});

test("what is missing is put in its place, to be written by people", async () => {
  const short = await fixed("# jobs/CLAUDE.md\n\n## 📁 Tree\nx\n", true);
  expect(short).toBe(
    `# jobs/CLAUDE.md

## 🎯 Purpose

## ☁️ AWS
- **Memory**: 512 MB
- **Region**: 

## 📁 Tree
\`\`\`text
jobs/
├── daily/
├── main.test.ts
└── main.ts
\`\`\`
x

## 🔗 Related
- [CLAUDE.md](../CLAUDE.md)

<!--claude-md table-->
| a | b |
| - | - |
<!--claude-md end-->

---
*from: [template.md](../template.md)*
`,
  );
});

test("a tree keeps comments with their names, also where a file got another ending", async () => {
  const old = truth
    .replace("├── main.ts   ", "├── main.js   ")
    .replace("│   └── main.ts", "│   └── main.mjs");
  expect(await fixed(old)).toBe(truth);
});

const names = Object.keys(rules) as RuleName[];
const examples = names.flatMap((name) =>
  examplesIn(readFileSync(new URL(`rules/${name}.ts`, import.meta.url), "utf8")).map(
    ({ name: title, world: files, config }) => ({ title: `${name}: ${title}`, world: files, config }),
  ),
);

describe("on the examples of every rule", () => {
  test.each(examples)(
    "$title: fixing twice is fixing once, and no safe fix creates a finding",
    async (example) => {
      for (const suggest of [false, true]) {
        const run = async (files: Record<string, string>) => {
          const open = (texts: ReadonlyMap<string, string>) =>
            Promise.resolve(
              project(
                { ...example.world, files: { ...files, ...Object.fromEntries(texts) } },
                example.config,
              ),
            );
          const all = await fixAll(open, { paths: () => [""], suggest });
          return { ...files, ...Object.fromEntries(all.map(({ path, after }) => [path, after])) };
        };
        const once = await run(example.world.files);
        expect(await run(once)).toEqual(once);
        if (suggest) continue;
        const count = (files: Record<string, string>) =>
          check(project({ ...example.world, files }, example.config)).length;
        expect(count(once)).toBeLessThanOrEqual(count(example.world.files));
      }
    },
  );
});

const lines = fc.constantFrom(
  ...truth.split(/(?<=\n)/),
  "\n",
  "├── x/\n",
  "```\n",
  "<!--claude-md table-->\n",
);

test("whatever the document, fixing ends, and fixing again changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { maxLength: 40 }), fc.boolean(), async (parts, suggest) => {
      const once = await fixed(parts.join(""), suggest);
      expect(await fixed(once, suggest)).toBe(once);
    }),
    { numRuns: 150 },
  );
});

test("edits that overlap wait for another round", () => {
  const finding = (edits: [number, number, string][]) => ({ fix: { grade: "S" as const, edits } }) as never;
  expect(
    applyFixes("abcdef", [finding([[0, 2, "X"]]), finding([[1, 3, "Y"]]), finding([[4, 5, "Z"]])], ["S"]),
  ).toBe("XcdZf");
});

describe("the command", () => {
  const cli = fileURLToPath(new URL("cli.ts", import.meta.url));
  const run = (cwd: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: "utf8" });
    return { code: status, stdout, stderr };
  };
  const files = {
    "claude-md.config.mjs": 'export default { templates: [{ files: ["**"], template: "t.md" }] };\n',
    "t.md": "# {{path}}/CLAUDE.md\n",
    "CLAUDE.md": "\u{FEFF}# wrong\r\n\r\n  trailing  \r\n",
  };

  test("--dry-run prints the change, touches nothing and exits with 1", () => {
    const root = repository(files);
    expect(run(root, "fix", "--dry-run")).toEqual({
      code: 1,
      stdout: "--- CLAUDE.md\n+++ CLAUDE.md\n@@ -1,1 +1,1 @@\n-# wrong\r\n+# CLAUDE.md\r\n",
      stderr: "",
    });
    expect(readFileSync(join(root, "CLAUDE.md"), "utf8")).toBe(files["CLAUDE.md"]);
  });

  test("byte order mark, line endings and trailing spaces stay", () => {
    const root = repository(files);
    expect(run(root, "fix")).toMatchObject({ code: 0, stdout: "CLAUDE.md\n" });
    expect(readFileSync(join(root, "CLAUDE.md"), "utf8")).toBe("\u{FEFF}# CLAUDE.md\r\n\r\n  trailing  \r\n");
    expect(run(root, "fix", "--dry-run")).toMatchObject({ code: 0, stdout: "" });
  });

  test("a file that is not UTF-8 is refused, not rewritten", () => {
    const root = repository(files);
    writeFileSync(join(root, "CLAUDE.md"), Buffer.from([0x23, 0x20, 0xff, 0x0a]));
    expect(run(root, "fix")).toMatchObject({ code: 2, stderr: expect.stringContaining("is not UTF-8") });
  });
});

test("a diff shows the lines that differ, and them only", () => {
  expect(diff("x", "a\nb\nc\nd\n", "a\nB\nc\nd\ne\n")).toBe(
    "--- x\n+++ x\n@@ -2,1 +2,1 @@\n-b\n+B\n@@ -5,0 +5,1 @@\n+e\n",
  );
});
