import { expect, test } from "vitest";
import type { Row } from "./fetch.ts";
import { Hand } from "./hand.ts";

const row = (id: number, groupId: string, shard = 0): Row => ({
  id: String(id),
  shard,
  topic: "sale",
  groupId,
  eventId: "",
  type: "t",
  payload: "",
  traceparent: null,
  bytes: 100,
});
const ids = (rows: Row[]) => rows.map(({ id }) => Number(id));
const together = () => false;

test("a group whose event is in a call gives none to another call before that one is over", () => {
  const hand = new Hand();
  hand.add([row(1, "a"), row(2, "a"), row(3, "b")]);
  const first = hand.next(together);
  expect(ids(first)).toEqual([1, 3]);
  expect(hand.next(together)).toEqual([]);
  hand.landed(first);
  expect(ids(hand.next(together))).toEqual([2]);
});

test("ten groups fill one call, although each has a shard of its own", () => {
  const hand = new Hand();
  const groups = Array.from({ length: 10 }, (_, n) => n);
  hand.add([...groups.map((n) => row(n, `g${n}`, n)), ...groups.map((n) => row(10 + n, `g${n}`, n))]);
  expect(hand.next(together)).toHaveLength(10);
});

test("a call that is too small stays in hand", () => {
  const hand = new Hand();
  hand.add([row(1, "a"), row(2, "a"), row(3, "b")]);
  expect(hand.next(together, 3)).toEqual([]);
  expect(hand.waiting).toBe(3);
  expect(ids(hand.next(together, 2))).toEqual([1, 3]);
});

test("a shard is held until the last of its rows has an answer or was let go of", () => {
  const hand = new Hand();
  hand.add([row(1, "a", 1), row(2, "a", 1), row(3, "b", 2)]);
  const call = hand.next(together);
  expect([hand.holds(1), hand.holds(2), hand.holds(3)]).toEqual([true, true, false]);
  hand.landed(call);
  expect([hand.holds(1), hand.holds(2)]).toEqual([true, false]);
  hand.drop(({ groupId }) => groupId === "a");
  expect(hand.holds(1)).toBe(false);
  expect(hand.next(together)).toEqual([]);
});
