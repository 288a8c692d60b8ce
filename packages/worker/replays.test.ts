import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { RetryAfter, Unprocessable } from "./errors.ts";
import { on } from "./handler.ts";
import type { Context } from "./handler.ts";
import {
  askForReplay,
  cancelReplay,
  discardParked,
  editParked,
  parkedGroups,
  parkedMessages,
} from "./parked.ts";
import { until } from "./testing-until.ts";
import { bench, common, newPool, thing } from "./testing.ts";
import type { Bench, TestEvent, TestQueue, Tx } from "./testing.ts";
import { work } from "./work.ts";
import type { Worker } from "./work.ts";

let lab: Bench;
const started: { worker: Worker; close: () => Promise<void> }[] = [];
beforeAll(async () => {
  lab = await bench();
});
afterEach(async () => {
  for (const { worker, close } of started.splice(0)) await worker.stop().then(close);
});
afterAll(() => lab.close());

/** A worker that writes down what it handles, after `refuse` had its say. */
async function start(queue: TestQueue, refuse: (event: TestEvent) => void | Promise<void>): Promise<Worker> {
  const pool = newPool(lab.databaseUrl);
  const worker = await work({
    ...common({ pool, sqs: lab.sqs }, queue),
    handlers: [
      on(thing, async (event, { tx }: Context<Tx>) => {
        await refuse(event);
        await tx.write(`${queue.consumer}/${event.name}`);
      }),
    ],
  });
  started.push({ worker, close: () => pool.end() });
  return worker;
}

async function effects(queue: TestQueue): Promise<string[]> {
  const own = (await lab.effects()).filter((name) => name.startsWith(queue.consumer));
  return own.map((name) => name.slice(queue.consumer.length + 1));
}

const groups = (queue: TestQueue) => parkedGroups(lab.pool, queue.consumer);

/** Sends a1 to a3 to a worker that parks them because of a1. */
async function parkThree(queue: TestQueue): Promise<void> {
  for (const name of ["a1", "a2", "a3"]) await queue.send("a", name);
  await until(() => groups(queue)).toMatchObject([{ groupId: "a", messages: 3 }]);
}

test("a running worker replays a group that was asked for, in order, while its live messages wait behind", async () => {
  const queue = await lab.queue();
  let cured = false;
  const worker = await start(queue, ({ name }) => {
    if (name === "a1" && !cured) throw new Unprocessable("poison");
  });
  await parkThree(queue);
  cured = true;
  await queue.send("a", "a4");
  expect(await askForReplay(lab.pool, queue)).toEqual(["a"]);
  await until(() => groups(queue)).toEqual([]);
  await until(() => effects(queue)).toEqual(["a1", "a2", "a3", "a4"]);
  expect(worker.health().detail.replayed).toBeGreaterThanOrEqual(3);
});

test("a replay that fails stops at the message, says why, and is not repeated until somebody asks again", async () => {
  const queue = await lab.queue();
  const calls: string[] = [];
  await start(queue, ({ name }) => {
    calls.push(name);
    if (name === "a2" || calls.length === 1) throw new Unprocessable(`no ${name}`);
  });
  await parkThree(queue);
  await askForReplay(lab.pool, { ...queue, groupId: "a" });
  await until(() => groups(queue)).toMatchObject([{ messages: 2, attempts: 1, replayAt: null }]);
  expect((await groups(queue))[0]?.error).toContain("no a2");
  expect(calls).toEqual(["a1", "a1", "a2"]);

  const [a2] = await parkedMessages(lab.pool, { ...queue, groupId: "a" });
  await discardParked(lab.pool, { ...queue, groupId: "a", n: a2!.n });
  await askForReplay(lab.pool, { ...queue, groupId: "a" });
  await until(() => effects(queue)).toEqual(["a1", "a3"]);
  expect(await groups(queue)).toEqual([]);
});

