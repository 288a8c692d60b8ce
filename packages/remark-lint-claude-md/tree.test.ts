import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { project } from "./testing.ts";
import { type Entry, globMatcher, isGlob, parseTree } from "./tree.ts";

/** Name, comment and children of every entry, without the places. */
type Shape = [name: string, comment: string, children: Shape[]];

const shapeOf = (entries: Entry[]): Shape[] =>
  entries.map(({ name, directory, comment, children }) => [
    directory ? `${name}/` : name,
    comment,
    shapeOf(children),
  ]);

function shapes(text: string): Shape[] {
  const tree = parseTree(text);
  if (!("entries" in tree)) throw new Error(`line ${tree.line}: ${tree.text}`);
  return shapeOf(tree.entries);
}

test.each([
  ["box characters", "a/\n├── b/\n│   └── c.ts\n└── d.ts"],
  ["narrow box characters", "a/\n├─ b/\n│  └─ c.ts\n└─ d.ts"],
  ["ASCII", "a/\n|-- b/\n|   `-- c.ts\n`-- d.ts"],
  ["tree without bars", "a/\n├── b/\n    └── c.ts\n└── d.ts"],
  ["no root, and lines that only draw", "├── b/\n│   └── c.ts\n│\n└── d.ts"],
  ["CRLF", "a/\r\n├── b/\r\n│   └── c.ts\r\n└── d.ts\r\n"],
])("%s", (_, text) => {
  expect(shapes(text)).toEqual([
    ["b/", "", [["c.ts", "", []]]],
    ["d.ts", "", []],
  ]);
});

test.each([
  ["main.ts # starts", "main.ts", "# starts"],
  ["main.ts   starts", "main.ts", "starts"],
  ["main.ts // starts", "main.ts", "// starts"],
  ["main.ts ← here", "main.ts", "← here"],
  ["main.ts - starts", "main.ts", "- starts"],
  ["main.ts（開始）", "main.ts", "（開始）"],
  ["to-do list.md", "to-do list.md", ""],
  ["[id]", "[id]", ""],
  ["(group)", "(group)", ""],
  ["@slot", "@slot", ""],
  ["c#.md", "c#.md", ""],
])("`%s` is a name and a comment", (text, name, comment) => {
  expect(shapes(`a/\n└── ${text}`)).toEqual([[name, comment, []]]);
});

test("what stands for several is known from names", () => {
  expect(["*.ts", "a?.ts", "{a,b}.ts"].every(isGlob)).toBe(true);
  expect(["[id]", "(group)", "@slot", "{id}", "a.ts"].some(isGlob)).toBe(false);
  expect(["a.test.ts", "b.test.ts", ".c.test.ts", "atest.ts"].filter(globMatcher("*.test.ts"))).toEqual([
    "a.test.ts",
    "b.test.ts",
  ]);
  expect(["a.ts", "b.ts", "c.ts"].filter(globMatcher("{a,b}.ts"))).toEqual(["a.ts", "b.ts"]);
  expect(["[id].ts", "i.ts"].filter(globMatcher("[id].*"))).toEqual(["[id].ts"]);
});

describe("a drawing that is no tree stays alone:", () => {
  const drawings = {
    "a screen": "┌──────────┐\n│ のれん堂 │\n├──────────┤\n│ 合計 300 │\n└──────────┘",
    "a taxonomy": "Event\n├── SaleCompleted\n└── ItemRegistered",
    "a flow": "pos-web-app\n└── backend-api\n    └── backend-outbox",
    "a flow with slashes": "POST /sales\n├── 200 receipt\n└── 409 conflict",
    "an error tree": "Error: no such file\n├── ENOENT\n└── errno -2",
    dependencies: "noren@0.0.0 /home/noren\n├── hono@4.13.19\n└── zod@4.6.7",
    "a table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "a state machine": "open/\n├── sign in\n├── scan\n└── take cash",
    topics: "sns/\n├── item\n├── sale\n└── order",
    shell: "$ ls workers/\nitem product",
    "a mail": "Subject: 注文\n\n└ 合計 300円",
    "an outline": "1. first\n  - second\n  - third",
    mathematics: "a + b\n`--- c",
    nothing: "",
  };
  test.each(Object.entries(drawings))("%s", (_, drawing) => {
    const files = { "CLAUDE.md": `# CLAUDE.md\n\n\`\`\`text\n${drawing}\n\`\`\`\n` };
    expect(check(project({ files }))).toEqual([]);
  });
});

