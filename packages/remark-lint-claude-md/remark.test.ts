import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { remark } from "remark";
import remarkGfm from "remark-gfm";
import { describe, expect, test } from "vitest";
import { VFile } from "vfile";
import { check } from "./check.ts";
import { parentOf } from "./paths.ts";
import type { Project } from "./project.ts";
import { lint } from "./remark.ts";
import { type RuleName, rules } from "./rules.ts";
import { type Example, examplesIn, project, repository } from "./testing.ts";

const names = Object.keys(rules) as RuleName[];
const examples = names.flatMap((name) =>
  examplesIn(readFileSync(new URL(`rules/${name}.ts`, import.meta.url), "utf8")).map(
    (example): [string, Example] => [`${name}: ${example.name}`, example],
  ),
);

/** Everything remark says about the documents of `project`, without the places of missing ones. */
function byRemark(world: Example["world"], known: Project, gfm: boolean): string[] {
  return known.dirs
    .filter((dir) => known.documented(dir))
    .flatMap((dir) => {
      const path = known.docPath(dir);
      const file = new VFile({ path, value: world.files[path] ?? "" });
      const processor = gfm ? remark().use(remarkGfm) : remark();
      lint(processor.parse(file), file, path, known);
      return file.messages.map((message) => {
        const place = message.place && "start" in message.place ? message.place : undefined;
        const position = place
          ? `${path}:${place.start.line}:${place.start.column}-${place.end.line}:${place.end.column}`
          : "";
        return `${position} ${message.fatal ? "error" : "warning"} ${message.ruleId} ${message.reason}`;
      });
    });
}

function byCheck(known: Project): string[] {
  return check(known).map((finding) => {
    const { file, line, column, endLine, endColumn } = finding;
    const position = known.documented(parentOf(file))
      ? `${file}:${line}:${column}-${endLine}:${endColumn}`
      : "";
    return `${position} ${finding.severity} ${finding.ruleId} ${finding.message}`;
  });
}

describe("remark says what `claude-md check` says", () => {
  test.each(examples)("%s", (_, { world, config }) => {
    // Without a document in the root, nobody in remark answers for the directories that have none.
    const rooted = { ...world, files: { "CLAUDE.md": "# CLAUDE.md\n", ...world.files } };
    const known = project(rooted, config);
    const expected = byCheck(known).sort();
    expect(byRemark(rooted, known, false).sort()).toEqual(expected);
    expect(byRemark(rooted, known, true).sort()).toEqual(expected);
  });
});

test("the nearest documented ancestor answers for a directory without a document, once", () => {
  const world = {
    files: {
      "CLAUDE.md": "# CLAUDE.md\n",
      "jobs/CLAUDE.md": "# jobs/CLAUDE.md\n[up](..)\n",
      "jobs/a/b/c.ts": "",
      "docs/x": "",
    },
  };
  const messages = byRemark(world, project(world), false).map((line) => /`(\S+)` without/.exec(line)?.[1]);
  expect(messages).toEqual(["docs", "jobs/a", "jobs/a/b"]);
});

test("a file that is no document is left alone", () => {
  const world = { files: { "README.md": "[x](nowhere)\n" } };
  const file = new VFile({ path: "README.md", value: "[x](nowhere)\n" });
  lint(remark().parse(file), file, "README.md", project(world));
  expect(file.messages).toEqual([]);
});

test("a large report is cut, so that editors survive it", () => {
  const text = `# CLAUDE.md\n\n${"[x](nowhere) ".repeat(500)}\n`;
  const world = { files: { "CLAUDE.md": text } };
  const file = new VFile({ path: "CLAUDE.md", value: text });
  lint(remark().parse(file), file, "CLAUDE.md", project(world));
  expect(file.messages).toHaveLength(21);
  expect(file.messages.at(-1)).toMatchObject({ reason: "… and 480 more", fatal: true });
});

describe("the preset under remark-cli", () => {
  const preset = fileURLToPath(new URL("preset.ts", import.meta.url));
  const cli = fileURLToPath(new URL("../../node_modules/remark-cli/cli.js", import.meta.url));
  const run = (root: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, ".", "--no-stdout", "--no-color", ...args], {
      cwd: root,
      encoding: "utf8",
    });
    return { code: status, lines: stderr.split("\n").map((line) => line.trim().replaceAll(/ +/g, " ")) };
  };
  const files = {
    ".remarkrc.mjs": `export default { plugins: [${JSON.stringify(preset)}] };\n`,
    "claude-md.config.mjs":
      'export default { templates: [{ files: ["**"], template: "docs/template.md" }] };\n',
    "docs/template.md": "# {{path}}/CLAUDE.md\n",
    "docs/CLAUDE.md": "# docs/CLAUDE.md\n\n[up](../CLAUDE.md)\n",
    "CLAUDE.md": "# CLAUDE.md\n",
  };

  test("a clean repository passes", () => {
    expect(
      run(repository(files), "--frail", "--quiet", "--ignore-pattern", "docs/template.md"),
    ).toMatchObject({ code: 0 });
  });

  test("our findings, remark-lint's and those about links stand side by side", () => {
    const { code, lines } = run(repository({ ...files, "CLAUDE.md": "# Root\n\n-  [x](nowhere)\n" }));
    expect(code).toBe(1);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^1:1-1:7 error Unexpected title `Root`.* claude-md-title remark-lint$/),
        expect.stringMatching(/^3:.* warning .* list-item-indent remark-lint$/),
        expect.stringMatching(/^3:4-3:16 warning .* missing-file remark-validate-links:missing-file$/),
        expect.stringMatching(/^3:4-3:16 error .* claude-md-links remark-lint$/),
      ]),
    );
  });

  test("remark-lint's comments silence a rule here, too", () => {
    const text = "<!--lint disable claude-md-title-->\n\n# Root\n";
    expect(run(repository({ ...files, "CLAUDE.md": text }))).toMatchObject({ code: 0 });
  });

  test("a broken configuration is one error that says so", () => {
    const { code, lines } = run(
      repository({ ...files, "claude-md.config.mjs": "export default { templats: [] }\n" }),
    );
    expect(code).toBe(1);
    expect(lines.join("\n")).toContain("`templats` is not a setting (did you mean `templates`?)");
  });
});
