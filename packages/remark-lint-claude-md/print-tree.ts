import type { Fence } from "./extract.ts";
import type { Fix } from "./finding.ts";
import { compareStrings } from "./finding.ts";
import { inside, resolveFrom } from "./paths.ts";
import type { Doc, Project } from "./project.ts";
import { lineEnding } from "./regions.ts";
import { type Entry, globMatcher, isGlob, type Tree } from "./tree.ts";

/** An entry to print: its name with the slash of a directory, and everything after it as it was written. */
interface Node {
  name: string;
  rest: string;
  children: Node[];
}

/** The lines below a tree's root. */
function printTree(nodes: readonly Node[], indent = ""): string[] {
  return nodes.flatMap(({ name, rest, children }, index) => {
    const last = index === nodes.length - 1;
    return [
      `${indent}${last ? "└── " : "├── "}${name}${rest}`,
      ...printTree(children, `${indent}${last ? "    " : "│   "}`),
    ];
  });
}

/** The children of `dir` that a tree shows, without comments. */
function childrenOf(dir: string, project: Project): Node[] {
  return wanted(dir, project).map((name) => ({ name: labelled(dir, name, project), rest: "", children: [] }));
}

/** A new tree of `dir`. */
export function newTree(dir: string, project: Project): string {
  return [rootLabel(dir), ...printTree(childrenOf(dir, project))].join("\n");
}

/** How a tree of `dir` begins. */
export function rootLabel(dir: string): string {
  return dir === "" ? "./" : `${dir}/`;
}

function wanted(dir: string, project: Project): string[] {
  return project
    .children(dir)
    .filter((name) => name !== project.config.file && !name.startsWith("."))
    .toSorted(
      (a, b) =>
        Number(project.kind(inside(dir, a)) === "file") - Number(project.kind(inside(dir, b)) === "file") ||
        compareStrings(a, b),
    );
}

function labelled(dir: string, name: string, project: Project): string {
  return project.kind(inside(dir, name)) === "file" ? name : `${name}/`;
}

/**
 * The edit that makes a tree true: what is gone is left out, what is missing stands last, comments stay with their
 * names. Undefined when the block's lines cannot be told from its surroundings.
 *
 * @param options.complete asks for all children of directories that show one.
 */
export function treeFix(
  fence: Fence,
  tree: Tree,
  dir: string,
  doc: Doc,
  project: Project,
  options: { globs: "open" | "cover"; ellipsis: "open" | "error" },
): Fix | undefined {
  const lines = fence.value.split("\n");
  const start = doc.lineStarts[fence.line];
  const lastStart = doc.lineStarts[fence.line + lines.length - 1];
  if (start === undefined || lastStart === undefined || fence.value === "") return undefined;
  const [first = ""] = lines;
  const at = doc.text.indexOf(first, start);
  const prefix = doc.text.slice(start, at);
  if (at === -1 || /[^\s>]/.test(prefix)) return undefined;
  const end = doc.text.indexOf(lines.at(-1) ?? "", lastStart) + (lines.at(-1) ?? "").length;
  const restOf = (entry: Entry): string => {
    const line = (lines[entry.line] ?? "").trimEnd();
    const written = entry.name.length + (entry.directory && entry.name !== "/" ? 1 : 0);
    return line.slice(entry.column + written);
  };

  const repair = (entries: Entry[], parent: string): Node[] => {
    const shown = new Set<string>();
    const open = entries.some(
      (entry) =>
        (entry.ellipsis && options.ellipsis === "open") || (isGlob(entry.name) && options.globs === "open"),
    );
    const names = wanted(parent, project);
    const missing = new Set(names);
    for (const entry of entries) {
      const path = resolveFrom(parent, entry.name.normalize("NFC"));
      if (path !== undefined && project.kind(path) !== undefined)
        missing.delete(path.slice(parent === "" ? 0 : parent.length + 1).split("/")[0] ?? "");
      else if (isGlob(entry.name))
        names.filter(globMatcher(entry.name)).forEach((name) => missing.delete(name));
    }
    const nodes = entries.flatMap((entry): Node[] => {
      if (entry.ellipsis)
        return options.ellipsis === "open" ? [{ name: entry.name, rest: restOf(entry), children: [] }] : [];
      const path = resolveFrom(parent, entry.name.normalize("NFC"));
      const kind = path === undefined || path === parent ? undefined : project.kind(path);
      if (path !== undefined && kind !== undefined) {
        if (shown.has(path)) return [];
        shown.add(path);
        const slash = kind !== "file" && (entry.directory || entry.children.length > 0) ? "/" : "";
        return [
          {
            name: `${entry.name}${slash}`,
            rest: restOf(entry),
            children: kind === "file" ? [] : entry.children.length > 0 ? repair(entry.children, path) : [],
          },
        ];
      }
      if (isGlob(entry.name)) {
        const matches = names.some(globMatcher(entry.name.normalize("NFC")));
        return matches
          ? [{ name: `${entry.name}${entry.directory ? "/" : ""}`, rest: restOf(entry), children: [] }]
          : [];
      }
      const renamed = renameOf(entry, [...missing], parent, project);
      if (renamed === undefined) return [];
      missing.delete(renamed);
      return [
        {
          name: labelled(parent, renamed, project),
          rest: restOf(entry),
          children: entry.children.length > 0 ? repair(entry.children, inside(parent, renamed)) : [],
        },
      ];
    });
    const added = open ? [] : names.filter((name) => missing.has(name));
    return [
      ...nodes,
      ...added.map((name): Node => ({ name: labelled(parent, name, project), rest: "", children: [] })),
    ];
  };

  const own = tree.root?.name;
  const names = own !== undefined && (own === "." || dir === own || dir.endsWith(`/${own}`));
  const root = names ? first.trimEnd() : `${rootLabel(dir)}${tree.root ? restOf(tree.root) : ""}`;
  const repaired = [root, ...printTree(repair(tree.entries, dir))];
  const text = repaired.map((line, index) => (index === 0 ? line : prefix + line)).join(lineEnding(doc.text));
  return { grade: "S", edits: [[at, end, text]] };
}

/** The one missing child that an entry must have become: the same name in another case, or with another ending. */
function renameOf(entry: Entry, missing: string[], parent: string, project: Project): string | undefined {
  const stem = (name: string): string => name.replace(/(?<=.)\.[^.]*$/, "").toLowerCase();
  const kind = entry.directory || entry.children.length > 0 ? "directory" : "file";
  const twins = missing.filter(
    (name) =>
      stem(name) === stem(entry.name) &&
      (project.kind(inside(parent, name)) === "file") === (kind === "file"),
  );
  return twins.length === 1 ? twins[0] : undefined;
}
