import { expect, test } from "vitest";
import { SHARDS, shardOf } from "./shard.ts";

// Rows in production carry these numbers. A red test here means that a relay would read a group from two shards.
test.each([
  ["", 0x811c9dc5],
  ["a", 0xe40c292c],
  ["foobar", 0xbf9cf968],
  ["b", 0xe70c2de5],
])("the FNV-1a of %j is the published one", (text, hash) => {
  expect(shardOf(text)).toBe(hash % SHARDS);
});

test.each([
  ["0199aa00-0000-7000-8000-000000000001", 42],
  ["本店:レジ1", 1],
])("the shard of %j never changes", (group, shard) => {
  expect(shardOf(group)).toBe(shard);
});

test("ids are spread over all shards", () => {
  const used = new Set(
    Array.from({ length: 2000 }, (_, n) =>
      shardOf(`0199aa00-0000-7000-8000-${n.toString(16).padStart(12, "0")}`),
    ),
  );
  expect(used.size).toBe(SHARDS);
});
