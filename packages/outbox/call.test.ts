import { expect, test } from "vitest";
import { nextCall } from "./call.ts";
import type { Row } from "./fetch.ts";

function row(id: number, groupId: string, topic = "sale", bytes = 100): Row {
  return {
    id: String(id),
    shard: 0,
    topic,
    groupId,
    eventId: "",
    type: "t",
    payload: "",
    traceparent: null,
    bytes,
  };
}
const ids = (rows: Row[]) => rows.map(({ id }) => Number(id));
const together = () => false;

test("a call holds one entry of a group, and later ones keep their order", () => {
  const { call, rest } = nextCall([row(1, "a"), row(2, "a"), row(3, "b"), row(4, "a")], together);
  expect(ids(call)).toEqual([1, 3]);
  expect(ids(rest)).toEqual([2, 4]);
});

test("a row whose elder of the same group had to stay behind stays behind too", () => {
  const { call } = nextCall([row(1, "a", "sale"), row(2, "b", "order"), row(3, "b", "sale")], together);
  expect(ids(call)).toEqual([1]);
});

test("a call ends at ten entries and at 250 KiB", () => {
  const many = Array.from({ length: 12 }, (_, n) => row(n, `g${n}`));
  expect(nextCall(many, together).call).toHaveLength(10);
  const big = Array.from({ length: 4 }, (_, n) => row(n, `g${n}`, "sale", 100 * 1024));
  expect(ids(nextCall(big, together).call)).toEqual([0, 1]);
});

test("a single row leaves whatever its size, and a group that failed with others leaves by itself", () => {
  expect(ids(nextCall([row(1, "a", "sale", 300 * 1024)], together).call)).toEqual([1]);
  const alone = (group: string) => group === "b";
  expect(ids(nextCall([row(1, "a"), row(2, "b"), row(3, "c")], alone).call)).toEqual([1, 3]);
  expect(ids(nextCall([row(2, "b"), row(3, "c")], alone).call)).toEqual([2]);
});
