import type { Files } from "copilot-manifest";

/** The files that git knows, read through the host; a link to a folder is followed, as Copilot follows it. */
export interface Tree extends Files {
  /** What may be read. */
  paths: readonly string[];
  /** Everything in the repository. */
  files: readonly string[];
  isFolder(path: string): boolean;
  /** The path as git knows it, behind the links on the way to it. */
  real(path: string): string;
}

/**
 * @param paths of the files that may be read, relative to the repository
 * @param all every file of the repository: they say which folders exist
 * @param read the text of one of them; of a link to a folder, the link's target, as git stores it.
 */
export function treeOf(
  paths: readonly string[],
  all: readonly string[],
  read: (path: string) => string,
): Tree {
  const files = new Set(paths);
  const folders = new Map<string, Set<string>>([["", new Set()]]);
  for (const path of all)
    for (let at = path; at !== ""; at = parentOf(at)) {
      const names = folders.get(parentOf(at)) ?? new Set();
      folders.set(parentOf(at), names.add(nameOf(at)));
    }
  const links = new Map<string, string>();
  for (const path of paths) {
    // A link to a file reads as that file; only one to a folder has no name with an ending.
    if (nameOf(path).includes(".") || folders.has(path)) continue;
    const target = read(path);
    if (target.length > 200 || /\s/.test(target)) continue;
    const folder = resolveFrom(parentOf(path), target);
    if (folder !== undefined && folders.has(folder)) links.set(path, folder);
  }
  const real = (path: string): string => {
    let known = path;
    for (let hops = 0; hops < 8; hops++) {
      const link = prefixesOf(known).find((prefix) => links.has(prefix));
      if (link === undefined) return known;
      known = (links.get(link) as string) + known.slice(link.length);
    }
    return known;
  };
  return {
    paths,
    files: all,
    real,
    isFolder: (path) => folders.has(real(path)),
    list: (folder) => {
      const names = folders.get(real(folder));
      return names && [...names].sort();
    },
    read: (path) => {
      const file = real(path);
      return files.has(file) ? read(file) : undefined;
    },
  };
}

/** The same files as seen from the folder `base`. */
export function below(base: string, tree: Tree): Files {
  if (base === "") return tree;
  return { list: (folder) => tree.list(inside(base, folder)), read: (file) => tree.read(inside(base, file)) };
}

function prefixesOf(path: string): string[] {
  const prefixes: string[] = [];
  for (let at = path; at !== ""; at = parentOf(at)) prefixes.push(at);
  return prefixes;
}

/** Paths are relative to the repository, with `/`; its root is the empty string. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function inside(dir: string, name: string): string {
  return dir === "" ? name : `${dir}/${name}`;
}

/** Undefined when `relative` leaves the repository. */
function resolveFrom(dir: string, relative: string): string | undefined {
  const segments = dir === "" ? [] : dir.split("/");
  for (const segment of relative.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}

/** How a document in `dir` links to the directory `target`. */
export function linkTo(dir: string, target: string): string {
  const from = dir === "" ? [] : dir.split("/");
  const to = target === "" ? [] : target.split("/");
  let shared = 0;
  while (shared < from.length && shared < to.length && from[shared] === to[shared]) shared++;
  const path = [...from.slice(shared).map(() => ".."), ...to.slice(shared)].join("/");
  return path === "" ? "./" : `${path}/`;
}

/** True when `path` is `dir` or lies below it. */
export function isWithin(path: string, dir: string): boolean {
  return dir === "" || path === dir || path.startsWith(`${dir}/`);
}
