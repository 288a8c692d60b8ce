import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { FaultProxy } from "fault-proxy";
import { retryBlocked, skipBlocked } from "outbox";
import { nothingWrong } from "./lab.ts";
import type { Lab, RelayProcess } from "./lab.ts";
import { LONGEST_MS, labs, until, upTo } from "./testing.ts";

const open = labs();
const groups = upTo(12).map((n) => `g${n}`);

/** How many entries came by in PublishBatch calls. */
const published = (...proxies: FaultProxy[]) =>
  proxies
    .flatMap((proxy) => proxy.of("PublishBatch"))
    .reduce((sum, { text }) => sum + text.split("MessageDeduplicationId=").length - 1, 0);

const shardsOf = async (relay: RelayProcess) => (await relay.health())?.detail.shards;

/** Two relays that share the shards, each behind a proxy of its own, and a worker. */
async function twoRelays(lab: Lab, sessionTimeoutMs: number) {
  const worker = lab.worker(await lab.queue());
  const [first, second] = [await lab.anotherProxy(), await lab.anotherProxy()];
  const one = lab.relay("one", { proxy: first, sessionTimeoutMs });
  const two = lab.relay("two", { proxy: second, sessionTimeoutMs });
  await until(async () => [await shardsOf(one), await shardsOf(two)], [32, 32]);
  await lab.roundsWithoutOwner();
  return { worker, one, two, first, second };
}

