import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parkedGroups } from "./parked.ts";
import { bench } from "./testing.ts";
import type { Bench, TestQueue } from "./testing.ts";

const program = fileURLToPath(new URL("./testing-worker.ts", import.meta.url));
let lab: Bench;
/** Started again whenever it ends by itself, as ECS does; ended with their test. */
let children: { child: ChildProcess; wanted: boolean; restarts: number }[] = [];
beforeAll(async () => {
  lab = await bench();
});
afterAll(() => lab.close());
afterEach(async () => {
  for (const one of children) {
    one.wanted = false;
    if (one.child.exitCode !== null || one.child.signalCode !== null) continue;
    one.child.kill("SIGKILL");
    await once(one.child, "close");
  }
  children = [];
});

function start(queue: TestQueue) {
  const one = { child: run(queue), wanted: true, restarts: 0 };
  const again = () => {
    if (!one.wanted) return;
    one.restarts += 1;
    one.child = run(queue).on("close", again);
  };
  one.child.on("close", again);
  children.push(one);
  return one;
}

function run(queue: TestQueue): ChildProcess {
  // pg deprecates two statements at once on one client: a worker that does so ends here.
  const options = ["--throw-deprecation", program, queue.url, queue.consumer, lab.databaseUrl, lab.endpoint];
  return spawn(process.execPath, options, { stdio: "inherit" });
}

async function effects(queue: TestQueue): Promise<string[]> {
  const all = await lab.effects();
  return all
    .filter((name) => name.startsWith(queue.consumer))
    .map((name) => name.slice(queue.consumer.length + 1));
}

const until = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 45_000, interval: 20 });
const nothing = { left: 0, dead: 0 };

test("a message that ends the process each time is parked alone, and nobody else is hurt", async () => {
  const queue = await lab.queue({ visibility: 2, maxReceives: 5 });
  await queue.send("bad", "crash");
  // Slow, so that they are running when the process ends, each time.
  for (let n = 1; n <= 6; n++) await queue.send(`g${n % 3}`, `slow ${n}`);
  const one = start(queue);
  await until(() => queue.counts()).toEqual(nothing);
  expect((await effects(queue)).toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `slow ${n}`));
  expect(await parkedGroups(lab.pool, queue.consumer)).toMatchObject([
    {
      groupId: "bad",
      messages: 1,
      reason: "Error: The process ended while it handled this message, more than once.",
    },
  ]);
  // It had four tries at most; the fifth receive parks it without one.
  expect(one.restarts).toBeLessThanOrEqual(4);
});

test("a worker that is killed at random loses nothing, and nothing takes effect twice or out of order", async () => {
  const queue = await lab.queue({ visibility: 1, maxReceives: 50 });
  const names = (group: number) => Array.from({ length: 8 }, (_, n) => `slow ${group}-${n}`);
  for (let n = 0; n < 8; n++)
    for (let group = 0; group < 6; group++) await queue.send(`g${group}`, names(group)[n]!);
  const one = start(queue);
  for (let kills = 0; kills < 3; kills++) {
    const before = (await effects(queue)).length;
    await until(async () => (await effects(queue)).length).toBeGreaterThan(before);
    one.child.kill("SIGKILL");
    await until(() => one.restarts).toBe(kills + 1);
  }
  await until(() => queue.counts()).toEqual(nothing);
  const done = await effects(queue);
  for (let group = 0; group < 6; group++) {
    expect(done.filter((name) => name.startsWith(`slow ${group}-`))).toEqual(names(group));
  }
});

test("SIGTERM under load ends with 0, keeps what was committed and gives the rest back at once", async () => {
  const queue = await lab.queue({ visibility: 600 });
  for (let n = 0; n < 4; n++)
    for (let group = 0; group < 12; group++) await queue.send(`g${group}`, `slow ${group}-${n}`);
  const one = start(queue);
  await until(async () => (await effects(queue)).length).toBeGreaterThan(10);
  one.wanted = false;
  one.child.kill("SIGTERM");
  const [status] = await once(one.child, "close");
  expect(status).toBe(0);
  const before = (await effects(queue)).length;
  expect(before).toBeLessThan(48);
  // 600 s of visibility: what is still left must be visible now.
  start(queue);
  await until(async () => (await effects(queue)).length).toBe(48);
  await until(() => queue.counts()).toEqual(nothing);
});
