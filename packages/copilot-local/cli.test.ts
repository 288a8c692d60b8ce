import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startOf } from "./identity.ts";
import { freePort } from "./ports.ts";
import type { State } from "./state.ts";
import { eventually, files, json, tinyWorkspace } from "./testing.ts";

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function workspaceWith(change: Record<string, string> = {}): string {
  const { root, remove } = tinyWorkspace(change);
  undo.push(remove);
  return root;
}

/** Runs the command line in `root`, as a person would. */
function run(root: string, ...flags: string[]) {
  const args = [join(import.meta.dirname, "cli.ts"), "--env", "test", ...flags];
  const child = spawn(process.execPath, args, { cwd: root });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  }
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  undo.push(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  const url = () => eventually(() => /dashboard: (http:\S+)/.exec(output)?.[1]);
  return {
    pid: child.pid!,
    exited,
    output: () => output,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    url,
    ready: () =>
      eventually(async () => {
        const state = await json<State>(`${await url()}/api/state`);
        return state.status === "ready" && state;
      }),
  };
}

const alone = ["--free-ports"];
/** For tests that start a workspace again and again: a busy machine needs half a minute for each. */
const severalStarts = { timeout: 180_000 };
const withoutStack = (text: string) => expect(text).not.toMatch(/^\s+at /m);

test("--until ready exits 0 and prints what each took", async () => {
  const runner = run(workspaceWith(), ...alone, "--headless", "--until", "ready");
  expect(await runner.exited).toBe(0);
  for (const name of ["web", "api", "worker-raw", "worker-wrapped", "mail-hook", "partner"]) {
    expect(runner.output()).toMatch(new RegExp(`^ {2}${name} +\\d+ ms$`, "m"));
  }
  expect(runner.output()).not.toContain("web listens");
});

test("a service that crashes: its reason and its last words, exit 1", async () => {
  const root = workspaceWith({
    "code/web/main.mjs": `console.error("no such table: sales"); process.exit(3);`,
  });
  const runner = run(root, ...alone, "--headless", "--until", "ready");
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toContain("✘ web does not become ready: ended 3 times: exit code 3");
  expect(runner.output()).toContain("    no such table: sales");
  expect(runner.output()).toContain("The whole logs are in .local/logs.");
  withoutStack(runner.output());
});

test("a mistake in a manifest: file, line and column, and nothing is started", async () => {
  const manifest = files["copilot/web/manifest.yml"]!.replace("variables:\n", "varaibles:\n");
  const root = workspaceWith({ "copilot/web/manifest.yml": manifest });
  const runner = run(root, ...alone);
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(/✘ copilot\/web\/manifest\.yml:11:1 .*varaibles/);
  expect(existsSync(join(root, ".local"))).toBe(false);
  withoutStack(runner.output());
});

test("an export that no addon has, and a folder that is not there: both at once, with their places", async () => {
  const api = files["copilot/api/manifest.yml"]!.replace("-StoreHost", "-StorHost");
  const job = files["copilot/job-count/manifest.yml"]!.replace("code/job-count", "code/job-cuont");
  const root = workspaceWith({ "copilot/api/manifest.yml": api, "copilot/job-count/manifest.yml": job });
  const runner = run(root, ...alone);
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(/copilot\/api\/manifest\.yml:\d+:\d+ .*tiny-test-StorHost/);
  expect(runner.output()).toMatch(/copilot\/job-count\/manifest\.yml:\d+:\d+ .*code\/job-cuont/);
  withoutStack(runner.output());
});

test("a taken port: which, whose, where it is written and who has it", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  undo.push(() => void server.close());
  const manifest = files["copilot/web/manifest.yml"]!.replaceAll("7001", String(port));
  const runner = run(workspaceWith({ "copilot/web/manifest.yml": manifest }), "--port", "0");
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(
    new RegExp(`✘ port ${port} of web \\(copilot/web/manifest\\.yml:6:3\\) is taken`),
  );
  expect(runner.output()).toContain(`(pid ${process.pid})`);
  expect(runner.output()).toContain("--free-ports");
  withoutStack(runner.output());
});

test("two workloads with one port: both places, and that one of them must move", async () => {
  const manifest = files["copilot/web/manifest.yml"]!.replaceAll("7001", "7002");
  const runner = run(workspaceWith({ "copilot/web/manifest.yml": manifest }), "--port", "0");
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(/port 7002 of web \(copilot\/web\/manifest\.yml:6:3\) is .+'s too/);
  expect(runner.output()).toContain("give one of them another port");
});

test("a data folder that cannot be one: which, why, and what to give instead", async () => {
  const root = workspaceWith({ taken: "a file" });
  const runner = run(root, ...alone, "--data", join(root, "taken"));
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(/✘ nothing can be kept in .*taken: EEXIST/);
  expect(runner.output()).toContain("--data <dir>");
  withoutStack(runner.output());
});

test("a taken dashboard port", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  undo.push(() => void server.close());
  const runner = run(workspaceWith(), "--free-ports", "--port", String(port));
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toContain(`✘ port ${port} of the dashboard is taken`);
});

test("a setup command that fails: its words, exit 1", async () => {
  const root = workspaceWith({
    "code/setup/setup.mjs": `console.error("column is missing"); process.exit(2);`,
  });
  const runner = run(root, ...alone);
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toContain('✘ setup "tables" failed: exit code 2 (node setup.mjs in code/setup).');
  expect(runner.output()).toContain("    column is missing");
  withoutStack(runner.output());
});

