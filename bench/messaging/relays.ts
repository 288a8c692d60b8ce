import { insert, relay, waker } from "outbox";
import type { Publish } from "outbox";
import { floorRelay } from "./floor.ts";
import { event } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** Something that empties the outbox through `publish` until it is stopped. */
export type StartRelay = (rig: Rig, publish: Publish) => Promise<{ stop(): Promise<void> }>;

export const silent = { debug() {}, info() {}, warn() {}, error() {} };

export const floor: StartRelay = async (rig, publish) => {
  const client = rig.connect();
  await client.connect();
  const loop = floorRelay(client, publish);
  return {
    async stop() {
      await loop.stop();
      await client.end();
    },
  };
};

export const ours: StartRelay = async (rig, publish) => relay({ connect: rig.connect, publish, log: silent });

/** Events per second out of a full outbox, from the first call to the last answer. */
export async function drain(rig: Rig, start: StartRelay, events: number, groups: number): Promise<number> {
  await rig.fill(events, groups);
  const topic = await rig.topic();
  let startedAt = 0;
  let published = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const one = await start(rig, async (name, rows) => {
    startedAt ||= performance.now();
    const answers = await topic.publish(name, rows);
    published += answers.filter(({ ok }) => ok).length;
    if (published >= events) finish();
    return answers;
  });
  await finished;
  const perSecond = (events / (performance.now() - startedAt)) * 1000;
  await one.stop();
  await rig.dropQueues(topic.queues);
  return perSecond;
}

/** The same while somebody keeps a snapshot open that is older than all of it: no deleted row is vacuumed. */
export async function drainBesideOldSnapshot(
  rig: Rig,
  start: StartRelay,
  events: number,
  groups: number,
): Promise<number> {
  const old = rig.connect();
  await old.connect();
  await old.query("begin isolation level repeatable read");
  await old.query("select 1");
  try {
    return await drain(rig, start, events, groups);
  } finally {
    await old.end();
  }
}

/** From commit to the topic's answer, in ms, sorted, at `perSecond` events a second whatever the relay does. */
export async function latencies(
  rig: Rig,
  start: StartRelay,
  seconds: number,
  perSecond: number,
): Promise<number[]> {
  await rig.owner.query("truncate outbox");
  const topic = await rig.topic();
  const committedAt = new Map<string, number>();
  const times: number[] = [];
  const events = seconds * perSecond;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const one = await start(rig, async (name, rows) => {
    const answers = await topic.publish(name, rows);
    const now = performance.now();
    for (const { eventId } of rows) {
      const at = committedAt.get(eventId);
      // Those that warm it up are not in the map. One that is out before its writer knows of its commit took no time.
      if (at !== undefined) times.push(Math.max(0, now - at));
    }
    if (times.length >= events) finish();
    return answers;
  });
  const wake = waker(rig.connect);
  const write = async (n: number, measured: boolean) => {
    const row = event(n, 1000);
    if (measured) committedAt.set(row.eventId, Infinity);
    await insert(rig.owner, [row]);
    if (measured) committedAt.set(row.eventId, performance.now());
    wake.wake();
  };
  for (let n = 0; n < 100; n++) await write(n, false);
  const beganAt = performance.now();
  const writes: Promise<void>[] = [];
  for (let n = 0; n < events; n++) {
    const wait = beganAt + (n / perSecond) * 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    writes.push(write(n, true));
  }
  await Promise.all(writes);
  await finished;
  await one.stop();
  await wake.close();
  await rig.dropQueues(topic.queues);
  return times.sort((a, b) => a - b);
}
