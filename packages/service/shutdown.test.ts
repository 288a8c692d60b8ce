import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

/** Runs `code` in a real process, sends it `signals` once it has logged "ready", and returns how it ended. */
async function run(code: string, signals: NodeJS.Signals[]) {
  const script = `
    const { logger, onShutdown } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
    const log = logger("test");
    setInterval(() => {}, 1000);
    ${code}
    log.info("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => {
    if (!out.includes("ready") && `${out}${chunk}`.includes("ready"))
      for (const signal of signals) child.kill(signal);
    out += chunk;
  });
  const [status] = await once(child, "close");
  const entries = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { status, entries, messages: entries.map((entry) => entry.msg) };
}

test("SIGTERM runs the stop function once, however often it comes, and exits 0", async () => {
  const { status, messages } = await run(
    `onShutdown(log, async () => { log.info("cleaning"); await new Promise((r) => setTimeout(r, 50)) })`,
    ["SIGTERM", "SIGINT"],
  );
  expect(messages).toEqual(["ready", "stopping", "cleaning", "stopped"]);
  expect(status).toBe(0);
});

test("the last lines before the exit are written, however many", async () => {
  const { status, messages } = await run(
    `onShutdown(log, async () => { for (let n = 0; n < 500; n++) log.info("line " + n) })`,
    ["SIGTERM"],
  );
  expect(status).toBe(0);
  expect(messages).toHaveLength(503);
  expect(messages.slice(-2)).toEqual(["line 499", "stopped"]);
});

test("a stop function that throws exits 1 and is logged", async () => {
  const { status, entries } = await run(`onShutdown(log, async () => { throw new Error("stuck") })`, [
    "SIGTERM",
  ]);
  expect(status).toBe(1);
  expect(entries.at(-1)).toMatchObject({ level: "error", msg: "stopping failed", err: { message: "stuck" } });
});

test("a stop function that hangs is ended after the time-out with status 1", async () => {
  const { status, messages } = await run(`onShutdown(log, () => new Promise(() => {}), { timeoutMs: 50 })`, [
    "SIGTERM",
  ]);
  expect(status).toBe(1);
  expect(messages.at(-1)).toBe("did not stop in time");
});

test("an uncaught rejection is one fatal JSON entry and status 1", async () => {
  const { status, entries } = await run(
    `onShutdown(log, async () => {}); setTimeout(() => { void Promise.reject(new Error("lost")) }, 10)`,
    [],
  );
  expect(status).toBe(1);
  expect(entries.at(-1)).toMatchObject({ level: "fatal", msg: "uncaught error", err: { message: "lost" } });
});
