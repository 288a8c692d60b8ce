import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { commit, type Files, generate, random } from "./generate.ts";

const cli = join(dirname(createRequire(import.meta.url).resolve("remark-lint-claude-md")), "cli.ts");

interface Found {
  file: string;
  ruleId: string;
  kind: string;
  line: number;
}

function repository(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), "docs-lint-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  commit(files, root);
  return root;
}

/** What `claude-md check` finds in `root`, as `path rule kind` with the line. */
function found(root: string, limit?: string): string[] {
  const command = [process.execPath, cli, "check", "--no-cache", "--reporter", "json"];
  const [program = "", ...args] =
    limit === undefined ? command : ["bash", "-c", `${limit}; exec "$@"`, "-", ...command];
  const { stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 30 });
  // On a busy machine it says how far it is.
  expect(stderr.replaceAll(/claude-md: \d+ of \d+ directories\n/g, "")).toBe("");
  const { findings } = JSON.parse(stdout) as { findings: Found[] };
  return findings.map(({ file, line, ruleId, kind }) => `${file}:${line} ${ruleId} ${kind}`).sort();
}

/** Ways to make a true document of the generator untrue: the edit, then line, rule and kind of the finding. */
const lies: [(text: string) => string, (text: string) => number, string][] = [
  [(text) => text.replace(/^# .*/, "# elsewhere/CLAUDE.md"), () => 1, "claude-md-title mismatch"],
  [
    (text) => text.replace("## 🔧 主要機能", "## 🔧 主要な機能"),
    lineOf("## 🔧"),
    "claude-md-sections near-miss",
  ],
  [(text) => text.replace("## ☁\u{FE0F} AWS", "## ☁ AWS"), lineOf("## ☁"), "claude-md-sections bytes"],
  [(text) => text.replace(/- \*\*リージョン.*\n/, ""), lineOf("## ☁"), "claude-md-fields missing"],
  [
    (text) => text.replace(/(- \*\*リージョン\*\*:).*/, "$1"),
    lineOf("- **リージョン"),
    "claude-md-fields empty",
  ],
  [
    (text) => text.replace(/(## 📝.*\n)- .*/, "$1- セキュリティ設定"),
    lineOf("## 📝", 1),
    "claude-md-placeholder template",
  ],
  [(text) => text.replace(/(## 📝.*\n)- /, "$1- TODO "), lineOf("## 📝", 1), "claude-md-placeholder mark"],
  [(text) => text.replace(/\[根\]\([^)]*/, "[根](nowhere.md"), lineOf("- [根]"), "claude-md-links missing"],
  [(text) => text.replace(/\[根\]\(([^)]*)/, "[根]($1#nowhere"), lineOf("- [根]"), "claude-md-links anchor"],
  [
    (text) => text.replace(/(├|└)── main\.ts.*/, "$&\n├── gone.ts"),
    (text) => lineOf("── main.ts")(text) + 1,
    "claude-md-tree phantom",
  ],
];

function lineOf(start: string, below = 0): (text: string) => number {
  return (text) => text.split("\n").findIndex((line) => line.includes(start)) + 1 + below;
}

test("a generated repository is true", () => {
  expect(found(repository(generate(300, 7)))).toEqual([]);
});

test("every planted lie is found on its line, and nothing else", () => {
  const files = generate(600, 11);
  // The heading `主要機能` of parents is linked to: leaves only, so that one lie is one finding.
  const parents = new Set([...files.keys()].map((path) => dirname(dirname(path))));
  const leaves = [...files.keys()].filter(
    (path) => path.endsWith("/CLAUDE.md") && !parents.has(dirname(path)),
  );
  const next = random(3);
  const expected: string[] = [];
  for (const [edit, line, finding] of lies)
    for (let count = 0; count < 5; count++) {
      const [path = ""] = leaves.splice(Math.floor(next() * leaves.length), 1);
      const text = files.get(path) ?? "";
      expect(edit(text)).not.toBe(text);
      files.set(path, edit(text));
      expected.push(`${path}:${line(text)} ${finding}`);
    }
  const root = repository(files);
  const [undocumented = ""] = leaves;
  unlinkSync(join(root, undocumented));
  expected.push(`${undocumented}:1 claude-md-presence missing`);
  expect(found(root).filter((line) => !line.includes("links missing") || expected.includes(line))).toEqual(
    expected.sort(),
  );
});

test("64 open files are enough", () => {
  const root = repository(generate(300, 5));
  const path = join(root, "CLAUDE.md");
  writeFileSync(path, readFileSync(path, "utf8").replace("# CLAUDE.md", "# x"));
  expect(found(root, "ulimit -n 64")).toEqual(["CLAUDE.md:1 claude-md-title mismatch"]);
});
