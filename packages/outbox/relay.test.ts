import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { insert } from "./insert.ts";
import { grants, migrations } from "./migrations.ts";
import { TopicUnavailable } from "./publish.ts";
import { relay } from "./relay.ts";
import type { Relay, RelayOptions } from "./relay.ts";
import { Sink, event, silent, testOutbox } from "./testing.ts";
import type { TestOutbox } from "./testing.ts";
import { waker } from "./waker.ts";

let outbox: TestOutbox;
let sink: Sink;
let relays: Relay[] = [];

beforeAll(async () => {
  outbox = await testOutbox();
});
afterAll(() => outbox.close());
beforeEach(() => {
  sink = new Sink();
});
afterEach(async () => {
  await Promise.all(relays.map((one) => one.stop()));
  relays = [];
  await outbox.rows("truncate outbox");
});

function start(options: Partial<RelayOptions> = {}): Relay {
  const one = relay({ connect: outbox.connect, publish: sink.publish, log: silent, ...options });
  relays.push(one);
  return one;
}

const until = <T>(read: () => T | Promise<T>, timeout = 15_000) =>
  expect.poll(read, { timeout, interval: 10 });
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test("what was committed leaves in the order of each group, and the table is empty afterwards", async () => {
  const groups = upTo(20).map((n) => `g${n}`);
  for (const group of groups) await outbox.write(group, upTo(15));
  start();
  await until(() => sink.accepted.length).toBe(300);
  for (const group of groups) expect(sink.of(group)).toEqual(upTo(15));
  await until(() => outbox.depth()).toBe(0);
  expect(sink.repeats()).toBe(0);
});

test("one call never holds two events of a group, and fills up to ten", async () => {
  for (const group of upTo(64).map((n) => `g${n}`)) await outbox.write(group, upTo(5));
  start({ lanes: 2 });
  await until(() => sink.accepted.length).toBe(320);
  for (const { groups } of sink.calls) expect(new Set(groups).size).toBe(groups.length);
  expect(Math.max(...sink.calls.map(({ groups }) => groups.length))).toBe(10);
});

test("writers that commit late and out of order lose nothing", async () => {
  start();
  const writers = 6;
  const each = 40;
  await Promise.all(
    upTo(writers).map(async (writer) => {
      const client = await outbox.client();
      for (const n of upTo(each)) {
        await client.query("begin");
        // The id is drawn here, the commit comes later: other writers' higher ids are visible first.
        await insert(client, [event(`w${writer}`, n)]);
        await pause(Math.random() * 10);
        await client.query("commit");
      }
    }),
  );
  await until(() => sink.accepted.length).toBe(writers * each);
  for (const writer of upTo(writers)) expect(sink.of(`w${writer}`)).toEqual(upTo(each));
  await until(() => outbox.depth()).toBe(0);
});

test("a writer that holds its transaction open delays nobody else", async () => {
  start();
  const slow = await outbox.client();
  await slow.query("begin");
  await insert(slow, [event("slow", 1)]);
  await outbox.write("quick", [1, 2]);
  await until(() => sink.of("quick")).toEqual([1, 2]);
  expect(sink.of("slow")).toEqual([]);
  await slow.query("commit");
  await until(() => sink.of("slow")).toEqual([1]);
});

test("an event that is not accepted holds back its own group only, and leaves first", async () => {
  let refusals = 2;
  sink.behaviour = ({ payload }) =>
    payload === "bad:1" && refusals-- > 0
      ? { ok: false, senderFault: false, code: "InternalError", message: "" }
      : undefined;
  await outbox.write("bad", [1, 2, 3]);
  await outbox.write("good", [1, 2, 3]);
  start();
  await until(() => sink.of("good")).toEqual([1, 2, 3]);
  await until(() => sink.of("bad")).toEqual([1, 2, 3]);
  expect(refusals).toBeLessThan(0);
});

