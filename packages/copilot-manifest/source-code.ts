import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve, sep } from "node:path";
import type { ParseResult } from "oxc-parser";
import { displayPath } from "./problem.ts";
import type { Position } from "./types.ts";

/** A variable that the code names, and where. */
export interface CodeKey {
  name: string;
  /** It has a default or may be absent. */
  optional: boolean;
  at: Position;
}

/** What one entry module and everything that it imports from the repository say. */
export interface CodeUse {
  entry: string;
  /** The keys of the first argument of the call by which it reads its environment. */
  keys: CodeKey[];
  /** How many such calls there are. */
  calls: number;
  /** Read as `process.env.NAME`, anywhere. */
  direct: Set<string>;
  /** Parts of the argument that cannot be followed. */
  unread: Position[];
  /**
   * Whether a text or template of the code can make this path, its blanks filled by nothing or by one of `values`.
   * With `routed`, a package's text counts only as a call's argument or in a comparison, as in `app.get("/health", …)`:
   * it may be the contract of another service.
   */
  writes(path: string, values: string[], routed: boolean): boolean;
  /** Whether the code names this, in the workload or in what it imports. */
  names(identifier: string): boolean;
}

/** An ESTree node, as far as it is looked at here. */
type Tree = { type: string; start: number; end: number; [key: string]: unknown };

interface Module {
  file: string;
  text: string;
  parsed: ParseResult;
}

/**
 * Reads TypeScript and JavaScript without running it: follows the static imports of an entry through files of the
 * repository, not into node_modules (workspace packages are linked from there, and are followed).
 */
export class SourceCode {
  readonly #root: string;
  readonly #call: string;
  readonly #modules = new Map<string, Module | undefined>();
  readonly #resolved = new Map<string, string | undefined>();
  readonly #uses = new Map<string, CodeUse>();
  // The parser is a native module of 60 ms: loaded only by workspaces that ask for it.
  readonly #parse = (createRequire(import.meta.url)("oxc-parser") as typeof import("oxc-parser")).parseSync;

  /** @param call the name of the function whose first argument's keys are the variables */
  constructor(root: string, call: string) {
    this.#root = root;
    this.#call = call;
  }

  /** @param entry relative to the root */
  use(entry: string): CodeUse {
    const known = this.#uses.get(entry);
    if (known) return known;
    const use = this.#read(entry);
    this.#uses.set(entry, use);
    return use;
  }

  #read(entry: string): CodeUse {
    const start = realpathSync(join(this.#root, entry));
    const modules = this.#reachable(start);
    const use: CodeUse = {
      entry,
      keys: [],
      calls: 0,
      direct: new Set(modules.flatMap(directReads)),
      unread: [],
      names: (identifier) => modules.some(({ text }) => new RegExp(`\\b${identifier}\\b`).test(text)),
      writes: (path, values, routed) =>
        modules.some((module) => {
          return canWrite(module, path, values, routed && !module.file.startsWith(dirname(start) + sep));
        }),
    };
    // The call stands in the workload's own folder; a package may define it, and may show it in an example.
    const folder = dirname(start) + sep;
    for (const module of modules.filter(({ file }) => file.startsWith(folder))) {
      if (!module.text.includes(`${this.#call}(`)) continue;
      for (const node of trees(module.parsed.program as unknown as Tree)) {
        const callee = node["callee"] as Tree | undefined;
        if (node.type !== "CallExpression" || callee?.type !== "Identifier" || callee["name"] !== this.#call)
          continue;
        use.calls += 1;
        const [argument] = node["arguments"] as Tree[];
        if (argument) this.#keys(argument, module, use);
        else use.unread.push(this.#place(module, node));
      }
    }
    return use;
  }

  #reachable(start: string): Module[] {
    const found = new Map<string, Module>();
    const open = [start];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (found.has(file)) continue;
      const module = this.#module(file);
      if (!module) continue;
      found.set(file, module);
      for (const request of requestsOf(module)) {
        const next = this.#resolve(file, request);
        if (next) open.push(next);
      }
    }
    return [...found.values()];
  }

  #module(file: string): Module | undefined {
    if (!this.#modules.has(file)) {
      const text = readFileSync(file, "utf8");
      const parsed = this.#parse(file, text);
      this.#modules.set(file, { file, text, parsed });
    }
    return this.#modules.get(file);
  }

