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
  // Most paths lead up some steps, then down.
  const up = /^(?:\.\.\/)*/.exec(relative)?.[0].length ?? 0;
  const rest = relative.slice(up);
  if (plain.test(rest)) {
    let from = dir;
    for (let step = 0; step < up; step += 3) {
      if (from === "") return undefined;
      from = parentOf(from);
    }
    return inside(from, rest);
  }
  const segments = dir === "" ? [] : dir.split("/");
  for (const segment of relative.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}

/** Names with a slash between them, none of which means another. */
const plain = /^(?!\.)[^/]+(?:\/(?!\.)[^/]+)*$/;

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
