import { afterAll, beforeAll, expect, test } from "vitest";
import { Fetcher } from "./fetch.ts";
import { SHARDS } from "./shard.ts";
import { Session } from "./session.ts";
import { testOutbox } from "./testing.ts";
import type { TestOutbox } from "./testing.ts";

let outbox: TestOutbox;
let session: Session;
beforeAll(async () => {
  outbox = await testOutbox();
  session = await Session.open({
    connect: outbox.connect,
    id: "fetch",
    timeoutMs: 5000,
    statementMs: 5000,
    onWake: () => {},
    onLost: () => {},
  });
});
afterAll(async () => {
  await session.close();
  await outbox.close();
});

test("a fetch of large events ends by their bytes, and what it leaves out are the last ones of each group", async () => {
  const groups = Array.from({ length: 20 }, (_, n) => `g${n}`);
  const large = "x".repeat(100_000);
  for (const group of groups) {
    for (const n of [1, 2, 3]) await outbox.write(group, [n], { payload: `${group}:${n}:${large}` });
  }
  const rows = await new Fetcher().fetch(session, {
    acknowledged: [],
    shards: Array.from({ length: SHARDS }, (_, n) => n),
    groups: [],
    topics: [],
    limit: 500,
    bytes: 1_000_000,
  });
  // The row that goes over the limit still comes: one event always fits.
  expect(rows.length).toBe(10);
  for (const group of groups) {
    const numbers = rows
      .filter(({ groupId }) => groupId === group)
      .map(({ payload }) => Number(payload.split(":")[1]));
    expect(numbers).toEqual([1, 2, 3].slice(0, numbers.length));
  }
});
