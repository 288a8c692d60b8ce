import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { check } from "./check.ts";
import { parse } from "./extract.ts";
import { project, repository, write } from "./testing.ts";

// Whatever lies in a repository: the check ends, does not throw, and says what it could not read.

const cli = join(import.meta.dirname, "cli.ts");
const files = {
  "claude-md.config.mjs": `export default {
  templates: [{ files: ["**"], template: "template.md" }],
  rules: { related: "off", title: "off" },
};
`,
  "template.md": "# {{path}}/CLAUDE.md\n",
  "CLAUDE.md": "# CLAUDE.md\n",
};

interface Report {
  findings: { file: string; ruleId: string; kind: string; message: string }[];
}

function findings(root: string, ...args: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [cli, "check", "--no-cache", "--reporter", "json", ...args],
    { cwd: root, encoding: "utf8", maxBuffer: 2 ** 30 },
  );
  // On a busy machine it says how far it is.
  expect(stderr.replaceAll(/claude-md: \d+ of \d+ directories\n/g, "")).toBe("");
  expect(status).toBeLessThan(2);
  return (JSON.parse(stdout) as Report).findings.map(
    ({ file, kind, message }) => `${file} ${kind} ${message}`,
  );
}

test("a document of 100 MB is reported, not read; one that is linked to is no obstacle", () => {
  const root = repository(files);
  const line = "## heading and [link](nowhere)\n";
  write(root, { "b/CLAUDE.md": line.repeat((100 * 2 ** 20) / line.length), "b/log.md": line.repeat(1e6) });
  write(root, { "a/CLAUDE.md": "[big](../b/CLAUDE.md#x) [log](../b/log.md#x)\n" });
  expect(findings(root)).toEqual([
    "b/CLAUDE.md unreadable Unexpected document that cannot be read: it has 104,857,593 characters, more than 1,000,000",
  ]);
});

test("links that lead in circles, out of the repository or to a device are files; one to a document is that document", () => {
  const outside = repository({ "secret.md": "# secret\n\n[x](nowhere-outside)\n" });
  const root = repository({ ...files, "real/CLAUDE.md": "[x](nowhere)\n" });
  for (const dir of ["loop", "device", "out", "twin", "folder"]) mkdirSync(join(root, dir));
  symlinkSync("CLAUDE.md", join(root, "loop/CLAUDE.md"));
  symlinkSync("../loop", join(root, "loop/again"));
  symlinkSync("/dev/zero", join(root, "device/CLAUDE.md"));
  symlinkSync(join(outside, "secret.md"), join(root, "out/CLAUDE.md"));
  symlinkSync("../real/CLAUDE.md", join(root, "twin/CLAUDE.md"));
  symlinkSync("..", join(root, "folder/CLAUDE.md"));
  const missing = (path: string) =>
    `${path}/CLAUDE.md missing Unexpected link to \`${path}/nowhere\`, which does not exist, expected an existing path`;
  expect(findings(root)).toEqual([missing("real"), missing("twin")]);
});

test("a file that became a pipe or a directory while git looks away is not waited for", () => {
  const root = repository({ ...files, "pipe/CLAUDE.md": "x\n", "dir/CLAUDE.md": "x\n" });
  for (const path of ["pipe/CLAUDE.md", "dir/CLAUDE.md"]) execFileSync("rm", [path], { cwd: root });
  execFileSync("mkfifo", ["pipe/CLAUDE.md"], { cwd: root });
  write(root, { "dir/CLAUDE.md/file": "" });
  expect(findings(root).length).toBeGreaterThan(0);
});

test("odd names are names", () => {
  const names = [
    "--help",
    "-",
    "a b",
    "日本語",
    "が",
    "\u{202E}gnp",
    "quote\"'`",
    "new\nline",
    "\u{1F600}",
    "[id]",
    "(a)",
    "{a,b}",
    "*",
    "%20",
    "#x",
    "__proto__",
    "constructor",
  ];
  const root = repository({ ...files, ...Object.fromEntries(names.map((name) => [`${name}/x`, ""])) });
  expect(findings(root)).toHaveLength(names.length);
  const scaffolded = spawnSync(process.execPath, [cli, "scaffold"], { cwd: root, encoding: "utf8" });
  expect(scaffolded.status).toBe(0);
  expect(findings(root)).toEqual([]);
  const latin1 = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff]), Buffer.from(".txt")]);
  writeFileSync(latin1, "");
  expect(findings(root)).toEqual([]);
});