test("a tree of what a run creates, or of somebody else's folders, may be drawn", () => {
  const files: Record<string, string> = {
    "CLAUDE.md": "# CLAUDE.md\n\n```text\n.local/\n├── postgres/\n└── secrets.json\n```\n",
  };
  expect(check(project({ files }))).toEqual([]);
  files["secrets.json"] = "";
  expect(check(project({ files, ignored: [".local"] }))).toEqual([]);
  expect(check(project({ files })).map((finding) => finding.message)).toEqual([
    "Unexpected root `.local/`, no such directory",
  ]);
});

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/);
interface Node {
  [name: string]: Node | null;
}
const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.dictionary(
    name.map((base) => `${base}.ts`),
    fc.oneof({ maxDepth: 3, withCrossShrink: true }, fc.constant(null), tie("node")),
    { minKeys: 1, maxKeys: 4 },
  ),
}));

function draw(tree: Node, indent = ""): string[] {
  const names = Object.keys(tree);
  return names.flatMap((key, index) => {
    const last = index === names.length - 1;
    const below = tree[key] ?? undefined;
    return [
      `${indent}${last ? "└── " : "├── "}${key}${below ? "/" : ""}`,
      ...(below ? draw(below, `${indent}${last ? "    " : "│   "}`) : []),
    ];
  });
}

function shape(tree: Node): Shape[] {
  return Object.entries(tree).map(([key, below]) => [below ? `${key}/` : key, "", below ? shape(below) : []]);
}

function filesOf(tree: Node, dir: string): string[] {
  return Object.entries(tree).flatMap(([key, below]) => {
    const path = `${dir}/${key}`;
    return below ? [`${path}/CLAUDE.md`, ...filesOf(below, path)] : [path];
  });
}

const template = "# {{path}}/CLAUDE.md\n\n## Tree\n```text\n{{tree}}\n```\n";

/** The findings about a document whose tree is `lines` where git has `tree`. */
function findings(tree: Node, lines: string[]) {
  const files = {
    "template.md": template,
    ...Object.fromEntries(filesOf(tree, "app").map((path) => [path, "x"])),
    "app/CLAUDE.md": `# app/CLAUDE.md\n\n## Tree\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\`\n`,
  };
  const off = { presence: "off", title: "off", sections: "off" } as const;
  return check(
    project({ files }, { rules: { ...off, tree: ["error", { globs: "cover", ellipsis: "error" }] } }),
    ["app/CLAUDE.md"],
  );
}

test("drawing a tree and reading it gives the tree", () => {
  fc.assert(
    fc.property(node, (tree) => {
      expect(shapes(["app/", ...draw(tree)].join("\n"))).toEqual(shape(tree));
    }),
  );
});

test("a true tree has no finding; an invented or forgotten name is found", () => {
  fc.assert(
    fc.property(node, fc.nat(), (tree, seed) => {
      const lines = ["app/", ...draw(tree)];
      expect(findings(tree, lines)).toEqual([]);

      const at = 1 + (seed % (lines.length - 1));
      const invented = lines.with(at, (lines[at] ?? "").replace(/(\w+\.ts\/?)$/, "zz$1"));
      expect(
        findings(tree, invented)
          .map((finding) => finding.kind)
          .sort(),
      ).toEqual(["omitted", "phantom"]);

      // A leaf that is not its directory's only one: taking it away leaves the others drawn.
      const leaves = lines.flatMap((line, index) => (line.endsWith("/") ? [] : [index]));
      const leaf = leaves[seed % leaves.length] ?? 0;
      const without = findings(tree, lines.toSpliced(leaf, 1));
      expect(without.length).toBeLessThanOrEqual(1);
      expect(without.every((finding) => finding.kind === "omitted")).toBe(true);
    }),
  );
});