describe.concurrent("relay", { timeout: 2 * LONGEST_MS }, () => {
  test("fault 1: a relay killed in mid-publish is taken over; nothing is lost, doubled or out of order", async (context) => {
    const lab = await open(context);
    // A minute until the server would end a silent session: it is the closed socket that frees the shards.
    const { one, two, first, second } = await twoRelays(lab, 60_000);
    first.add({ actions: ["PublishBatch"], fault: { kind: "delay", ms: 200, of: "answer" } });
    await lab.write(groups, 8);
    const underWay = () => first.of("PublishBatch").filter(({ endedAt }) => endedAt === undefined).length;
    await until(underWay, (calls: number) => calls > 0);
    await one.end("SIGKILL");
    await until(() => shardsOf(two), 64);
    const rounds = await lab.roundsWithoutOwner();
    expect(rounds).toBeGreaterThan(0);
    // A second.
    expect(rounds).toBeLessThanOrEqual(4);
    expect(await lab.settled()).toEqual(nothingWrong);
    const repeats = published(first, second) - groups.length * 8;
    expect(repeats).toBeGreaterThan(0);
    expect(repeats).toBeLessThanOrEqual(80);
  });

  test("fault 2: a relay frozen in mid-publish is taken over after its session time-out, and begins no call when it thaws", async (context) => {
    const lab = await open(context);
    const { one, two, first } = await twoRelays(lab, 1000);
    first.add({ actions: ["PublishBatch"], fault: { kind: "delay", ms: 50, of: "answer" } });
    await lab.write(groups, 12);
    await until(
      () => first.of("PublishBatch").length,
      (calls: number) => calls > 3,
    );
    one.signal("SIGSTOP");
    await until(() => shardsOf(two), 64);
    // Once the server has ended the silent session: half a second, and as much for a busy server to free all of its locks.
    expect(await lab.roundsWithoutOwner()).toBeLessThanOrEqual(4);
    expect(await lab.settled()).toEqual(nothingWrong);
    const before = first.of("PublishBatch").length;
    const thawedAt = Date.now();
    one.signal("SIGCONT");
    await until(async () => [await shardsOf(one), await shardsOf(two)], [32, 32]);
    // Calls that were signed before the freeze may still leave (packages/outbox/crash.test.ts says why), none is begun.
    const late = first.of("PublishBatch").slice(before);
    const signedAt = late.map(({ headers }) =>
      Date.parse(String(headers["x-amz-date"]).replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z")),
    );
    expect(late.length).toBeLessThanOrEqual(8);
    // The date of a signature has no fractions of a second; the freeze lasted for longer than one.
    for (const at of signedAt) expect(at).toBeLessThan(thawedAt - 1000);
    // The topic knows what they carry: nothing is published after the thaw.
    expect(lab.queues[0]!.state().counts.accepted).toBe(groups.length * 12);
    await lab.write(groups, 1);
    expect(await lab.settled()).toEqual(nothingWrong);
  });

  test("fault 3: while the broker answers 500, 503, throttles or nothing, the pauses grow, and other groups continue", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    lab.worker(queue);
    const relay = lab.relay("one", { publishTimeoutMs: 2000 });
    await until(() => shardsOf(relay), 64);
    const sick = { actions: ["PublishBatch"], match: "MessageGroupId=sick" };
    for (const [status, code] of [
      [500, "InternalError"],
      [503, "ServiceUnavailable"],
      [400, "ThrottledException"],
    ] as const) {
      lab.proxy.add({ ...sick, times: 1, fault: { kind: "error", status, code } });
    }
    lab.proxy.add({ ...sick, fault: { kind: "silence" } });
    await lab.write("sick", 3);
    const tries = () => lab.proxy.of("PublishBatch");
    await until(
      () => tries().length,
      (calls: number) => calls >= 4,
    );
    // 0.1, 0.2, 0.4 s, less at most half for the jitter.
    for (const [n, least] of [50, 100, 200].entries())
      expect(tries()[n + 1]!.at - tries()[n]!.at).toBeGreaterThan(least - 5);
    await lab.write(groups, 3);
    await until(async () => (await lab.effects(queue)).length, groups.length * 3);
    await until(async () => (await relay.health())?.detail, { depth: 3, blockedGroups: 0 });
    lab.proxy.clear();
    expect(await lab.settled()).toEqual(nothingWrong);
  });

  test("fault 4: answers that are lost after success repeat the call, and no effect", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    lab.worker(queue);
    const lost = lab.proxy.add({
      actions: ["PublishBatch"],
      chance: 0.4,
      times: 10,
      fault: { kind: "lose" },
    });
    lab.relay("one");
    await lab.write(groups, 5);
    expect(await lab.settled()).toEqual(nothingWrong);
    expect(lost.used).toBeGreaterThan(3);
    // The topic knows the event ids: nothing came twice as far as the queue.
    expect(published(lab.proxy)).toBeGreaterThan(groups.length * 5);
    expect(queue.state().counts.accepted).toBe(groups.length * 5);
  });

  test("fault 5: entries that fail one by one, in bursts of a group, misorder none of 3,000", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    const failing = lab.proxy.add({
      actions: ["PublishBatch"],
      chance: 0.02,
      fault: { kind: "partial", code: "InternalError", senderFault: false },
    });
    // Bursts of four, so that several events of a group are in hand at once.
    const many = upTo(75).map((n) => `g${n}`);
    for (const _ of upTo(10)) await lab.write(many, 4);
    lab.relay("one");
    await until(async () => (await lab.verdict()).left, 3000);
    await until(async () => (await lab.rows("select from outbox limit 1")).length, 0);
    expect(failing.used).toBeGreaterThan(20);
    const arrived = queue
      .state()
      .messages.map(({ body }) => JSON.parse(body) as { group: string; n: number });
    for (const [group, events] of Map.groupBy(arrived, (event) => event.group)) {
      expect([group, events.map(({ n }) => n)]).toEqual([group, upTo(40)]);
    }
    expect(arrived).toHaveLength(3000);
  });

  test("fault 6: an entry refused for good blocks its group and says so, others flow, and retry and skip free it", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    lab.worker(queue);
    const relay = lab.relay("one");
    const refused = lab.proxy.add({
      match: /MessageGroupId=bad\b/,
      fault: { kind: "partial", code: "InvalidParameter", senderFault: true },
    });
    await lab.write("bad", 3);
    await lab.write(groups, 2);
    await until(async () => (await relay.health())?.detail, { blockedGroups: 1, depth: 3 });
    await until(async () => (await lab.effects(queue)).length, groups.length * 2);
    const client = await lab.client();
    const blocked = () => lab.rows<{ id: string }>("select id from outbox where blocked_at is not null");
    expect(refused.used).toBe(3);
    const [first] = await blocked();
    expect(await retryBlocked(client, first!.id)).toMatchObject({ groupId: "bad", behind: 2 });
    await until(() => refused.used, 6);
    await until(blocked, [{ id: first!.id }]);
    // Given up for good: its fact must not be expected any more.
    const skipped = await skipBlocked(client, first!.id);
    await lab.rows("delete from fact where event_id = $1", [skipped!.eventId]);
    lab.proxy.clear();
    expect(await lab.settled()).toEqual(nothingWrong);
    expect((await lab.effects(queue)).filter((name) => name.startsWith("bad"))).toEqual(["bad-2", "bad-3"]);
  });

  test("fault 7: a call repeated after the broker has forgotten it arrives twice and takes effect once", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    lab.worker(queue);
    const lost = lab.proxy.add({ actions: ["PublishBatch"], fault: { kind: "lose", silently: true } });
    const one = lab.relay("one");
    await lab.write(groups, 1);
    await until(async () => (await lab.effects(queue)).length, groups.length);
    expect(lost.used).toBeGreaterThan(0);
    // It never learns that its calls had succeeded, and its successor comes when nobody remembers the event ids.
    await one.end("SIGKILL");
    lab.proxy.clear();
    lab.stub.advance(6 * 60_000);
    await lab.write(groups, 1);
    lab.relay("two");
    expect(await lab.settled()).toEqual(nothingWrong);
    expect(queue.state().counts.accepted).toBe(groups.length * 3);
  });

  test("fault 8: relays that come and go one after the other leave no shard without an owner, and send nothing twice", async (context) => {
    const lab = await open(context);
    lab.worker(await lab.queue());
    const writing = new AbortController();
    let written = 0;
    const writer = (async () => {
      while (!writing.signal.aborted) {
        await lab.write(groups, 1);
        written += groups.length;
        await pause(50);
      }
    })();
    // Whoever gives up a call or loses its session sends again, rightly: a busy machine must not look like one or the other.
    const patient = { sessionTimeoutMs: 60_000, publishTimeoutMs: 60_000 };
    const [one, two] = [lab.relay("one", patient), lab.relay("two", patient)];
    await until(async () => [await shardsOf(one), await shardsOf(two)], [32, 32]);
    await lab.roundsWithoutOwner();
    expect(await one.end("SIGTERM")).toBe(0);
    await until(async () => (await two.health())?.detail, { shards: 64, unownedShards: 0 });
    const three = lab.relay("three", patient);
    await until(async () => [await shardsOf(two), await shardsOf(three)], [32, 32]);
    expect(await two.end("SIGTERM")).toBe(0);
    await until(async () => (await three.health())?.detail, { shards: 64, unownedShards: 0, relays: 1 });
    // A second.
    const rounds = await lab.roundsWithoutOwner();
    expect(rounds).toBeGreaterThan(0);
    expect(rounds).toBeLessThanOrEqual(4);
    writing.abort();
    await writer;
    expect(await lab.settled()).toEqual(nothingWrong);
    expect(published(lab.proxy)).toBe(written);
  });

  test("fault 9: a writer that holds its transaction open delays nobody else, and its events arrive when it commits", async (context) => {
    const lab = await open(context);
    const queue = await lab.queue();
    lab.worker(queue);
    lab.relay("one");
    const slow = await lab.client("writer");
    await slow.query("begin");
    await lab.write("slow", 2, {}, slow);
    // Drawn later, committed earlier: a reader that remembers the highest id would never see the slow ones.
    const quick = await lab.client("judge");
    await quick.query("begin");
    await lab.write(groups, 2, {}, quick);
    await quick.query("commit");
    // However long the slow one takes: it does not end before all others are through.
    await until(async () => (await lab.effects(queue)).length, groups.length * 2);
    await slow.query("commit");
    expect(await lab.settled()).toEqual(nothingWrong);
  });

  test("fault 24: a queue that gets SNS's envelope and one that gets the raw body have the same effects", async (context) => {
    const lab = await open(context);
    const queues = [await lab.queue({ name: "raw" }), await lab.queue({ name: "enveloped", raw: false })];
    for (const queue of queues) lab.worker(queue);
    lab.relay("one");
    await lab.write(groups, 2);
    expect(await lab.settled()).toEqual(nothingWrong);
    const [raw, enveloped] = [await lab.effects(queues[0]!), await lab.effects(queues[1]!)];
    expect(raw.toSorted()).toEqual(enveloped.toSorted());
    expect(raw).toHaveLength(groups.length * 2);
  });
});
