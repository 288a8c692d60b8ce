import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { check } from "./check.ts";
import { openProject } from "./open.ts";
import { parentOf } from "./paths.ts";
import { type RuleName, rules } from "./rules.ts";
import { examplesIn, git, write } from "./testing.ts";

// Every example of every rule as a repository of its own, all in one folder: one run of remark-cli and one session
// of the language server see them all.
const names = Object.keys(rules) as RuleName[];
const here = import.meta.dirname;
const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-md-hosts-")));
const url = (path: string): string => pathToFileURL(path).href;
const examples = names.flatMap((name) =>
  examplesIn(readFileSync(join(here, "rules", `${name}.ts`), "utf8")).map(
    ({ name: title, world, config }, index) => {
      // Without a document in the root, nobody in remark answers for the directories that have none.
      const files: Record<string, string> = {
        "CLAUDE.md": "# CLAUDE.md\n",
        "template.md": "# {{path}}/CLAUDE.md\n",
        ".gitignore": `${(world.ignored ?? []).join("\n")}\n`,
        ...world.files,
        "claude-md.config.mjs":
          `import { exampleProvider } from ${JSON.stringify(url(join(here, "testing-facts.ts")))};
export default ${JSON.stringify({ templates: [{ files: ["**"], template: "template.md" }], ...config })};
`.replace(/\};\n$/, `, facts: [exampleProvider(${JSON.stringify(world.facts ?? {})})] };\n`),
      };
      return { title: `${name}: ${title}`, dir: `${name}-${index}`, files, untracked: world.untracked ?? [] };
    },
  ),
);

/** Each finding as every host can say it: path, range, severity, rule and message. */
type Report = string[];

const places = ({ files, dir }: (typeof examples)[number]): string[] =>
  Object.keys(files)
    .filter((path) => path === "CLAUDE.md" || path.endsWith("/CLAUDE.md"))
    .map((path) => join(folder, dir, path));

beforeAll(() => {
  write(folder, {
    ".remarkrc.mjs": `import remarkLint from "${import.meta.resolve("remark-lint")}";
import ours from "${url(join(here, "index.ts"))}";
export default { plugins: [remarkLint, ours] };
`,
  });
  for (const { dir, files, untracked } of examples) {
    const root = join(folder, dir);
    write(root, files);
    git(root, "init", "--quiet");
    git(root, "add", "--all");
    for (const path of untracked) git(root, "rm", "--quiet", "--cached", path);
    git(root, "commit", "--quiet", "--message", "files");
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function byCommand(dir: string): Promise<Report> {
  const project = await openProject(join(folder, dir));
  return check(project)
    .map(({ file, line, column, endLine, endColumn, severity, ruleId, message }) => {
      const place = project.documented(parentOf(file))
        ? `${file}:${line}:${column}-${endLine}:${endColumn}`
        : "";
      return `${place} ${severity} ${ruleId} ${message}`;
    })
    .sort();
}

describe("remark-cli says what `claude-md check` says:", () => {
  const reports = new Map<string, Report>();

  beforeAll(() => {
    const cli = join(here, "node_modules/remark-cli/cli.js");
    const reporter = fileURLToPath(import.meta.resolve("vfile-reporter-json"));
    const { stderr, status } = spawnSync(
      process.execPath,
      [cli, ".", "--no-stdout", "--quiet", "--report", reporter],
      { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 28 },
    );
    if (status !== 1) throw new Error(`remark-cli ended with ${status}: ${stderr}`);
    interface Message {
      reason: string;
      fatal: boolean;
      ruleId: string;
      place?: { start: { line: number; column: number }; end: { line: number; column: number } };
    }
    for (const { path, messages } of JSON.parse(stderr) as { path: string; messages: Message[] }[]) {
      const [dir = "", ...rest] = path.split("/");
      const report = reports.get(dir) ?? [];
      reports.set(dir, report);
      for (const { reason, fatal, ruleId, place } of messages) {
        const at = place
          ? `${rest.join("/")}:${place.start.line}:${place.start.column}-${place.end.line}:${place.end.column}`
          : "";
        report.push(`${at} ${fatal ? "error" : "warning"} ${ruleId} ${reason}`);
      }
    }
  });

  test.each(examples)("$title", async ({ dir }) => {
    expect((reports.get(dir) ?? []).sort()).toEqual(await byCommand(dir));
  });
});

interface Diagnostic {
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
  severity: number;
  code: string;
  message: string;
  data?: { expected?: string[] };
}

/** An editor: what it opened, and the last diagnostics of each document. */
class Editor {
  readonly #server: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #known = new Map<string, Diagnostic[]>();
  readonly #waiting = new Map<string, (found: Diagnostic[]) => void>();
  #version = 0;

  constructor(root: string) {
    const options = {
      configurationSection: "remark",
      ignoreName: ".remarkignore",
      packageField: "remarkConfig",
      pluginPrefix: "remark",
      processorName: "remark",
      processorSpecifier: "remark",
      rcName: ".remarkrc",
    };
    const code = `
      import { remark } from ${JSON.stringify(import.meta.resolve("remark"))};
      import { createUnifiedLanguageServer } from ${JSON.stringify(import.meta.resolve("unified-language-server"))};
      createUnifiedLanguageServer({ ...${JSON.stringify(options)}, defaultProcessor: remark });`;
    this.#server = spawn(
      process.execPath,
      ["--input-type=module", "--eval", code, "--", "server", "--stdio"],
      {
        cwd: root,
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const { stdin, stdout } = this.#server;
    if (!stdin || !stdout) throw new Error("the language server has no streams");
    this.#connection = createMessageConnection(
      new StreamMessageReader(stdout),
      new StreamMessageWriter(stdin),
    );
    this.#connection.onNotification(
      "textDocument/publishDiagnostics",
      ({ uri, diagnostics }: { uri: string; diagnostics: Diagnostic[] }) => {
        this.#known.set(uri, diagnostics);
        this.#waiting.get(uri)?.(diagnostics);
      },
    );
    this.#connection.listen();
  }

  async start(root: string): Promise<void> {
    const folders = [{ uri: url(root), name: "root" }];
    await this.#connection.sendRequest("initialize", {
      processId: process.pid,
      rootUri: url(root),
      capabilities: { workspace: { workspaceFolders: true } },
      workspaceFolders: folders,
    });
    await this.#connection.sendNotification("initialized", {});
  }

  #next(uri: string): Promise<Diagnostic[]> {
    return new Promise((resolve) => {
      this.#waiting.set(uri, resolve);
    });
  }

  async open(path: string, text: string): Promise<Diagnostic[]> {
    const uri = url(path);
    const found = this.#next(uri);
    const textDocument = { uri, languageId: "markdown", version: ++this.#version, text };
    await this.#connection.sendNotification("textDocument/didOpen", { textDocument });
    return found;
  }

  async change(path: string, text: string): Promise<Diagnostic[]> {
    const uri = url(path);
    const found = this.#next(uri);
    await this.#connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version: ++this.#version },
      contentChanges: [{ text }],
    });
    return found;
  }

  /** The quick fixes for a diagnostic: what they write, and where. */
  async actions(
    path: string,
    diagnostic: Diagnostic,
  ): Promise<{ range: Diagnostic["range"]; newText: string }[]> {
    const uri = url(path);
    const actions: {
      edit: { changes: Record<string, { range: Diagnostic["range"]; newText: string }[]> };
    }[] = await this.#connection.sendRequest("textDocument/codeAction", {
      textDocument: { uri },
      range: diagnostic.range,
      context: { diagnostics: [diagnostic] },
    });
    return actions.flatMap(({ edit }) => edit.changes[uri] ?? []);
  }

  async close(): Promise<void> {
    await this.#connection.sendRequest("shutdown");
    await this.#connection.sendNotification("exit");
    this.#connection.dispose();
  }
}

