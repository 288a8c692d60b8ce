import { hash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DocFacts, parse } from "./extract.ts";
import { pack, unpack } from "./pack.ts";
import type { FactsOf } from "./project.ts";

/** Remembers what documents say, never what is wrong with them: findings depend on other files. */
export interface Cache {
  factsOf: FactsOf;
  /**
   * Writes what was learnt.
   *
   * @param whole every document was asked for: what was not is forgotten.
   */
  save(whole: boolean): void;
}

/** Everything but a document's text that decides its facts. */
function key(): string {
  const parser = fileURLToPath(import.meta.resolve("mdast-util-from-markdown"));
  const micromark = createRequire(parser).resolve("micromark");
  const sources = [import.meta.url, import.meta.resolve("./extract.ts"), import.meta.resolve("./pack.ts")];
  const own = sources.map((url) => fileURLToPath(url)).filter((path) => existsSync(path));
  return hash(
    "sha1",
    [...[parser, micromark].map(manifestOf), ...own.map((path) => readFileSync(path, "utf8"))].join("\0"),
  );
}

/** The package.json of the package that `file` belongs to: its version is in it. */
function manifestOf(file: string): string {
  for (let dir = dirname(file); dir !== dirname(dir); dir = dirname(dir)) {
    const path = join(dir, "package.json");
    if (existsSync(path)) return readFileSync(path, "utf8");
  }
  return "";
}

/** Where the cache of the repository at `root` lies; undefined when no folder is ours alone. */
function folderOf(root: string): string | undefined {
  const modules = join(root, "node_modules");
  if (existsSync(modules)) return join(modules, ".cache", "claude-md");
  const uid = process.getuid?.();
  const shared = join(tmpdir(), `claude-md-${uid ?? "cache"}`);
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  const found = lstatSync(shared);
  // In a folder for everybody, somebody else may have been here first.
  if (!found.isDirectory() || (uid !== undefined && (found.uid !== uid || (found.mode & 0o022) !== 0)))
    return undefined;
  return join(shared, hash("sha1", root));
}

/**
 * Opens the cache of the repository at `root`. One that cannot be read, is cut off or was written by another version
 * is an empty one, never an error. Without `root` it lives in memory.
 */
export function openCache(root?: string): Cache {
  const known = new Map<string, string>();
  const failed = new Map<string, DocFacts>();
  const used = new Set<string>();
  let changed = false;
  let file: string | undefined;
  try {
    const folder = root === undefined ? undefined : folderOf(root);
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      file = join(folder, `${key()}.json`);
      for (const [digest, record] of read(file)) known.set(digest, record);
    }
  } catch {
    // No cache, then.
  }
  return {
    factsOf: (text) => {
      const digest = hash("sha1", text);
      used.add(digest);
      const record = known.get(digest);
      const found = record === undefined ? undefined : unpack(record);
      if (found) return found;
      const facts = failed.get(digest) ?? parse(text);
      if (facts.unread !== undefined) {
        // Not written to the file: another run may have the time.
        failed.set(digest, facts);
        return facts;
      }
      // Kept as one string: ten thousand trees of small objects would cost the collector more than reading them again.
      known.set(digest, pack(facts));
      changed = true;
      return facts;
    },
    save: (whole) => {
      if (file === undefined || !(changed || (whole && used.size < known.size))) return;
      if (whole) for (const digest of known.keys()) if (!used.has(digest)) known.delete(digest);
      write(file, known);
      changed = false;
    },
  };
}

/** The records of a cache file by digest: its first line is the digest of the rest, then one record in each. */
function* read(file: string): Iterable<[digest: string, record: string]> {
  const text = readFileSync(file, "utf8");
  const body = text.slice(41);
  if (hash("sha1", body) !== text.slice(0, 40)) return;
  for (let at = 0; at < body.length;) {
    const end = body.indexOf("\n", at);
    yield [body.slice(at, at + 40), body.slice(at + 40, end)];
    at = end + 1;
  }
}

function write(file: string, known: Map<string, string>): void {
  const body = [...known].map(([digest, record]) => `${digest}${record}\n`).join("");
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, `${hash("sha1", body)}\n${body}`);
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