  /** A file of the repository; undefined for built-in modules, for what is installed, and for what is not code. */
  #resolve(from: string, request: string): string | undefined {
    const relative = request.startsWith(".");
    const key = relative ? resolve(dirname(from), request) : `${dirname(from)}\0${request}`;
    if (!this.#resolved.has(key)) {
      const path = relative ? moduleFile(key) : packageFile(from, request);
      this.#resolved.set(key, path && isOwn(path) ? path : undefined);
    }
    return this.#resolved.get(key);
  }

  #place({ file, text }: Module, { start }: { start: number }): Position {
    const before = text.slice(0, start);
    const line = before.split("\n").length;
    return {
      file: displayPath(realpathSync(this.#root), file),
      line,
      column: start - before.lastIndexOf("\n"),
    };
  }

  /** The keys of an object, through spreads, constants and imports. */
  #keys(written: Tree, module: Module, use: CodeUse, depth = 0): void {
    const node = bare(written);
    if (node.type === "Identifier" && depth < 10) {
      const target = this.#definition(module, String(node["name"]));
      if (target) return this.#keys(target.node, target.module, use, depth + 1);
    }
    if (node.type !== "ObjectExpression") {
      use.unread.push(this.#place(module, node));
      return;
    }
    for (const property of node["properties"] as Tree[]) {
      const key = property["key"] as Tree | undefined;
      if (property.type === "SpreadElement") this.#keys(property["argument"] as Tree, module, use, depth);
      else if (!key || property["computed"] === true) use.unread.push(this.#place(module, property));
      else {
        const name = String(key["name"] ?? key["value"]);
        const optional = this.#isOptional(property["value"] as Tree, module);
        use.keys.push({ name, optional, at: this.#place(module, property) });
      }
    }
  }

  /** `z.string().optional()`, `.default(1)`, and what is done to it afterwards. */
  #isOptional(written: Tree, module: Module, depth = 0): boolean {
    const node = bare(written);
    if (node.type === "Identifier" && depth < 10) {
      const target = this.#definition(module, String(node["name"]));
      return target ? this.#isOptional(target.node, target.module, depth + 1) : false;
    }
    const callee = node["callee"] as Tree | undefined;
    if (node.type !== "CallExpression" || callee?.type !== "MemberExpression") return false;
    const name = String((callee["property"] as Tree)["name"]);
    if (["optional", "nullish", "default", "prefault", "catch"].includes(name)) return true;
    return this.#isOptional(callee["object"] as Tree, module, depth);
  }

  /** The value of a constant of this module: its own, or imported. */
  #definition(module: Module, name: string): { node: Tree; module: Module } | undefined {
    for (const statement of module.parsed.program.body as unknown as Tree[]) {
      const declaration = (statement["declaration"] as Tree | null | undefined) ?? statement;
      if (declaration.type === "VariableDeclaration") {
        for (const { id, init } of declaration["declarations"] as { id: Tree; init: Tree | null }[])
          if (id["name"] === name && init) return { node: init, module };
      }
      if (statement.type !== "ImportDeclaration") continue;
      for (const { type, local, imported } of statement["specifiers"] as {
        type: string;
        local: Tree;
        imported?: Tree;
      }[]) {
        if (local["name"] !== name || type !== "ImportSpecifier") continue;
        const source = String((statement["source"] as Tree)["value"]);
        return this.#exported(module, source, String(imported?.["name"] ?? imported?.["value"]));
      }
    }
    return undefined;
  }

  #exported(
    from: Module,
    request: string,
    name: string,
    depth = 0,
  ): { node: Tree; module: Module } | undefined {
    const file = this.#resolve(from.file, request);
    const module = file === undefined || depth > 10 ? undefined : this.#module(file);
    if (!module) return undefined;
    for (const statement of module.parsed.program.body as unknown as Tree[]) {
      const source = (statement["source"] as Tree | null | undefined)?.["value"];
      if (statement.type === "ExportNamedDeclaration") {
        for (const { local, exported } of statement["specifiers"] as { local: Tree; exported: Tree }[]) {
          if ((exported["name"] ?? exported["value"]) !== name) continue;
          const inner = String(local["name"] ?? local["value"]);
          return typeof source === "string"
            ? this.#exported(module, source, inner, depth + 1)
            : this.#definition(module, inner);
        }
      }
      if (statement.type === "ExportAllDeclaration" && typeof source === "string") {
        const found = this.#exported(module, source, name, depth + 1);
        if (found) return found;
      }
    }
    return this.#definition(module, name);
  }
}