describe("an editor says what `claude-md check` says:", () => {
  let editor: Editor;

  beforeAll(async () => {
    editor = new Editor(folder);
    await editor.start(folder);
  });

  afterAll(() => editor.close());

  test.each(examples)("$title", async (example) => {
    const report: Report = [];
    for (const path of places(example))
      for (const { range, severity, code, message } of await editor.open(path, readFileSync(path, "utf8"))) {
        const { start, end } = range;
        const whole = start.line + start.character + end.line + end.character === 0;
        const at = `${path.slice(join(folder, example.dir).length + 1)}:${start.line + 1}:${start.character + 1}-${end.line + 1}:${end.character + 1}`;
        report.push(
          `${whole ? "" : at} ${severity === 1 ? "error" : "warning"} ${code} ${message.split("\n")[0]}`,
        );
      }
    // A finding at the first character and one about another file look alike to an editor.
    const expected = (await byCommand(example.dir)).map((line) => line.replace(/^\S+:1:1-1:1 /, " "));
    expect(report.sort()).toEqual(expected.sort());
  });

  test("what is typed is checked, not what is saved; a quick fix mends it", async () => {
    const root = join(folder, "presence-0");
    const path = join(root, "jobs/CLAUDE.md");
    const text = "# jobs/CLAUDE.md\n\n[up](../CLAUD.md) and [down](../jobs/)\n";
    const [other, found, ...others] = await editor.open(path, text);
    expect(others).toEqual([]);
    expect(other).toMatchObject({ code: "claude-md-related" });
    expect(found).toMatchObject({ code: "claude-md-links", severity: 1 });
    if (!found) return;
    const [edit] = await editor.actions(path, found);
    const lines = text.split("\n");
    const line = lines[edit?.range.start.line ?? 0] ?? "";
    const mended = lines.with(
      edit?.range.start.line ?? 0,
      line.slice(0, edit?.range.start.character) + edit?.newText + line.slice(edit?.range.end.character),
    );
    expect(mended.join("\n")).toBe(text.replace("CLAUD.md", "CLAUDE.md"));
    expect(await editor.change(path, mended.join("\n"))).toEqual([]);
  });

  test("a document with a thousand findings does not hang it", async () => {
    const path = join(folder, "presence-0/jobs/CLAUDE.md");
    const links = "[x](nowhere.md)\n".repeat(1000);
    const found = await editor.open(path, `# jobs/CLAUDE.md\n\n[up](..)\n${links}`);
    expect(found).toHaveLength(21);
    expect(found.at(-1)?.message).toBe("… and 980 more");
    expect(await editor.change(path, "# jobs/CLAUDE.md\n\n[up](..)\n")).toEqual([]);
  });

  test("a configuration that is broken while editing is an error in the document, and mended without a restart", async () => {
    const root = join(folder, "presence-0");
    const config = join(root, "claude-md.config.mjs");
    const before = readFileSync(config, "utf8");
    const path = join(root, "CLAUDE.md");
    await editor.open(path, "");
    const until = async (wanted: (found: Diagnostic[]) => boolean): Promise<Diagnostic[]> => {
      for (;;) {
        const found = await editor.change(path, "# CLAUDE.md\n");
        if (wanted(found)) return found;
      }
    };
    writeFileSync(config, "export default { templates: [], nonsense: 1 };\n");
    const broken = await until((found) => found[0]?.code === "claude-md-set-up");
    expect(broken[0]?.message).toContain("`nonsense` is not a setting");
    writeFileSync(config, before);
    expect(await until((found) => found.length === 0)).toEqual([]);
  });
});