test("directories as deep as the system allows", () => {
  const root = repository(files);
  const depth = 900;
  execFileSync(
    process.execPath,
    [
      "-e",
      `for (let i = 0; i < ${depth}; i++) { fs.mkdirSync("d"); process.chdir("d"); } fs.writeFileSync("x", "")`,
    ],
    { cwd: root },
  );
  expect(findings(root)).toHaveLength(depth);
});

test("what stands in a document does not reach the terminal as a command to it", () => {
  const root = repository({ ...files, "CLAUDE.md": "# a\n\n[x](<\u{1B}[2J>)\n" });
  const { stdout } = spawnSync(process.execPath, [cli, "check"], { cwd: root, encoding: "utf8" });
  expect(stdout).toContain("Unexpected link to `U+001B[2J`");
});

const template = `# {{path}}/CLAUDE.md

## Stack
- **Needs**: {{fact needs}}

## Tree
\`\`\`text
{{tree}}
\`\`\`
`;

/** What all rules find in a document of `jobs`. */
function found(document: string) {
  return check(
    project(
      {
        files: { "CLAUDE.md": "# CLAUDE.md\n", "template.md": template, "jobs/CLAUDE.md": document },
        facts: {
          values: { "jobs needs": "x" },
          commands: {},
          programs: ["shop"],
          claims: [
            { type: "count", noun: "^ services", value: 3 },
            { type: "set", near: "environments: ", value: ["staging", "production"] },
          ],
        },
      },
      { rules: { size: ["warning", { chain: 100 }] } },
    ),
    ["jobs"],
  );
}

const many = 60_000;
test.each([
  ["unbalanced brackets", "["],
  ["comments that do not end", "<!--"],
  ["fences that do not end", "```\n~~~\n"],
  ["headings", "# a\n"],
  ["one section again and again", "## Stack\n- **Needs**: y — z\n"],
  ["one tree again and again", "## Tree\n```text\na/\n└── b\n```\n"],
  ["links to nothing", "[a](b/c.md) "],
  ["links out of the repository", "[a](../../../etc/passwd) "],
  ["definitions", "[a]: b/CLAUDE.md\n"],
  ["commands", "`shop open kyoto` "],
  ["choices", `\`shop ${"[a|b] ".repeat(40)}\` `],
  ["claims", "4 services "],
  ["lists of environments", "environments: a, staging, b. "],
  ["comments that silence", "<!--lint disable claude-md-tree-->\n\n"],
  ["regions that do not end", "<!--claude-md x-->\n\n"],
  ["marks", "TODO\n\n"],
  ["emoji, combining marks and half characters", "☁\u{FE0F}が\u{D800}\u{202E}\u{0}"],
  ["line ends of all kinds", "a\r\n\r\n\n\u{2028}\u{85}"],
  ["empty lines", "\n"],
])("a document of nothing but %s is checked in the end", (_, unit) => {
  const document = unit.repeat(many / unit.length);
  const all = found(document);
  expect(all.length).toBeGreaterThan(0);
  for (const { message } of all) expect(message.length).toBeLessThanOrEqual(1001);
});

test.each([
  ["quotations in quotations", ">".repeat(100_000)],
  ["emphasis in emphasis", "**a*".repeat(40_000)],
])("%s, which would take hours, are given up in time", (_, document) => {
  expect(parse(document, 1).unread).toBe("to parse it takes more than 1 seconds");
});

test("lists in lists are read", () => {
  const lists = Array.from({ length: 1_000 }, (_, depth) => `${" ".repeat(depth * 2)}- a`).join("\n");
  expect(found(lists).length).toBeGreaterThan(0);
});

test("a text that is too long is not parsed, whoever asks", () => {
  expect(parse("a\n".repeat(500_001)).unread).toBe("it has 1,000,002 characters, more than 1,000,000");
});