test("an event that the topic refuses for good blocks its group after three tries, until somebody frees it", async () => {
  let cured = false;
  sink.behaviour = ({ payload }) =>
    payload === "bad:1" && !cured
      ? { ok: false, senderFault: true, code: "InvalidParameter", message: "no" }
      : undefined;
  await outbox.write("bad", [1, 2]);
  const engine = start();
  await until(() => engine.health().detail.blockedGroups).toBe(1);
  const client = await outbox.client();
  const { rows } = await client.query(
    "select attempts, error, blocked_at is not null as blocked from outbox order by id",
  );
  expect(rows).toEqual([
    { attempts: 3, error: "InvalidParameter: no", blocked: true },
    { attempts: 0, error: null, blocked: false },
  ]);
  await outbox.write("good", [1]);
  await until(() => sink.of("good")).toEqual([1]);
  expect(sink.of("bad")).toEqual([]);

  cured = true;
  await client.query("update outbox set blocked_at = null, attempts = 0 where blocked_at is not null");
  await until(() => sink.of("bad")).toEqual([1, 2]);
});

test("a topic that may not be published to waits as a whole; no event is marked, other topics flow", async () => {
  let missing = true;
  const refused: string[] = [];
  sink.behaviour = (_, topic) => {
    if (topic !== "order" || !missing) return;
    refused.push(topic);
    throw new TopicUnavailable("no such topic");
  };
  for (const n of upTo(5)) await outbox.write(`o${n}`, [1], { topic: "order" });
  await outbox.write("s", [1, 2]);
  const engine = start();
  await until(() => sink.of("s")).toEqual([1, 2]);
  await until(() => engine.health().detail.error).toBe("no such topic");
  expect(await outbox.rows("select sum(attempts)::int as n from outbox")).toEqual([{ n: 0 }]);
  missing = false;
  await until(() => sink.accepted.length).toBe(7);
  await until(() => engine.health().detail.error).toBe(null);
});

test("a broker that is down is asked with growing pauses, and everything leaves in order when it is back", async () => {
  let down = true;
  sink.behaviour = () => {
    if (down) throw new Error("503");
  };
  for (const n of upTo(30)) await outbox.write(`g${n}`, [1, 2]);
  const engine = start();
  await until(() => engine.health().detail.error).toContain("broker: Error: 503");
  await pause(1000);
  // 60 events, 8 lanes: without pauses this would be thousands.
  expect(sink.calls.length).toBeLessThan(150);
  down = false;
  await until(() => sink.accepted.length).toBe(60);
  for (const n of upTo(30)) expect(sink.of(`g${n}`)).toEqual([1, 2]);
  expect(engine.health().detail.error).toBe(null);
});

test("calls that hang keep their own groups waiting and, while a lane is free, nobody else", async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  sink.behaviour = ({ payload }) => (payload.startsWith("hangs") ? held : undefined);
  start({ lanes: 8 });
  for (const n of upTo(7)) {
    await outbox.write(`hangs${n}`, [1]);
    await until(() => sink.calls.length).toBe(n);
  }
  await outbox.write("new", [1, 2]);
  await until(() => sink.of("new")).toEqual([1, 2]);
  release();
  await until(() => sink.accepted.length).toBe(9);
  expect(sink.repeats()).toBe(0);
});

test("one event that makes its whole call fail does not take others with it", async () => {
  sink.behaviour = ({ payload }) => {
    if (payload === "bad:1") throw new Error("cannot serialise");
  };
  for (const n of upTo(9)) await outbox.write(`g${n}`, [1]);
  await outbox.write("bad", [1]);
  start({ lanes: 1 });
  await until(() => sink.accepted.length).toBe(9);
  expect(sink.of("bad")).toEqual([]);
});

test("a tenant with a large backlog does not keep others waiting", async () => {
  const client = await outbox.client();
  const [big, small] = ["00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"];
  for (const n of upTo(20)) {
    await insert(
      client,
      upTo(500).map((i) => event(`big${n}-${i % 50}`, i, { tenant: big })),
    );
  }
  await outbox.write("small", [1, 2, 3], { tenant: small });
  sink.behaviour = () => pause(2);
  start({ lanes: 2 });
  await until(() => sink.of("small").length).toBe(3);
  // 10,000 are before them by id.
  expect(sink.accepted.length).toBeLessThan(1500);
});

