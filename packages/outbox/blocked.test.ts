import { afterAll, beforeAll, expect, test } from "vitest";
import { blockedEvents, retryBlocked, skipBlocked } from "./blocked.ts";
import { relay } from "./relay.ts";
import type { Relay } from "./relay.ts";
import { Sink, silent, testOutbox } from "./testing.ts";
import type { TestOutbox } from "./testing.ts";

let outbox: TestOutbox;
let engine: Relay;
const sink = new Sink();
let refused = new Set<string>();
const until = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });
beforeAll(async () => {
  outbox = await testOutbox();
  sink.behaviour = ({ payload }) =>
    refused.has(payload)
      ? { ok: false, senderFault: true, code: "InvalidParameter", message: "no" }
      : undefined;
  engine = relay({ connect: outbox.connect, publish: sink.publish, log: silent });
});
afterAll(async () => {
  await engine.stop();
  await outbox.close();
});

test("a blocked event is listed with what waits behind it, and leaves after a retry once its cause is gone", async () => {
  refused = new Set(["retried:1"]);
  await outbox.write("retried", [1, 2, 3]);
  const client = await outbox.client();
  await until(() => blockedEvents(client)).toMatchObject([
    { groupId: "retried", payload: "retried:1", error: "InvalidParameter: no", attempts: 3, behind: 2 },
  ]);
  const [event] = await blockedEvents(client);
  expect(sink.of("retried")).toEqual([]);
  refused.clear();
  expect(await retryBlocked(client, event!.id)).toMatchObject({ id: event!.id });
  await until(() => sink.of("retried")).toEqual([1, 2, 3]);
  expect(await retryBlocked(client, event!.id)).toBe(undefined);
});

test("a skipped event is never published, the next one of its group is; what is not blocked cannot be skipped", async () => {
  refused = new Set(["skipped:1", "skipped:2"]);
  await outbox.write("skipped", [1, 2, 3]);
  const client = await outbox.client();
  await until(() => blockedEvents(client)).toHaveLength(1);
  const [event] = await blockedEvents(client);
  const next = String(BigInt(event!.id) + 1n);
  expect(await skipBlocked(client, next)).toBe(undefined);
  expect(await skipBlocked(client, event!.id)).toMatchObject({ payload: "skipped:1" });
  await until(() => blockedEvents(client)).toMatchObject([{ id: next }]);
  await skipBlocked(client, next);
  await until(() => sink.of("skipped")).toEqual([3]);
});