test("a replay that is asked to wait goes on by itself, and one that is cancelled does not", async () => {
  const queue = await lab.queue();
  let waits = -1;
  await start(queue, ({ name }) => {
    if (waits < 0) throw new Unprocessable("poison");
    if (name === "a2" && waits++ < 1) throw new RetryAfter(1);
  });
  await parkThree(queue);
  waits = 0;
  await askForReplay(lab.pool, { ...queue, perSecond: 0.5 });
  await until(() => effects(queue)).toEqual(["a1"]);
  expect(await cancelReplay(lab.pool, queue)).toEqual(["a"]);
  await until(async () => (await groups(queue))[0]?.replayAt).toBe(null);
  expect(await groups(queue)).toMatchObject([{ messages: 2, attempts: 0 }]);
  await askForReplay(lab.pool, queue);
  await until(() => effects(queue)).toEqual(["a1", "a2", "a3"]);
  expect(waits).toBe(2);
});

test("a message that ends the process during its replay is not replayed by the next one", async () => {
  const queue = await lab.queue({ maxReceives: 1 });
  const parker = await start(queue, () => {
    throw new Unprocessable("poison");
  });
  for (const name of ["crash1", "b"]) await queue.send("a", name);
  await until(() => groups(queue)).toMatchObject([{ messages: 2 }]);
  await parker.stop();

  await askForReplay(lab.pool, queue);
  const run = () =>
    spawn(process.execPath, ["testing-worker.ts", queue.url, queue.consumer, lab.databaseUrl, lab.endpoint], {
      stdio: "inherit",
    });
  const [code] = (await once(run(), "exit")) as [number];
  expect(code).toBe(1);
  const next = run();
  await until(() => groups(queue)).toMatchObject([
    {
      messages: 2,
      replayAt: null,
      error: "The process, or its connection, ended while it replayed this message.",
    },
  ]);
  expect(next.exitCode).toBe(null);
  next.kill("SIGTERM");
  await once(next, "exit");
  expect(await effects(queue)).toEqual([]);
});

test("a parked message is repaired by an edit, which may not make another event of it", async () => {
  const queue = await lab.queue();
  await start(queue, ({ name }) => {
    if (name === "a1") throw new Unprocessable("poison");
  });
  await parkThree(queue);
  const place = { ...queue, groupId: "a" };
  const [first, second] = await parkedMessages(lab.pool, place);
  const edit = (n: string, body: object | string) =>
    editParked(lab.pool, { ...place, n, body: typeof body === "string" ? body : JSON.stringify(body) });
  await expect(edit(first!.n, "{")).rejects.toThrow("not JSON");
  await expect(edit(first!.n, second!.body)).rejects.toThrow(`must stay ${first!.eventId}`);
  expect(await edit("0", first!.body)).toBe(undefined);
  const body = { ...(JSON.parse(first!.body) as TestEvent), name: "mended" };
  expect(await edit(first!.n, body)).toMatchObject({ body: first!.body });
  await askForReplay(lab.pool, queue);
  await until(() => effects(queue)).toEqual(["mended", "a2", "a3"]);
});

test("what was no event becomes one by an edit, but not one that was handled before", async () => {
  const queue = await lab.queue();
  await start(queue, () => {});
  const handled = await queue.send("b", "b1");
  await queue.sendBody("a", "not json");
  await until(() => groups(queue)).toHaveLength(1);
  await until(() => effects(queue)).toEqual(["b1"]);
  const [group] = await groups(queue);
  const place = { ...queue, groupId: group!.groupId };
  const [message] = await parkedMessages(lab.pool, place);
  const edit = (body: object) =>
    editParked(lab.pool, { ...place, n: message!.n, body: JSON.stringify(body) });
  await expect(edit(handled)).rejects.toThrow("handled or parked already");
  const id = `${handled.id.slice(0, -12)}00000000abcd`;
  await edit({ ...handled, id, name: "a1" });
  await askForReplay(lab.pool, queue);
  await until(() => effects(queue)).toEqual(["b1", "a1"]);
});