test("two relays share the shards, and a rolling hand-over publishes nothing twice and out of order", async () => {
  const groups = upTo(40).map((n) => `g${n}`);
  const first = start();
  await until(() => first.health().detail.shards).toBe(64);
  const writing = new AbortController();
  let written = 0;
  const writer = (async () => {
    while (!writing.signal.aborted) {
      written += 1;
      for (const group of groups) await outbox.write(group, [written]);
    }
  })();
  const second = start();
  await until(() => [first.health().detail.shards, second.health().detail.shards]).toEqual([32, 32]);
  expect(first.health().detail.relays).toBe(2);
  await first.stop();
  await until(() => second.health().detail.shards).toBe(64);
  await until(() => second.health().detail.unownedShards).toBe(0);
  writing.abort();
  await writer;
  await until(() => sink.accepted.length).toBe(written * groups.length);
  for (const group of groups) expect(sink.of(group)).toEqual(upTo(written));
  expect(sink.repeats()).toBe(0);
});

test("stop lets the calls in flight finish and deletes what they brought out", async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  sink.behaviour = () => held;
  await outbox.write("g", [1, 2]);
  const engine = start();
  await until(() => sink.calls.length).toBe(1);
  const stopped = engine.stop();
  release();
  await stopped;
  expect(sink.of("g")).toEqual([1]);
  expect(await outbox.depth()).toBe(1);
  expect(await outbox.rows("select from relay_member")).toEqual([]);
});

test("stop keeps the shards until its last call is over, also one that is longer than the session time-out", async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  sink.behaviour = () => held;
  await outbox.write("g", [1, 2]);
  const engine = start({ sessionTimeoutMs: 300 });
  await until(() => sink.calls.length).toBe(1);
  const stopped = engine.stop();
  const second = start();
  await until(() => second.health().detail.relays).toBe(2);
  await pause(1000);
  expect(sink.calls.length).toBe(1);
  release();
  await stopped;
  await until(() => outbox.depth()).toBe(0);
  expect(sink.of("g")).toEqual([1, 2]);
  expect(sink.repeats()).toBe(0);
});

test("a publisher that rejects with no error at all is tried again like any other", async () => {
  let rejections = 3;
  sink.behaviour = () => {
    // oxlint-disable-next-line typescript/only-throw-error -- what other people's code may do
    if (rejections-- > 0) throw undefined;
  };
  await outbox.write("g", [1, 2]);
  const engine = start();
  await until(() => sink.of("g")).toEqual([1, 2]);
  expect(engine.health().detail).toMatchObject({ failedCalls: { Error: 3 }, refusedEvents: {} });
});

test("outboxes in two schemas of one database each have all their shards", async () => {
  const client = await outbox.client();
  await client.query(`create schema other; set search_path = other`);
  for (const { sql } of migrations) await client.query(sql);
  await insert(client, [event("other", 1)]);
  await outbox.write("g", [1]);
  const engine = start();
  const url = `${outbox.url}?options=-csearch_path%3Dother`;
  const other = start({ connect: () => new Client({ connectionString: url }) });
  await until(() => sink.accepted.toSorted()).toEqual(["g:1", "other:1"]);
  for (const one of [engine, other]) {
    await until(() => one.health().detail).toMatchObject({ shards: 64, unownedShards: 0, relays: 1 });
  }
  expect(sink.repeats()).toBe(0);
  await client.query("drop schema other cascade");
});

test("a database that is slower than the session time-out makes the relay slow, not stand still", async () => {
  const client = await outbox.client();
  await client.query(`create role slow login; ${grants({ writers: "slow", relay: "slow" })}
    alter table outbox enable row level security;
    create policy slowly on outbox to slow using ((select pg_sleep(0.1)) is not null)`);
  await outbox.write("g", [1, 2]);
  const url = outbox.url.replace(/\/\/[^@]*@/, "//slow@");
  const engine = start({ sessionTimeoutMs: 200, connect: () => new Client({ connectionString: url }) });
  await until(() => sink.of("g"), 30_000).toEqual([1, 2]);
  expect(engine.health().detail.blockedGroups).toBe(0);
  await engine.stop();
  await client.query("drop policy slowly on outbox; alter table outbox disable row level security");
});

