import type { Logger } from "@noren/service";
import type { Relay, RelayHealth } from "outbox";

const EVERY_MS = 30_000;

/**
 * CloudWatch's embedded metric format: a log line with these fields becomes figures, by the fields `env` and `service`
 * that every line has. Undefined when the relay is not well: silence is what the alarm `silent` listens for.
 */
export function figures({ ok, detail }: RelayHealth, namespace: string, at = Date.now()): object | undefined {
  if (!ok) return undefined;
  return {
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [["env", "service"]],
          Metrics: [
            { Name: "OutboxLag", Unit: "Milliseconds" },
            { Name: "OutboxDepth", Unit: "Count" },
            { Name: "OutboxBlockedGroups", Unit: "Count" },
          ],
        },
      ],
    },
    OutboxLag: detail.lagMs,
    OutboxDepth: detail.depth,
    OutboxBlockedGroups: detail.blockedGroups,
  };
}

/** Reports twice a minute, so that no minute is without; returns how to stop. */
export function reportFigures(relay: Relay, log: Logger): () => void {
  const namespace = process.env["COPILOT_APPLICATION_NAME"] ?? "local";
  const timer = setInterval(() => {
    const line = figures(relay.health(), namespace);
    if (line) log.info(line, "outbox figures");
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
