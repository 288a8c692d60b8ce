import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { StartMessageMoveTaskCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { askForReplay, parkedGroups, parkedMessages } from "worker";
import { thing } from "./events.ts";
import { nothingWrong } from "./lab.ts";
import type { Lab, TestQueue, WorkerProcess } from "./lab.ts";
import { LONGEST_MS, labs, until, upTo } from "./testing.ts";

const open = labs();
/** `a-1 b-1 … a-2 b-2 …` */
const names = (groups: string[], each: number) =>
  upTo(each).flatMap((n) => groups.map((group) => `${group}-${n}`));
const of = (group: string, effects: string[]) => effects.filter((name) => name.startsWith(`${group}-`));
const detail = async (worker: WorkerProcess) => (await worker.health())?.detail;
const parked = async (lab: Lab, queue: TestQueue) => parkedGroups(await lab.client(), queue.name);

describe.concurrent("consumer", { timeout: 2 * LONGEST_MS }, () => {
  test.for(["before its commit", "after its commit"] as const)(
    "fault 10: a consumer that dies %s has handled everything once when its successor is through",
    async (firstDies, context) => {
      const lab = await open(context);
      const queue = await lab.queue({ visibility: 1, maxReceives: 50 });
      await lab.sendAll(queue, ...names(["a", "b", "c"], 3));
      const worker = lab.worker(queue, { firstDies });
      expect(await lab.settled()).toEqual(nothingWrong);
      expect(worker.restarts).toBe(1);
    },
  );

  test("fault 10: a consumer that is killed during its delete has handled everything once when its successor is through", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue({ visibility: 1, maxReceives: 50 });
    const deleting = lab.proxy.add({ actions: ["DeleteMessageBatch"], times: 1, fault: { kind: "silence" } });
    const sent = names(["a", "b", "c"], 3);
    await lab.sendAll(queue, ...sent);
    const worker = lab.worker(queue);
    await until(() => deleting.used, 1);
    worker.signal("SIGKILL");
    expect(await lab.settled()).toEqual(nothingWrong);
    expect(worker.restarts).toBe(1);
    // What it could not delete came again, and was recognised.
    expect(queue.state().counts.received).toBeGreaterThan(sent.length);
  });

  test("fault 11: messages that two consumers get at the same time run in one of them, once", async (context) => {
    const lab = await open(context);
    // As from one queue whose time-outs end at once: all of it, in two hands.
    const consumer = "one";
    const [left, right] = [
      await lab.queue({ name: "left", consumer }),
      await lab.queue({ name: "right", consumer }),
    ];
    const groups = upTo(8).map((n) => `g${n}`);
    for (const group of groups) await lab.behave(group, 0, "slow 150");
    for (const n of upTo(3))
      for (const group of groups) {
        const event = await lab.send(left, thing(group, n));
        await lab.send(right, event, { counted: false });
      }
    const workers = [lab.worker(left), lab.worker(right)];
    expect(await lab.settled()).toEqual(nothingWrong);
    const all = groups.length * 3;
    const count = async (what: "handled" | "repeated") => {
      const [one, two] = [await detail(workers[0]!), await detail(workers[1]!)];
      return (one?.[what] ?? 0) + (two?.[what] ?? 0);
    };
    await until(async () => [await count("handled"), await count("repeated")], [all, all]);
    const [{ runs } = { runs: 0 }] = await lab.rows<{ runs: number }>(
      "select count(*)::int as runs from run",
    );
    expect(runs).toBe(all);
  });

  test("fault 12: a poisoned head, received with its followers, is parked with them in order; a replay finishes the group", async (context) => {
    const lab = await open(context);
    // One receive is all there is: whoever gives the group back, or lets its time-out end, kills A3 to A6 untried.
    const queue = await lab.queue({ maxReceives: 1 });
    await lab.behave("a", 2, "fail");
    for (const group of ["b", "c"]) await lab.behave(group, 0, "slow 10");
    await lab.sendAll(queue, ...names(["b", "c"], 3), ...names(["a"], 6));
    const workers = [lab.worker(queue), lab.worker(queue)];
    await until(async () => (await lab.verdict()).left, 0);
    const verdict = await lab.verdict();
    expect(verdict).toEqual({ ...nothingWrong, lost: 5, parked: 5 });
    expect(await lab.effects(queue).then((effects) => effects.length)).toBe(7);
    expect(await parked(lab, queue)).toMatchObject([{ groupId: "a", messages: 5, reason: "Error: poison" }]);
    const messages = await parkedMessages(await lab.client(), { consumer: queue.name, groupId: "a" });
    expect(messages.map(({ body, attempts }) => [(JSON.parse(body) as { n: number }).n, attempts])).toEqual([
      [2, 4],
      ...[3, 4, 5, 6].map((n) => [n, 0]),
    ]);
    // Cured: what comes meanwhile waits behind the parked ones.
    await lab.behave("a", 2, undefined);
    await lab.sendAll(queue, "a-7");
    await askForReplay(await lab.client(), { consumer: queue.name });
    expect(await lab.settled()).toEqual(nothingWrong);
    expect(of("a", await lab.effects(queue))).toEqual(names(["a"], 7));
    expect(workers.map(({ restarts }) => restarts)).toEqual([0, 0]);
  });

  test("fault 13: a message that ends its process each time is parked alone; nobody else is hurt, nothing is dead-lettered", async (context) => {
    const lab = await open(context);
    // Long enough for a heartbeat that is late, on a busy machine: what it loses to a time-out is counted against innocents.
    const queue = await lab.queue({ visibility: 5, maxReceives: 5 });
    await lab.behave("bad", 1, "exit");
    for (const group of ["a", "b"]) await lab.behave(group, 0, "slow 100");
    await lab.sendAll(queue, "bad-1", ...names(["a", "b"], 5));
    const worker = lab.worker(queue);
    await until(async () => (await lab.verdict()).left, 0);
    expect(await lab.verdict()).toEqual({ ...nothingWrong, lost: 1, parked: 1 });
    expect(await parked(lab, queue)).toMatchObject([{ groupId: "bad", messages: 1 }]);
    expect(worker.restarts).toBeGreaterThan(0);
    expect(worker.restarts).toBeLessThanOrEqual(4);
    // After each start it takes one message, so that what kills it kills nobody with it.
    const asked = lab.proxy
      .of("ReceiveMessage")
      .map(({ text }) => (JSON.parse(text) as { MaxNumberOfMessages: number }).MaxNumberOfMessages);
    expect(asked.filter((size) => size === 1).length).toBeGreaterThan(worker.restarts);
  });

  test.for([true, false])(
    "fault 14: a handler slower than the visibility time-out never runs beside itself (heartbeat: %s)",
    async (heartbeat, context) => {
      const lab = await open(context);
      const queue = await lab.queue({ visibility: 1, maxReceives: 100 });
      if (!heartbeat) {
        lab.proxy.add({
          actions: ["ChangeMessageVisibilityBatch"],
          fault: { kind: "error", status: 400, code: "AccessDenied" },
        });
      }
      for (const group of ["a", "b"]) await lab.behave(group, 0, "slow 3000");
      await lab.sendAll(queue, "a-1", "b-1", "a-2");
      lab.worker(queue);
      lab.worker(queue);
      expect(await lab.settled()).toEqual(nothingWrong);
      const [{ runs } = { runs: 0 }] = await lab.rows<{ runs: number }>(
        "select count(*)::int as runs from run",
      );
      expect(runs).toBe(3);
      // With a heartbeat the queue kept them for us; without, it gave them out again while they ran.
      const kept = lab.proxy.of("ChangeMessageVisibilityBatch").filter(({ status }) => status === 200).length;
      const { received } = queue.state().counts;
      expect(heartbeat ? kept : received).toBeGreaterThan(3);
    },
  );

  test("fault 18: dead letters moved back while newer events flow take effect once, and no state goes back", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue({ maxReceives: 1 });
    const sqs = new SQSClient({
      endpoint: lab.stub.url,
      region: "us-east-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
    });
    const [first] = await lab.sendAll(queue, "a-1", "b-1");
    // Somebody receives both and does nothing: at the next receive they are dead.
    const receive = () =>
      sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      );
    await receive();
    await receive();
    expect(queue.dead().messages).toHaveLength(2);
    // A1 comes once more, as after a lost answer, and is handled.
    await lab.send(queue, first!, { counted: false });
    lab.worker(queue);
    await lab.sendAll(queue, ...names(["a", "b"], 3).slice(2));
    await until(async () => (await lab.effects(queue)).length, 5);
    await lab.sendAll(queue, ...names(["c"], 5));
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queue.arn.replace(".fifo", "-dead.fifo") }));
    await until(async () => (await lab.verdict()).left, 0);
    sqs.destroy();
    // B1 came after B2 and B3: that is what a dead letter queue costs, and why the engine parks.
    expect(await lab.verdict()).toEqual({ ...nothingWrong, misordered: 1 });
    expect(await lab.rows("select group_id, seq from state order by group_id")).toEqual([
      { group_id: "a", seq: 3 },
      { group_id: "b", seq: 3 },
      { group_id: "c", seq: 5 },
    ]);
  });

  test("fault 18: a replay after newer events takes effect once, and no state goes back", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    await lab.behave("a", 1, "refuse");
    await lab.sendAll(queue, ...names(["a"], 4));
    lab.worker(queue, { order: "none" });
    await until(async () => (await lab.effects(queue)).toSorted(), ["a-2", "a-3", "a-4"]);
    await lab.behave("a", 1, undefined);
    await askForReplay(await lab.client(), { consumer: queue.name });
    await until(async () => (await lab.effects(queue)).at(-1), "a-1");
    await until(async () => (await lab.verdict()).parked, 0);
    expect(await lab.verdict()).toEqual({ ...nothingWrong, misordered: 1 });
    expect(await lab.rows("select seq from state")).toEqual([{ seq: 4 }]);
  });

  test("fault 19: SIGTERM under load, with handlers of 0 to 20 s, ends with 0 in time; what was not handled is visible at once", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue({ visibility: 600 });
    const groups = upTo(10).map((n) => `g${n}`);
    const slow = [0, 200, 1000, 5000, 20_000];
    for (const [n, group] of groups.entries()) await lab.behave(group, 0, `slow ${slow[n % slow.length]}`);
    await lab.sendAll(queue, ...names(groups, 4));
    const one = lab.worker(queue, { concurrency: 8 });
    const slowest = () =>
      lab.rows("select from run join fact using (event_id) where group_id = 'g5' and ended is null");
    await until(async () => (await slowest()).length, 1);
    await until(
      async () => (await lab.effects(queue)).length,
      (effects: number) => effects > 5,
    );
    // What ECS leaves: StopTimeout 120 s less 5.
    expect(await Promise.race([one.end("SIGTERM"), pause(115_000, "still there", { ref: false })])).toBe(0);
    // Each that had begun was let finish, the one of 20 s too.
    const runs = await lab.rows<{ ended: Date | null; seconds: number }>(
      "select ended, extract(epoch from ended - began)::float8 as seconds from run order by seconds",
    );
    expect(runs.filter(({ ended }) => ended === null)).toEqual([]);
    expect(runs.at(-1)!.seconds).toBeGreaterThan(19);
    const { messages } = queue.state();
    expect(messages.length).toBeGreaterThan(5);
    expect(messages.filter(({ inFlight }) => inFlight)).toEqual([]);
    // Whatever was committed was deleted too.
    expect(messages.length + (await lab.effects(queue)).length).toBe(groups.length * 4);
    for (const group of groups) await lab.behave(group, 0, undefined);
    lab.worker(queue);
    expect(await lab.settled()).toEqual(nothingWrong);
  });

  test("fault 20: who is asked to wait, for seconds or ten minutes, keeps its place without a try counted; others flow", async (context) => {
    const lab = await open(context);
    // A receive lasts for less than the mall's five waits: it is the heartbeat that keeps the message. Not for much less, so
    // that a heartbeat may be late by seconds on a busy machine.
    const queue = await lab.queue({ visibility: 9 });
    let asked = 0;
    const mall = createServer((_, response) => {
      asked += 1;
      response.writeHead(asked > 5 ? 200 : 429, { "retry-after": "2" }).end();
    }).listen(0, "127.0.0.1");
    await once(mall, "listening");
    context.onTestFinished(() => void mall.close());
    await lab.behave("mall", 1, `mall http://127.0.0.1:${(mall.address() as AddressInfo).port}`);
    await lab.behave("long", 1, "wait 600");
    await lab.sendAll(queue, "long-1", "mall-1", ...names(["a", "b"], 5), "mall-2", "long-2");
    const worker = lab.worker(queue, { concurrency: 2 });
    await until(async () => (await lab.effects(queue)).length, 12);
    const effects = await lab.effects(queue);
    expect(effects.slice(-2)).toEqual(["mall-1", "mall-2"]);
    expect(asked).toBe(6);
    expect(await detail(worker)).toMatchObject({ failed: 0, parked: 0 });
    expect(queue.state().messages.find(({ groupId }) => groupId === "long")).toMatchObject({
      receives: 1,
      inFlight: true,
    });
    // Ten minutes do not outlive the process: the next one asks again.
    expect(await worker.end("SIGTERM")).toBe(0);
    expect(queue.state().messages).toMatchObject([
      { receives: 1, inFlight: false },
      { groupId: "long", inFlight: false },
    ]);
    await lab.behave("long", 1, undefined);
    lab.worker(queue);
    expect(await lab.settled()).toEqual(nothingWrong);
  });

  test("fault 23: old versions are upcast, newer ones wait for the deployment, unknown types are dropped and counted", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    const old = thing("a", 1);
    const { n: number, ...rest } = old;
    await lab.send(queue, old, { body: JSON.stringify({ ...rest, number }) });
    await lab.send(queue, thing("a", 2, { version: 2 }));
    await lab.send(queue, thing("b", 1, { version: 3 }));
    await lab.send(queue, thing("c", 1, { type: "thing.forgotten" }), { counted: false });
    const before = lab.worker(queue, { version: 1 });
    await until(async () => detail(before), { handled: 1, parked: 2, unknown: 1 });
    expect(await lab.effects(queue)).toEqual(["a-1"]);
    const reasons = (await parked(lab, queue)).map(({ groupId, reason }) => `${groupId}: ${reason}`);
    expect(reasons.toSorted()).toEqual([
      expect.stringContaining("a: Unprocessable: thing.happened version 2 is newer than version 1"),
      expect.stringContaining("b: Unprocessable: thing.happened version 3 is newer than version 1"),
    ]);
    // Version 2 is deployed beside version 1 of the queue's backlog; 3 is still unknown.
    await before.end("SIGTERM");
    lab.worker(queue, { version: 2 });
    const late = thing("d", 1);
    const { n, ...older } = late;
    await lab.send(queue, late, { body: JSON.stringify({ ...older, number: n }) });
    await askForReplay(await lab.client(), { consumer: queue.name });
    await until(async () => (await lab.effects(queue)).toSorted(), ["a-1", "a-2", "d-1"]);
    await until(async () => (await parked(lab, queue)).map(({ groupId }) => groupId), ["b"]);
    expect(await lab.verdict()).toEqual({ ...nothingWrong, lost: 1, parked: 1 });
  });
});
