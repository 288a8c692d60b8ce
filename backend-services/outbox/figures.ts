import { everyHalfMinute, figuresLine } from "@noren/service";
import type { Logger } from "@noren/service";
import type { Relay, RelayHealth } from "outbox";

/** What the alarms of the relay listen to. Undefined when it is not well: silence is what the alarm `silent` listens for. */
export function figures({ ok, detail }: RelayHealth, at?: number): object | undefined {
  if (!ok) return undefined;
  const { lagMs, depth, blockedGroups, unownedShards, oldSnapshot } = detail;
  const { published, calls, failedCalls, refusedEvents, takeovers } = detail;
  return {
    ...figuresLine(
      {
        OutboxLag: { value: lagMs, unit: "Milliseconds" },
        OutboxDepth: { value: depth, unit: "Count" },
        OutboxBlockedGroups: { value: blockedGroups, unit: "Count" },
        OutboxUnownedShards: { value: unownedShards, unit: "Count" },
        OutboxOldestSnapshot: { value: oldSnapshot?.heldMs ?? 0, unit: "Milliseconds" },
      },
      at,
    ),
    // Nobody is woken by these: for a question to the log. Since the start; calls and events by error code.
    sinceStart: {
      published,
      calls,
      eventsPerCall: calls === 0 ? null : Math.round((published / calls) * 100) / 100,
      failedCalls,
      refusedEvents,
      takeovers,
    },
    // Who it is, for whoever the alarm `snapshot` wakes.
    ...(oldSnapshot ? { oldSnapshotPid: oldSnapshot.pid } : {}),
  };
}

/** Reports the figures of the relay; returns how to stop. */
export function reportFigures(relay: Relay, log: Logger): () => void {
  return everyHalfMinute(() => {
    const line = figures(relay.health());
    if (line) log.info(line, "outbox figures");
  });
}
