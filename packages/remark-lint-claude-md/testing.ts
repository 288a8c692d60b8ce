import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import { onTestFinished } from "vitest";
import { openCache } from "./cache.ts";
import { type Config, resolveConfig } from "./config.ts";
import { commentIn } from "./documentation.ts";
import { type ExampleFacts, exampleProvider } from "./testing-facts.ts";
import type { Finding } from "./finding.ts";
import { isWithin } from "./paths.ts";
import { createProject, type Project, type Source } from "./project.ts";

/** Files by path; the ones named `ignored` and `untracked` are what git would say of them. */
export interface World {
  files: Record<string, string>;
  ignored?: string[];
  untracked?: string[];
  facts?: ExampleFacts;
}

/** A source that lives in memory. */
function memory({ files, ignored = [], untracked = [] }: World): Source {
  return {
    files: new Map(Object.keys(files).map((path) => [path, { tracked: !untracked.includes(path) }])),
    submodules: new Set(),
    read: (path) => files[path],
    ignored: (paths) => new Set(paths.filter((path) => ignored.some((dir) => isWithin(path, dir)))),
  };
}

/** A project in memory: its one template is `template.md`, a title and nothing else unless `files` holds one. */
export function project(world: World, config: Partial<Config> = {}): Project {
  const templates = { "template.md": "# {{path}}/CLAUDE.md\n" };
  const resolved = resolveConfig(
    {
      templates: [{ files: ["**"], template: "template.md" }],
      ...(world.facts ? { facts: [exampleProvider(world.facts)] } : {}),
      ...config,
    },
    (path) => world.files[path] ?? (templates as Record<string, string>)[path],
  );
  return createProject(memory(world), resolved, openCache().factsOf);
}

/** One line per finding, as the examples of the rules write it. */
export function brief(finding: Finding): string {
  const { file, line, column, endLine, endColumn, severity, kind, message } = finding;
  return `${file}:${line}:${column}-${endLine}:${endColumn} ${severity} ${kind}: ${message}`;
}

/** An example out of a rule's doc comment. */
export interface Example {
  name: string;
  ok: boolean;
  world: World;
  config: Partial<Config>;
  reports: string[];
}

/**
 * Reads the examples of a rule's source file: in its doc comment a heading `ok: …` or `not ok: …`, then files
 * (a line with the path, a fence with the content) and what `Configuration:`, `Ignored:`, `Untracked:` and
 * `Reports:` say.
 */
export function examplesIn(source: string): Example[] {
  const comment = commentIn(source);
  const examples: Example[] = [];
  let example: Example | undefined;
  let subject = "";
  for (const node of fromMarkdown(comment).children) {
    if (node.type === "heading") {
      const [kind = "", name = ""] = toString(node).split(/: (.*)/s);
      example = { name, ok: kind === "ok", world: { files: {} }, config: {}, reports: [] };
      examples.push(example);
    } else if (node.type === "paragraph" && example) {
      const text = comment.slice(node.position?.start.offset, node.position?.end.offset);
      subject = text.split("\n").at(-1)?.replace(/:$/, "").replaceAll("`", "") ?? "";
      const lists = /^(Ignored|Untracked): (.*)$/m.exec(text);
      const paths = lists?.[2]?.split(", ").map((path) => path.replaceAll("`", ""));
      if (lists) example.world[lists[1] === "Ignored" ? "ignored" : "untracked"] = paths ?? [];
    } else if (node.type === "code" && example) {
      if (subject === "Configuration") example.config = JSON.parse(node.value) as Partial<Config>;
      else if (subject === "Facts") example.world.facts = JSON.parse(node.value) as ExampleFacts;
      else if (subject === "Reports") example.reports = node.value.split("\n");
      else example.world.files[subject] = node.value === "" ? "" : `${node.value}\n`;
    }
  }
  return examples;
}

/** Creates files below `root`. */
export function write(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Runs git in `root`, as nobody in particular and without the user's configuration. */
export function git(root: string, ...args: string[]): string {
  return execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.com",
    },
  });
}

/** A git repository in a temporary folder with these files committed; removed when the test is done. */
export function repository(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-md-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  git(root, "init", "--quiet");
  write(root, files);
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--allow-empty", "--message", "files");
  return root;
}
