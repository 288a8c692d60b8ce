import type { ResolvedConfig } from "./config.ts";
import { type DocFacts, parse, withoutMark } from "./extract.ts";
import { compareStrings } from "./finding.ts";
import { inside, nameOf, parentOf } from "./paths.ts";
import type { Template } from "./template.ts";

/** Where a project's files come from: git, or memory in tests. */
export interface Source {
  files: ReadonlyMap<string, { tracked: boolean }>;
  /** Directories whose content is another repository's. */
  submodules: ReadonlySet<string>;
  /** The file's text, undefined when it cannot be read. */
  read(path: string): string | undefined;
  /** True when git would never take this path. */
  ignored(path: string): boolean;
}

export interface Doc {
  /** The directory it is about. */
  dir: string;
  path: string;
  facts: DocFacts;
}

/** What exists and what the documents say: all that rules may ask. They never touch disk or git. */
export interface Project {
  config: ResolvedConfig;
  /** Directories that owe a document, in order; the root is the empty string. */
  dirs: readonly string[];
  /** Every file, in order. */
  files: readonly string[];
  kind(path: string): "file" | "directory" | "submodule" | undefined;
  /** Names in `dir`, sorted. */
  children(dir: string): readonly string[];
  /** Existing files and directories whose last segment is `name`. */
  named(name: string): readonly string[];
  tracked(path: string): boolean;
  ignored(path: string): boolean;
  /** The path as git spells it, when `path` differs from it in case only. */
  spelling(path: string): string | undefined;
  /** The path of the document that `dir` has or should have. */
  docPath(dir: string): string;
  documented(dir: string): boolean;
  /** The document of `dir`; one that cannot be read counts as empty. */
  doc(dir: string): Doc | undefined;
  /** The facts of any Markdown file. */
  markdown(path: string): DocFacts | undefined;
  template(dir: string): Template;
}

/** Builds the index over `source`. Documents are read and parsed when a rule first asks for them. */
export function createProject(source: Source, config: ResolvedConfig): Project {
  const files = new Map<string, { original: string; tracked: boolean }>();
  const children = new Map<string, Set<string>>([["", new Set()]]);
  const submodules = new Set<string>();
  const add = (path: string): void => {
    for (let at = path; at !== ""; at = parentOf(at)) {
      const parent = parentOf(at);
      const known = children.get(parent);
      if (known?.has(nameOf(at))) return;
      if (known) known.add(nameOf(at));
      else children.set(parent, new Set([nameOf(at)]));
    }
  };
  for (const [original, { tracked }] of source.files) {
    // macOS may hand out decomposed names: compare in one form, read with the original.
    const path = original.normalize("NFC");
    files.set(path, { original, tracked });
    add(path);
  }
  for (const path of source.submodules) {
    submodules.add(path.normalize("NFC"));
    add(path.normalize("NFC"));
  }

  const sorted = new Map<string, readonly string[]>();
  const parsed = new Map<string, DocFacts | undefined>();
  let byName: Map<string, string[]> | undefined;
  let folded: Map<string, string> | undefined;

  const markdown = (path: string): DocFacts | undefined => {
    if (!parsed.has(path)) {
      const file = files.get(path);
      const text = file && source.read(file.original);
      parsed.set(path, text === undefined ? undefined : parse(withoutMark(text)));
    }
    return parsed.get(path);
  };

  return {
    config,
    dirs: [...children.keys()].filter((dir) => !config.excluded(dir)).sort(compareStrings),
    files: [...files.keys()].sort(compareStrings),
    kind: (path) => {
      if (files.has(path)) return "file";
      if (submodules.has(path)) return "submodule";
      return children.has(path) ? "directory" : undefined;
    },
    children: (dir) => {
      let names = sorted.get(dir);
      if (!names) sorted.set(dir, (names = [...(children.get(dir) ?? [])].sort(compareStrings)));
      return names;
    },
    named: (name) => {
      byName ??= Map.groupBy([...files.keys(), ...children.keys()], nameOf);
      return byName.get(name) ?? [];
    },
    tracked: (path) => files.get(path)?.tracked ?? true,
    ignored: (path) => source.ignored(path),
    spelling: (path) => {
      if (!folded) {
        folded = new Map();
        for (const known of [...files.keys(), ...children.keys()]) folded.set(known.toLowerCase(), known);
      }
      return folded.get(path.toLowerCase());
    },
    docPath: (dir) => inside(dir, config.file),
    documented: (dir) => files.has(inside(dir, config.file)),
    doc: (dir) => {
      const path = inside(dir, config.file);
      return files.has(path) ? { dir, path, facts: markdown(path) ?? parse("") } : undefined;
    },
    markdown,
    template: (dir) => config.template(dir),
  };
}
