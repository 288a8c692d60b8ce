/** Paths here are relative to the repository, with `/`, without a leading `./`; the root is the empty string. */

/** The directory that holds `path`; of a top-level path the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

/** The last segment of `path`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `dir` and `name` as one path. */
export function inside(dir: string, name: string): string {
  return dir === "" ? name : `${dir}/${name}`;
}

/** True when `path` is `dir` or lies below it. */
export function isWithin(path: string, dir: string): boolean {
  return dir === "" || path === dir || path.startsWith(`${dir}/`);
}

/**
 * Resolves `relative` from the directory `dir`.
 *
 * @returns the path, or undefined when it leaves the repository.
 */
export function resolveFrom(dir: string, relative: string): string | undefined {
  const segments = dir === "" ? [] : dir.split("/");
  for (const segment of relative.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}

/** How a document in `dir` writes the path `target`. */
export function relativeTo(dir: string, target: string): string {
  const from = dir === "" ? [] : dir.split("/");
  const to = target === "" ? [] : target.split("/");
  let shared = 0;
  while (shared < from.length && shared < to.length && from[shared] === to[shared]) shared++;
  const up = "../".repeat(from.length - shared);
  const path = to.slice(shared).join("/");
  return up === "" ? `./${path}` : `${up}${path}`;
}
