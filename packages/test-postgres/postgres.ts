import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once as event } from "node:events";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Client, escapeIdentifier } from "pg";
import { give, install, once, run } from "./binaries.ts";
import type { Installation } from "./binaries.ts";

export type TestPostgres = {
  port: number;
  /** A connection string. `database` defaults to postgres, `user` to the superuser postgres; nobody has a password. */
  url(database?: string, user?: string): string;
  /** Creates a database with a name of its own and returns the name. Nobody may be connected to `template`. */
  createDatabase(template?: string): Promise<string>;
  /** Shuts the server down as a failover would: clients see 57P01 or a closed socket. The data stays. */
  pause(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  resume(): Promise<void>;
  /** Ends the server and deletes its data. */
  stop(): Promise<void>;
};

export type StartOptions = {
  /** true keeps fsync on, for figures; false (default) is several times faster and safe but for a power cut. */
  durable?: boolean;
  /** Server settings, e.g. `{ max_connections: "200" }`. */
  settings?: Record<string, string>;
};

/**
 * Starts a PostgreSQL server of its own on a free port of 127.0.0.1, for one test process: a real server, also as root,
 * in about 0.3 s once the first call on a machine has prepared an empty cluster in the temporary folder.
 *
 * The server ends with this process even if it is killed: a pipe to it closes then.
 */
export async function startPostgres({
  durable = false,
  settings = {},
}: StartOptions = {}): Promise<TestPostgres> {
  const installation = await install();
  const { home, as } = installation;
  await sweep(home);

  const template = join(home, "cluster");
  await once(template, (target) => initialise(installation, target));
  const folder = await mkdtemp(join(home, `run-${process.pid}-`));
  const data = join(folder, "data");
  // Not the asynchronous one: for a thousand small files it needs ten times as long.
  cpSync(template, data, { recursive: true, verbatimSymlinks: true });
  await chmod(data, 0o700);
  await chmod(folder, 0o755);
  await give(folder, as);

  const port = await freePort();
  const all = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    shared_buffers: "32MB",
    ...(durable ? {} : { fsync: "off", full_page_writes: "off" }),
    ...settings,
  };
  const args = ["-D", data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  const url = (database = "postgres", user = "postgres") =>
    `postgres://${user}@127.0.0.1:${port}/${database}`;

  let server = await launch(installation, args, url());
  let databases = 0;
  const rescue = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", rescue);

  return {
    port,
    url,
    async createDatabase(template = "template1") {
      const name = `test_${++databases}`;
      await query(url(), `create database ${name} template ${escapeIdentifier(template)}`);
      return name;
    },
    pause: () => end(server, data),
    async resume() {
      server = await launch(installation, args, url());
    },
    async stop() {
      await end(server, data);
      process.off("exit", rescue);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function initialise({ bin, as }: Installation, target: string): Promise<void> {
  const parent = join(target, "..");
  await give(parent, as);
  await run(
    join(bin, "initdb"),
    `-U postgres -A trust --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync --wal-segsize=1`
      .split(" ")
      .concat("-D", target),
    { ...as, cwd: parent },
  );
}

type Server = { shell: ChildProcess; gone: Promise<unknown> };

async function launch({ bin, home, as }: Installation, args: string[], url: string): Promise<Server> {
  // The shell waits for its standard input to end, which happens when this process dies in whatever way.
  const script = '"$0" "$@" >&2 & server=$!; cat > /dev/null; kill -INT $server 2> /dev/null; wait $server';
  const shell = spawn("/bin/sh", ["-c", script, join(bin, "postgres"), ...args], {
    ...as,
    cwd: home,
    // A Ctrl-C in the terminal is for the tests; they end the server themselves.
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  shell.stdin?.on("error", () => {});
  let output = "";
  shell.stderr?.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  const gone = event(shell, "close");

  const patience = Date.now() + 30_000;
  for (;;) {
    try {
      await query(url, "select 1");
      return { shell, gone };
    } catch (error) {
      const fatal = /FATAL:.*(lock file|could not|must not|invalid)/.test(output);
      if (fatal || Date.now() > patience) {
        shell.stdin?.end();
        await gone;
        throw new Error(`PostgreSQL did not start:\n${output}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function end({ shell, gone }: Server, data: string): Promise<void> {
  if (shell.exitCode !== null) return;
  shell.stdin?.end();
  const stuck = setTimeout(() => {
    // SIGINT lets sessions end; one that ignores it must not hang a test run.
    try {
      process.kill(Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]), "SIGQUIT");
    } catch {
      // No pid file any more: it is about to end by itself.
    }
  }, 5000);
  await gone;
  clearTimeout(stuck);
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await event(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await event(probe, "close");
  return port;
}

/** Removes what test processes left behind that were killed before they could. */
async function sweep(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = Number(/^run-(\d+)-/.exec(name)?.[1]);
    if (pid && !alive(pid)) await rm(join(home, name), { recursive: true, force: true });
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
