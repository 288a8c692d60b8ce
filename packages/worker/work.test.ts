import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { CreateTopicCommand, PublishCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  SQSClient,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RetryAfter, Unprocessable } from "./errors.ts";
import { on } from "./handler.ts";
import type { Context } from "./handler.ts";
import { parkedCounts, parkedGroups } from "./parked.ts";
import { replay } from "./replay.ts";
import { Queue } from "./queue.ts";
import { until } from "./testing-until.ts";
import { bench, brittlePipe, common, credentials, newPool, silent, thing } from "./testing.ts";
import type { Bench, TestEvent, TestQueue, Tx } from "./testing.ts";
import { work } from "./work.ts";
import type { WorkOptions, Worker } from "./work.ts";

let lab: Bench;
const started: { worker: Worker; pool: Pool }[] = [];
beforeAll(async () => {
  lab = await bench();
});
afterAll(async () => {
  await Promise.all(started.map(({ worker }) => worker.stop()));
  await Promise.all(started.map(({ pool }) => pool.end()));
  await lab.close();
});

type Body = (event: TestEvent, context: Context<Tx>) => Promise<void>;

/** A worker whose handler does `body` and then writes the event's name as its effect. */
async function start(queue: TestQueue, body: Body = async () => {}, options: Partial<WorkOptions<Tx>> = {}) {
  const handlers = [
    on(thing, async (event, context: Context<Tx>) => {
      await body(event, context);
      await context.tx.write(`${queue.consumer}/${event.name}`);
    }),
  ];
  return run(queue, { handlers, ...options });
}

/** Tests run beside each other, so each worker has a pool of its own; they end together. */
async function run(queue: TestQueue, options: Partial<WorkOptions<Tx>> & Pick<WorkOptions<Tx>, "handlers">) {
  const pool = newPool(lab.databaseUrl, 4);
  const worker = await work({ ...common({ ...lab, pool }, queue), concurrency: 4, ...options });
  started.push({ worker, pool });
  return worker;
}

async function effects(queue: TestQueue): Promise<string[]> {
  const all = await lab.effects();
  return all
    .filter((name) => name.startsWith(queue.consumer))
    .map((name) => name.slice(queue.consumer.length + 1));
}

const nothing = { left: 0, dead: 0 };