test("what a topic would refuse for good is the writer's error", async () => {
  const client = await outbox.client();
  for (const bad of [
    { groupId: "two words" },
    { groupId: "店" },
    { type: "" },
    { payload: "x".repeat(245_761) },
  ]) {
    await expect(insert(client, [event("g", 1, bad)])).rejects.toMatchObject({ code: "23514" });
  }
});

test("a relay that is found dead is counted as taken over", async () => {
  await outbox.rows("truncate relay_member");
  await outbox.rows("insert into relay_member (id, pid) values ('dead', 0)");
  const engine = start();
  await until(() => engine.health().detail.takeovers).toBe(1);
  expect(await outbox.rows("select from relay_member where id = 'dead'")).toEqual([]);
});

test("a database restart ends nothing: the relay comes back and loses no event", async () => {
  const own = await testOutbox();
  const engine = relay({ connect: own.connect, publish: sink.publish, log: silent });
  await own.write("g", [1]);
  await until(() => sink.of("g")).toEqual([1]);
  expect(engine.health()).toMatchObject({ ok: true, detail: { connected: true, error: null } });
  await own.server.pause();
  await until(() => engine.health().detail).toMatchObject({
    connected: false,
    shards: 0,
    error: expect.stringContaining("database:"),
  });
  await own.server.resume();
  const writer = await own.client();
  await insert(writer, [event("g", 2)]);
  await until(() => sink.of("g")).toEqual([1, 2]);
  expect(engine.health()).toMatchObject({ ok: true, detail: { connected: true, error: null } });
  await engine.stop();
  await own.close();
});

test("a wake-up after commit is faster than the poll", async () => {
  const engine = start();
  await until(() => engine.health().detail.shards).toBe(64);
  const woken = vi.fn<() => void>();
  const listener = await outbox.client();
  listener.on("notification", woken);
  await listener.query("listen outbox");
  const wake = waker(outbox.connect);
  for (let n = 0; n < 100; n++) wake.wake();
  await until(() => woken.mock.calls.length).toBeGreaterThan(0);
  await pause(50);
  // A hundred calls at once are one or two notifications.
  expect(woken.mock.calls.length).toBeLessThan(5);

  const times: number[] = [];
  for (const n of upTo(20)) {
    const begun = performance.now();
    await outbox.write("quick", [n]);
    wake.wake();
    while (sink.of("quick").length < n) await pause(1);
    times.push(performance.now() - begun);
    await pause(Math.random() * 300);
  }
  await wake.close();
  times.sort((a, b) => a - b);
  expect(times[10]).toBeLessThan(100);
});

test("health tells the age and number of what waits", async () => {
  let open = false;
  sink.behaviour = () =>
    open ? undefined : { ok: false, senderFault: false, code: "Throttled", message: "" };
  await outbox.write("g", [1, 2]);
  const engine = start();
  await until(() => engine.health().detail).toMatchObject({
    depth: 2,
    waitingGroups: 1,
    published: 0,
    lastPublishedAt: null,
  });
  await until(() => engine.health().detail.lagMs).toBeGreaterThan(1000);
  open = true;
  await until(() => engine.health().detail).toMatchObject({
    depth: 0,
    lagMs: 0,
    waitingGroups: 0,
    published: 2,
  });
  expect(Date.parse(engine.health().detail.lastPublishedAt ?? "")).toBeGreaterThan(Date.now() - 10_000);
});

test("writing notifies nobody by itself: a NOTIFY in the writing transaction would queue the commits of all", async () => {
  const heard = vi.fn<() => void>();
  const listener = await outbox.client();
  listener.on("notification", heard);
  await listener.query("listen outbox");
  const writer = await outbox.client();
  await writer.query("begin");
  await insert(writer, [event("g", 1)]);
  await writer.query("commit");
  // Notifications come in the order of commits: had the writer sent one, it would be before this.
  await writer.query("notify outbox, 'last'");
  await until(() => heard.mock.calls.length).toBeGreaterThan(0);
  expect(heard.mock.calls).toMatchObject([[{ payload: "last" }]]);
});
