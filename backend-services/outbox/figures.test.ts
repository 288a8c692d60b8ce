import { readFileSync } from "node:fs";
import type { RelayHealth } from "outbox";
import { expect, test } from "vitest";
import { figures } from "./figures.ts";

const detail: RelayHealth["detail"] = {
  id: "relay",
  connected: true,
  shards: 64,
  unownedShards: 0,
  relays: 1,
  lagMs: 1200,
  depth: 3,
  blockedGroups: 1,
  waitingGroups: 0,
  oldSnapshot: null,
  published: 9,
  calls: 2,
  failedCalls: { TimeoutError: 1 },
  refusedEvents: {},
  takeovers: 1,
  lastPublishedAt: null,
  error: null,
};

test("a relay that works reports its lag, its depth, its blocked groups and the shards that nobody owns", () => {
  expect(figures({ ok: true, detail }, 5)).toMatchObject({
    _aws: { Timestamp: 5, CloudWatchMetrics: [{ Dimensions: [["env", "service"]] }] },
    OutboxLag: 1200,
    OutboxDepth: 3,
    OutboxBlockedGroups: 1,
    OutboxUnownedShards: 0,
    OutboxOldestSnapshot: 0,
  });
});

test("what no alarm listens to stands in the same line: calls, how full they are, errors by code, takeovers", () => {
  expect(figures({ ok: true, detail })).toMatchObject({
    sinceStart: {
      published: 9,
      calls: 2,
      eventsPerCall: 4.5,
      failedCalls: { TimeoutError: 1 },
      takeovers: 1,
    },
  });
});

test("who keeps an old snapshot stands in the line whose figure rings", () => {
  const oldSnapshot = { pid: 4711, heldMs: 61_000 };
  expect(figures({ ok: true, detail: { ...detail, oldSnapshot } })).toMatchObject({
    OutboxOldestSnapshot: 61_000,
    oldSnapshotPid: 4711,
  });
  expect(figures({ ok: true, detail })).not.toHaveProperty("oldSnapshotPid");
});

test("a relay that hangs is silent, because its last figures would look well", () => {
  expect(figures({ ok: false, detail })).toBeUndefined();
});

test("every figure that an alarm watches is reported, and each reported figure is watched", () => {
  const patches = new URL("../../copilot/backend-outbox/overrides/cfn.patches.yml", import.meta.url);
  const watched = readFileSync(patches, "utf8").matchAll(/MetricName: (Outbox\w+)/g);
  const reported = Object.keys(figures({ ok: true, detail }) ?? {}).filter((key) => key.startsWith("Outbox"));
  expect(new Set(Array.from(watched, ([, name]) => name))).toEqual(new Set(reported));
});
