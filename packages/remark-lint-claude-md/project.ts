import type { ResolvedConfig } from "./config.ts";
import { type DocFacts, lineStartsOf, unread, withoutMark } from "./extract.ts";
import { compareStrings } from "./finding.ts";
import { type KnownFacts, loadFacts, noFacts } from "./load-facts.ts";
import { inside, nameOf, parentOf } from "./paths.ts";
import { anchorsOf } from "./slug.ts";
import type { Template } from "./template.ts";

/** Where a project's files come from: git, or memory in tests. */
export interface Source {
  files: ReadonlyMap<string, { tracked: boolean }>;
  /** Directories whose content is another repository's. */
  submodules: ReadonlySet<string>;
  /** The file's text, undefined when it cannot be read. */
  read(path: string): string | undefined;
  /** Those of `paths` that git would never take. */
  ignored(paths: readonly string[]): ReadonlySet<string>;
}

export interface Doc {
  /** The directory it is about. */
  dir: string;
  path: string;
  /** Without byte order mark: what ranges count in. */
  text: string;
  facts: DocFacts;
  /** The offset of each line. */
  readonly lineStarts: readonly number[];
}

/** The document of `dir`, from its source with or without byte order mark. */
export function docOf(dir: string, path: string, source: string, factsOf: (text: string) => DocFacts): Doc {
  const whole = withoutMark(source);
  const facts = factsOf(whole);
  // Nobody looks into a text that is too long to be read.
  const text = facts.unread === undefined ? whole : "";
  let starts: number[] | undefined;
  return {
    dir,
    path,
    text,
    facts,
    get lineStarts() {
      return (starts ??= lineStartsOf(text));
    },
  };
}

const unreadable = (): DocFacts => unread("it cannot be opened");

/** What exists and what the documents say: all that rules may ask. They never touch disk or git. */
export interface Project {
  config: ResolvedConfig;
  /** Directories that owe a document, in order; the root is the empty string. */
  dirs: readonly string[];
  /** As `dirs`, with those that the configuration excludes. */
  allDirs: readonly string[];
  /** Every file, in order. */
  files: readonly string[];
  kind(path: string): "file" | "directory" | "submodule" | undefined;
  /** Names in `dir`, sorted. */
  children(dir: string): readonly string[];
  /** Existing files and directories whose last segment is `name`. */
  named(name: string): readonly string[];
  tracked(path: string): boolean;
  /** True when git would never take this path; false as long as `settle` has not asked git. */
  ignored(path: string): boolean;
  /** How many paths git is still to be asked about: an answer of `ignored` may have been wrong. */
  unsettled(): number;
  /** Asks git about all of them at once. */
  settle(): void;
  /** The path as git spells it, when `path` differs from it in case only. */
  spelling(path: string): string | undefined;
  /** The path of the document that `dir` has or should have. */
  docPath(dir: string): string;
  documented(dir: string): boolean;
  /** The document of `dir`; of one that cannot be read, its facts say so. */
  doc(dir: string): Doc | undefined;
  /** Every anchor of any Markdown file; undefined when it cannot be read. */
  anchors(path: string): ReadonlySet<string> | undefined;
  template(dir: string): Template;
  /** What providers know beyond Markdown. */
  facts: KnownFacts;
  /** The text of any file that git knows; undefined when it cannot be read. */
  read(path: string): string | undefined;
  /** The path as it is on the disk, which may be decomposed. */
  original(path: string): string;
}

/** Extracts the facts of a Markdown text without byte order mark. */
export type FactsOf = (text: string) => DocFacts;

/** Builds the index over `source`. Documents are read and parsed when a rule first asks for them. */
export function createProject(source: Source, config: ResolvedConfig, factsOf: FactsOf): Project {
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
  const anchors = new Map<string, ReadonlySet<string> | undefined>();
  const ignored = new Map<string, boolean>();
  const unsettled = new Set<string>();
  let byName: Map<string, string[]> | undefined;
  let folded: Map<string, string> | undefined;

  const read = (path: string): string | undefined => {
    const file = files.get(path);
    return file && source.read(file.original);
  };
  // The last document only: ten thousand of them would fill the memory.
  let last: Doc | undefined;

  const allDirs = [...children.keys()].sort(compareStrings);
  const project: Project = {
    config,
    dirs: allDirs.filter((dir) => !config.excluded(dir)),
    allDirs,
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
    ignored: (path) => {
      const answer = ignored.get(path);
      if (answer === undefined) unsettled.add(path);
      return answer ?? false;
    },
    unsettled: () => unsettled.size,
    settle: () => {
      if (unsettled.size === 0) return;
      const found = source.ignored([...unsettled]);
      for (const path of unsettled) ignored.set(path, found.has(path));
      unsettled.clear();
    },
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
      if (last?.path === path) return last;
      if (!files.has(path)) return undefined;
      const text = read(path);
      return (last = docOf(dir, path, text ?? "", text === undefined ? unreadable : factsOf));
    },
    anchors: (path) => {
      if (!anchors.has(path)) {
        const text = read(path);
        const facts = text === undefined ? undefined : factsOf(withoutMark(text));
        anchors.set(path, facts && facts.unread === undefined ? anchorsOf(facts) : undefined);
      }
      return anchors.get(path);
    },
    template: (dir) => config.template(dir),
    facts: noFacts,
    read,
    original: (path) => files.get(path)?.original ?? path,
  };
  project.facts = loadFacts(config.facts, project, read);
  return project;
}