// Most of their time they wait, for a retry or a visibility time-out: beside each other.
describe.concurrent("work", () => {
  test("messages of a group take effect in order, and the queue is empty afterwards", async () => {
    const queue = await lab.queue();
    const names = ["a1", "b1", "a2", "b2", "a3", "b3"];
    for (const name of names) await queue.send(name[0]!, name);
    const worker = await start(queue, () => pause(Math.random() * 20));
    await until(() => effects(queue)).toHaveLength(6);
    for (const group of ["a", "b"]) {
      expect((await effects(queue)).filter((name) => name.startsWith(group))).toEqual(
        [1, 2, 3].map((n) => `${group}${n}`),
      );
    }
    await until(() => queue.counts()).toEqual(nothing);
    expect(worker.health()).toMatchObject({
      ok: true,
      detail: { handled: 6, failed: 0, parked: 0, error: null },
    });
  });

  test("an event that is delivered twice takes effect once", async () => {
    const queue = await lab.queue();
    const event = await queue.send("a", "a1");
    await queue.send("a", "a1", { id: event.id });
    await queue.send("b", "a1", { id: event.id });
    const worker = await start(queue);
    await until(() => worker.health().detail.repeated).toBe(2);
    expect(await effects(queue)).toEqual(["a1"]);
    await until(() => queue.counts()).toEqual(nothing);
  });

  test.each([
    ["the SNS envelope", {}],
    ["the raw body", { RawMessageDelivery: "true" }],
  ])("%s is understood", async (_, attributes) => {
    const queue = await lab.queue();
    const name = `${randomUUID()}.fifo`;
    const { TopicArn } = await lab.sns.send(
      new CreateTopicCommand({ Name: name, Attributes: { FifoTopic: "true" } }),
    );
    await lab.sns.send(
      new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes: attributes }),
    );
    const event = { id: randomUUID(), type: "thing.happened", version: 1, name: "from sns" };
    await lab.sns.send(
      new PublishCommand({
        TopicArn,
        Message: JSON.stringify(event),
        MessageGroupId: "a",
        MessageDeduplicationId: event.id,
      }),
    );
    await start(queue);
    await until(() => effects(queue)).toEqual(["from sns"]);
    expect((await queue.counts()).dead).toBe(0);
  });

  test("afterCommit is called when the effect can be seen by everybody", async () => {
    const queue = await lab.queue();
    const seen: Promise<string[]>[] = [];
    let early = 0;
    const body: Body = async () => void (early = seen.length);
    await queue.send("a", "a1");
    await start(queue, body, { afterCommit: () => void seen.push(effects(queue)) });
    await until(() => seen.length).toBeGreaterThan(0);
    expect(await Promise.all(seen)).toEqual([["a1"]]);
    expect(early).toBe(0);
  });

  test("a slow group does not keep the others waiting", async () => {
    const queue = await lab.queue();
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    await queue.send("slow", "s1");
    for (const name of ["a1", "a2", "a3"]) await queue.send("a", name);
    await start(queue, async ({ group }) => {
      if (group === "slow") await held;
    });
    await until(() => effects(queue)).toEqual(["a1", "a2", "a3"]);
    release();
    await until(() => effects(queue)).toEqual(["a1", "a2", "a3", "s1"]);
    expect((await queue.counts()).dead).toBe(0);
  });

  test("what fails now and then is tried again before its followers, and leaves nothing half done", async () => {
    const queue = await lab.queue();
    let failures = 2;
    for (const name of ["a1", "a2"]) await queue.send("a", name);
    const worker = await start(queue, async ({ name }, { tx, attempt }) => {
      await tx.write(`${queue.consumer}/${name}, attempt ${attempt}`);
      if (name === "a1" && failures-- > 0) throw new Error("not yet");
    });
    await until(() => effects(queue)).toEqual(["a1, attempt 3", "a1", "a2, attempt 1", "a2"]);
    expect((await queue.counts()).dead).toBe(0);
    await until(() => worker.health().detail).toMatchObject({ handled: 2, failed: 2, parked: 0 });
  });

  test("a poisoned head is parked with its group in order, other groups flow, and a replay finishes it", async () => {
    const queue = await lab.queue({ visibility: 10, maxReceives: 1 });
    let cured = false;
    for (const name of ["a1", "b1", "a2", "b2", "a3"]) await queue.send(name[0]!, name);
    const body: Body = async ({ name }) => {
      if (name === "a1" && !cured) throw new Error("poison");
    };
    await start(queue, body);
    await until(() => effects(queue)).toEqual(["b1", "b2"]);
    await until(() => queue.counts(), 30_000).toEqual(nothing);
    expect(await parkedGroups(lab.pool, queue.consumer)).toMatchObject([
      { groupId: "a", messages: 3, reason: "Error: poison" },
    ]);
    const { rows } = await lab.pool.query(
      `select body::json ->> 'name' as name, attempts, error like '%poison%at %' as told from parked
     where consumer = (select id from consumer where name = $1) order by n`,
      [queue.consumer],
    );
    expect(rows).toEqual([
      { name: "a1", attempts: 4, told: true },
      { name: "a2", attempts: 0, told: null },
      { name: "a3", attempts: 0, told: null },
    ]);

    const again = () =>
      replay({
        ...common(lab, queue),
        handlers: [
          on(thing, async (event, context: Context<Tx>) => {
            await body(event, context);
            await context.tx.write(`${queue.consumer}/${event.name}`);
          }),
        ],
      });
    expect(await again()).toEqual({ handled: 0, left: 3 });
    cured = true;
    expect(await again()).toEqual({ handled: 3, left: 0 });
    expect(await effects(queue)).toEqual(["b1", "b2", "a1", "a2", "a3"]);
    // The group is open again.
    await queue.send("a", "a4");
    await until(() => effects(queue)).toContain("a4");
    expect(await again()).toEqual({ handled: 0, left: 0 });
  });

  test("Unprocessable parks at once, and where order does not matter only the one message", async () => {
    const queue = await lab.queue();
    for (const name of ["a1", "a2"]) await queue.send("a", name);
    let calls = 0;
    await run(queue, {
      handlers: [
        on(
          thing,
          async ({ name }, { tx }: Context<Tx>) => {
            calls += 1;
            if (name === "a1") throw new Unprocessable("no such address");
            await tx.write(`${queue.consumer}/${name}`);
          },
          { order: "none" },
        ),
      ],
    });
    await until(() => effects(queue)).toEqual(["a2"]);
    expect(calls).toBe(2);
    const counts = await parkedCounts(lab.pool);
    expect(counts.find(({ consumer }) => consumer === queue.consumer)).toMatchObject({
      groups: 1,
      messages: 1,
    });
  });

  test("an unknown type is deleted and counted; a newer version and what is no event are parked", async () => {
    const queue = await lab.queue();
    await queue.send("a", "a1", { type: "other.happened" });
    await queue.send("b", "b1", { version: 2 });
    await queue.sendBody("c", "not json");
    await queue.send("c", "c1");
    const worker = await start(queue);
    await until(() => worker.health().detail).toMatchObject({ unknown: 1, parked: 2, handled: 1 });
    await until(() => queue.counts()).toEqual(nothing);
    const reasons = (await parkedGroups(lab.pool, queue.consumer)).map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual([
      "Unprocessable: The message is not JSON.",
      "Unprocessable: thing.happened version 2 is newer than version 1, which this consumer knows. Deploy the consumer, then replay.",
    ]);
    expect(await effects(queue)).toEqual(["c1"]);
  });

  test("a database that goes down dead-letters nothing, and everything takes effect once it is back", async () => {
    const own = await bench();
    const queue = await own.queue({ visibility: 1, maxReceives: 2 });
    for (let n = 0; n < 20; n++) await queue.send(`g${n % 5}`, `g${n % 5}-${n}`);
    const worker = await work({
      ...common(own, queue),
      handlers: [
        on(thing, async ({ name }, { tx }: Context<Tx>) => {
          await pause(30);
          await tx.write(name);
        }),
      ],
    });
    await until(() => worker.health().detail.handled).toBeGreaterThan(2);
    await own.server.pause();
    await until(() => worker.health().detail.databaseDown).toBe(true);
    // Longer than tries × visibility.
    await pause(4000);
    await own.server.resume();
    await until(() => worker.health().detail.databaseDown).toBe(false);
    await until(() => own.effects()).toHaveLength(20);
    for (let g = 0; g < 5; g++) {
      const numbers = (await own.effects())
        .filter((name) => name.startsWith(`g${g}`))
        .map((name) => Number(name.split("-")[1]));
      expect(numbers).toEqual([g, g + 5, g + 10, g + 15]);
    }
    await until(() => queue.counts()).toEqual(nothing);
    expect(worker.health().detail).toMatchObject({ parked: 0, failed: 0 });
    await worker.stop();
    await own.close();
  });

  test("RetryAfter holds its lane without counting, and other groups flow", async () => {
    // Visibility is shorter than the two waits: only the heartbeat keeps the message. One receive is all there is.
    const queue = await lab.queue({ visibility: 3, maxReceives: 1 });
    const begun = performance.now();
    let asked = 0;
    for (const name of ["mall", "a1", "a2"]) await queue.send(name[0]!, name);
    const worker = await start(queue, async ({ name }) => {
      if (name === "mall" && asked++ < 2) throw new RetryAfter(2, "429");
    });
    await until(() => effects(queue)).toEqual(["a1", "a2"]);
    await until(() => effects(queue)).toEqual(["a1", "a2", "mall"]);
    expect(performance.now() - begun).toBeGreaterThan(3900);
    await until(() => worker.health().detail).toMatchObject({ failed: 0, parked: 0, handled: 3 });
    await until(() => queue.counts()).toEqual(nothing);
  });

  test("an error with a NUL in its text, or of any length, is parked like any other", async () => {
    const queue = await lab.queue();
    await queue.send("a", "a1");
    await queue.send("b", "b1");
    const worker = await start(queue, async ({ name }) => {
      throw new Unprocessable(name === "a1" ? "no such name: \0" : "x".repeat(2_000_000));
    });
    await until(() => worker.health().detail.parked).toBe(2);
    const groups = await parkedGroups(lab.pool, queue.consumer);
    expect(groups.map(({ reason }) => reason.slice(0, 35)).toSorted()[0]).toBe(
      "Unprocessable: no such name: �",
    );
    expect(groups.every(({ reason }) => reason.length <= 20_000)).toBe(true);
  });

  test("a handler that ends the transaction itself has not handled its message", async () => {
    const queue = await lab.queue({ maxReceives: 1 });
    await queue.send("a", "a1");
    const worker = await start(queue, async (_, { tx }) => void (await tx.client.query("rollback")));
    await until(() => worker.health().detail.parked).toBe(1);
    const [group] = await parkedGroups(lab.pool, queue.consumer);
    expect(group?.reason).toContain("no commit, no rollback");
  });

  test("a failure of any kind while the database is down does not count against the message", async () => {
    const own = await bench();
    const queue = await own.queue({ maxReceives: 1 });
    await queue.send("a", "a1");
    let down = true;
    const worker = await work({
      ...common(own, queue),
      handlers: [
        on(thing, async ({ name }, { tx }: Context<Tx>) => {
          if (down) {
            await own.server.pause();
            // As a client's own time-out would be, or what a library makes of it.
            throw new Error("it took too long");
          }
          await tx.write(name);
        }),
      ],
    });
    await until(() => worker.health().detail.databaseDown).toBe(true);
    down = false;
    await own.server.resume();
    await until(() => own.effects()).toEqual(["a1"]);
    expect(worker.health().detail).toMatchObject({ parked: 0, failed: 0 });
    await worker.stop();
    await own.close();
  });

  test("connections that hang do not fill the pool: probes give theirs up, and the worker recovers", async () => {
    const queue = await lab.queue();
    const pipe = await brittlePipe(Number(new URL(lab.databaseUrl).port));
    const url = new URL(lab.databaseUrl);
    url.port = String(pipe.port);
    const pool = new Pool({
      connectionString: url.href,
      max: 2,
      connectionTimeoutMillis: 1000,
      query_timeout: 1000,
      idleTimeoutMillis: 600_000,
    });
    pool.on("error", () => {});
    await Promise.all([pool.query("select pg_sleep(0.1)"), pool.query("select pg_sleep(0.1)")]);
    const worker = await start(queue, undefined, { pool, concurrency: 2 });
    await queue.send("a", "a1");
    await until(() => effects(queue)).toEqual(["a1"]);
    pipe.swallow();
    await queue.send("a", "a2");
    await until(() => worker.health().detail.databaseDown).toBe(true);
    pipe.open();
    await until(() => effects(queue), 45_000).toEqual(["a1", "a2"]);
    expect(worker.health().detail).toMatchObject({ parked: 0, failed: 0 });
    await worker.stop();
    await pool.end();
    pipe.close();
  });

  test("a receive that is never answered ends, and the worker goes on without a restart", async () => {
    const queue = await lab.queue();
    const pipe = await brittlePipe(Number(new URL(lab.endpoint).port));
    const sqs = new SQSClient({
      endpoint: `http://127.0.0.1:${pipe.port}`,
      region: "us-east-1",
      credentials,
    });
    await queue.send("a", "a1");
    const worker = await start(queue, undefined, { sqs });
    await until(() => effects(queue)).toEqual(["a1"]);
    pipe.swallow();
    // Two rounds, so that one was begun in the silence.
    await pause(2500);
    pipe.open();
    await queue.send("a", "a2");
    await until(() => effects(queue), 45_000).toEqual(["a1", "a2"]);
    expect(worker.health()).toMatchObject({ ok: true, detail: { error: null } });
    await worker.stop();
    sqs.destroy();
    pipe.close();
  });

  test("a queue that changes while it is consumed is read again: SQS never dead-letters first", async () => {
    const queue = await lab.queue({ maxReceives: 10 });
    const reads = new Queue(lab.sqs, queue.url, silent);
    await reads.limits();
    expect(reads).toMatchObject({ visibilitySeconds: 30, maxReceives: 10 });
    const policy = { deadLetterTargetArn: queue.arn.replace(".fifo", "-dead.fifo"), maxReceiveCount: 3 };
    await lab.sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: queue.url,
        Attributes: { VisibilityTimeout: "60", RedrivePolicy: JSON.stringify(policy) },
      }),
    );
    await reads.limits();
    expect(reads).toMatchObject({ visibilitySeconds: 60, maxReceives: 3 });
  });

  test("a queue that is deleted and made anew is consumed on", async () => {
    const queue = await lab.queue();
    await queue.send("a", "a1");
    const worker = await start(queue);
    await until(() => effects(queue)).toEqual(["a1"]);
    await lab.sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
    await until(() => worker.health().detail.error !== null).toBe(true);
    await lab.sqs.send(
      new CreateQueueCommand({ QueueName: `${queue.consumer}.fifo`, Attributes: { FifoQueue: "true" } }),
    );
    await queue.send("a", "a2");
    await until(() => effects(queue)).toEqual(["a1", "a2"]);
    expect(worker.health().detail.error).toBe(null);
  });

  test("what is down for longer than all receives dead-letters nothing", async () => {
    const queue = await lab.queue({ visibility: 1, maxReceives: 1 });
    const begun = performance.now();
    const mall = createServer().listen(0, "127.0.0.1");
    await once(mall, "listening");
    const { port } = mall.address() as AddressInfo;
    mall.close();
    await queue.send("a", "a1");
    const worker = await start(queue, async () => {
      if (performance.now() - begun < 3000) await fetch(`http://127.0.0.1:${port}/the-mall-is-down`);
    });
    await until(() => effects(queue)).toEqual(["a1"]);
    expect(worker.health().detail).toMatchObject({ failed: 0, parked: 0, databaseDown: false });
    expect((await queue.counts()).dead).toBe(0);
  });

  test("a message that has to be given back at its last receive is parked with its group", async () => {
    const queue = await lab.queue({ visibility: 30, maxReceives: 1 });
    let asked = false;
    for (const name of ["a1", "a2"]) await queue.send("a", name);
    const first = await start(queue, async () => {
      asked = true;
      throw new RetryAfter(300);
    });
    await until(() => asked).toBe(true);
    await first.stop();
    expect(await parkedGroups(lab.pool, queue.consumer)).toMatchObject([{ groupId: "a" }]);
    await start(queue);
    await until(() => parkedGroups(lab.pool, queue.consumer)).toMatchObject([{ groupId: "a", messages: 2 }]);
    await until(() => queue.counts()).toEqual(nothing);
  });

  test("a handler slower than the visibility time-out is never run beside itself", async () => {
    const queue = await lab.queue({ visibility: 1, maxReceives: 3 });
    let [running, most, calls] = [0, 0, 0];
    const body: Body = async () => {
      calls += 1;
      running += 1;
      most = Math.max(most, running);
      await pause(3000);
      running -= 1;
    };
    await queue.send("a", "a1");
    const both = [await start(queue, body), await start(queue, body)];
    await until(() => effects(queue)).toEqual(["a1"]);
    await until(() => queue.counts()).toEqual(nothing);
    expect({ most, calls }).toEqual({ most: 1, calls: 1 });
    expect(both.reduce((sum, worker) => sum + worker.health().detail.repeated, 0)).toBe(0);
  });

  test("the deadline reaches the handler as an abort signal", async () => {
    const queue = await lab.queue({ visibility: 6 });
    await queue.send("a", "a1");
    let abortedAfter = 0;
    await start(queue, async (_, { signal }) => {
      const begun = performance.now();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      abortedAfter = performance.now() - begun;
    });
    await until(() => effects(queue)).toEqual(["a1"]);
    expect(abortedAfter).toBeGreaterThan(900);
    expect(abortedAfter).toBeLessThan(3000);
  });

  test("stop finishes the running handler and gives everything else back at once", async () => {
    const queue = await lab.queue({ visibility: 600 });
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    await queue.send("running", "r1");
    await queue.send("waiting", "w1");
    for (let n = 1; n <= 12; n++) await queue.send(`g${n}`, `g${n}`);
    const worker = await start(
      queue,
      async ({ group }) => {
        if (group === "waiting") throw new RetryAfter(300);
        await held;
      },
      { concurrency: 2 },
    );
    await until(() => worker.health().detail).toMatchObject({ running: 2 });
    const stopped = worker.stop();
    await pause(50);
    expect(await effects(queue)).toEqual([]);
    release();
    await stopped;
    const before = await effects(queue);
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThanOrEqual(2);
    // 600 s of visibility: the next worker gets these only because they were given back.
    await start(queue);
    await until(() => effects(queue)).toHaveLength(14);
    await until(() => queue.counts()).toEqual(nothing);
  });

  test("a failed statement that the handler swallowed is a failure, not a silent loss", async () => {
    const queue = await lab.queue({ maxReceives: 1 });
    await queue.send("a", "a1");
    const worker = await run(queue, {
      handlers: [
        on(thing, async (_, { tx }: Context<Tx>) => {
          await tx.client.query("select no_such_column").catch(() => {});
        }),
      ],
    });
    await until(() => worker.health().detail.parked).toBe(1);
    const [group] = await parkedGroups(lab.pool, queue.consumer);
    expect(group?.reason).toContain("Nothing was saved");
  });

  test("health says no until the database and the queue have answered, and tells why", async () => {
    const queue = await lab.queue();
    const pool = newPool("postgres://app@127.0.0.1:1/none");
    const worker = await start(queue, undefined, { pool });
    await until(() => worker.health()).toMatchObject({
      ok: false,
      detail: { ready: false, error: expect.stringContaining("ECONNREFUSED") },
    });
    await worker.stop();
    await pool.end();
  });

  test("two handlers for one type are refused", async () => {
    const queue = await lab.queue();
    const handler = on(thing, async ({ name }, { tx }: Context<Tx>) => tx.write(name));
    await expect(work({ ...common(lab, queue), handlers: [handler, handler] })).rejects.toThrow(
      "two handlers",
    );
  });
});