test.each([
  [["--prot", "1"], "Unknown option '--prot'"],
  [["--port", "abc"], "--port abc is not a port"],
  [["--until", "done"], "--until done is not known"],
  [["--env", "tset"], "tset"],
])("a wrong flag is named: %j", async (flags, message) => {
  const runner = run(workspaceWith(), ...flags);
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toContain(message);
  withoutStack(runner.output());
});

describe("a running workspace", () => {
  let root: string;
  let runner: ReturnType<typeof run>;
  let atTheEnd: typeof undo;

  beforeAll(async () => {
    root = workspaceWith();
    runner = run(root, ...alone, "--headless");
    atTheEnd = undo.splice(0);
    await runner.ready();
  });
  afterAll(async () => {
    for (const step of atTheEnd.toReversed()) await step();
  });

  test("a second start beside the first is told whose it is and where; the first goes on", async () => {
    const second = run(root, ...alone);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`already running: process ${runner.pid} uses`);
    expect(second.output()).toContain(`Its dashboard is ${await runner.url()}`);
    expect((await json<State>(`${await runner.url()}/api/state`)).status).toBe("ready");
  });

  test("a saved source restarts its workload, and no other", async () => {
    const before = await runner.ready();
    const main = join(root, "code/web/main.mjs");
    writeFileSync(main, readFileSync(main, "utf8").replace("web listens", "web listens anew"));
    const after = await eventually(async () => {
      const state = await json<State>(`${await runner.url()}/api/state`);
      const web = state.workloads.find(({ name }) => name === "web")!;
      return web.starts === 2 && web.status === "ready" && state;
    });
    const log = await json<{ text: string }[]>(`${await runner.url()}/api/logs/web`);
    expect(log.at(-1)!.text).toBe("web listens anew");
    const pids = (state: State) => state.workloads.filter(({ name }) => name !== "web").map(({ pid }) => pid);
    expect(pids(after)).toEqual(pids(before));
  });

  // The last one: nothing runs any more after it.
  test("SIGTERM stops everything within 10 s and exits 0", async () => {
    const state = await runner.ready();
    const from = Date.now();
    runner.kill("SIGTERM");
    expect(await runner.exited).toBe(0);
    expect(Date.now() - from).toBeLessThan(10_000);
    expect(state.workloads.flatMap(({ pid }) => (pid && startOf(pid) ? [pid] : []))).toEqual([]);
  });
});

test(
  "a kill -9 of the runner leaves no process; the next start continues with the data, and one with --fresh has none",
  severalStarts,
  async () => {
    const root = workspaceWith();
    const first = run(root, ...alone, "--headless");
    const state = await first.ready();
    await fetch(
      `http://127.0.0.1:${state.workloads.find(({ name }) => name === "api")!.port}/note?text=kept`,
    );
    const postgres = Number(
      readFileSync(join(root, ".local/postgres/data/postmaster.pid"), "utf8").split("\n")[0],
    );
    first.kill("SIGKILL");
    await first.exited;
    const pids = [postgres, ...state.workloads.flatMap(({ pid }) => pid ?? [])];
    await eventually(() => pids.every((pid) => startOf(pid) === undefined));

    const second = run(root, ...alone, "--headless");
    const again = await second.ready();
    const api = again.workloads.find(({ name }) => name === "api")!.port;
    expect(await json(`http://127.0.0.1:${api}/notes`)).toEqual([{ text: "kept" }]);

    second.kill("SIGINT");
    expect(await second.exited).toBe(0);
    const third = run(root, ...alone, "--headless", "--fresh");
    const fresh = await third.ready();
    const empty = fresh.workloads.find(({ name }) => name === "api")!.port;
    expect(await json(`http://127.0.0.1:${empty}/notes`)).toEqual([]);
  },
);

test(
  "when the watchdog was killed too, the next start ends what was left, and says so",
  severalStarts,
  async () => {
    const root = workspaceWith();
    const first = run(root, ...alone, "--headless");
    const state = await first.ready();
    const listed = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(first.pid)], {
      encoding: "utf8",
    });
    const watchdog = Number(/^ *(\d+) .*copilot-local-guard$/m.exec(listed)![1]);
    process.kill(watchdog, "SIGKILL");
    first.kill("SIGKILL");
    await first.exited;
    const pids = state.workloads.flatMap(({ pid }) => pid ?? []);
    expect(pids.every((pid) => startOf(pid) !== undefined)).toBe(true);

    const second = run(root, ...alone, "--headless");
    await second.ready();
    expect(pids.filter((pid) => startOf(pid) !== undefined)).toEqual([]);
    expect(second.output()).toMatch(
      /ends \d+ processes that a runner which did not stop properly left behind/,
    );
  },
);

test("started by npm, it ends when npm is gone", async () => {
  const root = workspaceWith();
  const script = `"${process.execPath}" "${join(import.meta.dirname, "cli.ts")}" --env test --headless --port 0 --free-ports > out.txt 2>&1 & echo $!; wait`;
  const shell = spawn("/bin/sh", ["-c", script], {
    cwd: root,
    env: { ...process.env, npm_lifecycle_event: "start" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pid = await new Promise<number>((done) =>
    shell.stdout.once("data", (chunk: Buffer) => done(Number(chunk))),
  );
  undo.push(() => {
    if (startOf(pid)) process.kill(pid, "SIGTERM");
  });
  await eventually(() => readFileSync(join(root, "out.txt"), "utf8").includes("all ready"));
  shell.kill("SIGKILL");
  await eventually(() => startOf(pid) === undefined, 10_000);
  expect(readFileSync(join(root, "out.txt"), "utf8")).toContain("the parent process is gone");
});