/** `x as const`, `x satisfies Y`, `(x)`. */
function bare(node: Tree): Tree {
  const wraps = ["TSAsExpression", "TSSatisfiesExpression", "ParenthesizedExpression", "TSNonNullExpression"];
  return wraps.includes(node.type) ? bare(node["expression"] as Tree) : node;
}

/** The modules that are loaded when this one is: imports of types alone are not. */
function requestsOf({ parsed }: Module): string[] {
  const { staticImports, staticExports } = parsed.module;
  const imports = staticImports
    .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
    .map(({ moduleRequest }) => moduleRequest.value);
  const exports = staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) => (moduleRequest && !isType ? [moduleRequest.value] : [])),
  );
  return [...imports, ...exports];
}

function* trees(node: Tree): Generator<Tree> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child === "object" && child !== null && typeof (child as Tree).type === "string")
        yield* trees(child as Tree);
  }
}

function directReads({ text, parsed }: Module): string[] {
  if (!text.includes("process.env")) return [];
  let code = text;
  for (const { start, end } of parsed.comments)
    code = code.slice(0, start) + " ".repeat(end - start) + code.slice(end);
  const members = [...code.matchAll(/process\.env(?:\?)?(?:\.(\w+)|\[\s*["'`](\w+)["'`]\s*\])/g)];
  const pieces = [...code.matchAll(/\{([^{}]*)\}\s*=\s*process\.env\b/g)];
  return [
    ...members.map(([, member, text]) => member ?? text ?? ""),
    ...pieces.flatMap(([, names = ""]) =>
      [...names.matchAll(/(?:^|,)\s*(\w+)/g)].map(([, name = ""]) => name),
    ),
  ];
}

function canWrite({ text, parsed }: Module, path: string, values: string[], routed: boolean): boolean {
  if (!text.includes(path.slice(path.lastIndexOf("/")))) return false;
  for (const parent of trees(parsed.program as unknown as Tree)) {
    const children = routed ? routesOf(parent) : Object.values(parent).flat();
    for (const child of children as (Tree | null)[])
      if (typeof child?.type === "string" && makes(child, path, values)) return true;
  }
  return false;
}

/** What may be a path that is served: an argument of a call that is no request, a side of a comparison. */
function routesOf(node: Tree): Tree[] {
  if (node.type === "CallExpression") {
    const callee = node["callee"] as Tree;
    return callee.type === "Identifier" && callee["name"] === "fetch" ? [] : (node["arguments"] as Tree[]);
  }
  if (node.type === "BinaryExpression") return [node["left"] as Tree, node["right"] as Tree];
  return node.type === "SwitchCase" && node["test"] ? [node["test"] as Tree] : [];
}

function makes(node: Tree, path: string, values: string[]): boolean {
  // A router may be mounted below a base path.
  if (node.type === "Literal")
    return ["", ...values].some((value) => path === `${value}${String(node["value"])}`);
  if (node.type !== "TemplateLiteral") return false;
  const parts = (node["quasis"] as { value: { cooked: string } }[]).map(({ value }) => value.cooked);
  return fills(parts, path, values);
}

/** Whether the parts of a template with these values between them make the text. */
function fills([first = "", ...rest]: string[], text: string, values: string[]): boolean {
  if (!text.startsWith(first)) return false;
  const left = text.slice(first.length);
  if (rest.length === 0) return left === "";
  return ["", ...values].some(
    (value) => left.startsWith(value) && fills(rest, left.slice(value.length), values),
  );
}

function moduleFile(path: string): string | undefined {
  const stem = path.replace(/\.[cm]?jsx?$/, "");
  const endings = ["", ".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx", "/index.ts", "/index.js"];
  const found = [path, ...endings.flatMap((ending) => [path + ending, stem + ending])].find(
    (candidate) => /\.[cm]?[jt]sx?$/.test(candidate) && existsSync(candidate) && statSync(candidate).isFile(),
  );
  return found && realpathSync(found);
}

function packageFile(from: string, request: string): string | undefined {
  if (request.startsWith("node:")) return undefined;
  try {
    const path = createRequire(from).resolve(request);
    return /\.[cm]?[jt]sx?$/.test(path) && existsSync(path) ? realpathSync(path) : undefined;
  } catch {
    // Not installed, or for `import` alone: the latter is somebody else's package.
    return undefined;
  }
}

function isOwn(path: string): boolean {
  return !path.includes(`${sep}node_modules${sep}`);
}
