export type Figure = { value: number; unit: "Count" | "Milliseconds" };

/**
 * CloudWatch's embedded metric format: a log line with these fields becomes figures, by the fields `env` and `service`
 * that every line has. Namespace is the application's name.
 */
export function figuresLine(figures: Record<string, Figure>, at = Date.now()): object {
  const named = Object.entries(figures);
  return {
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: process.env["COPILOT_APPLICATION_NAME"] ?? "local",
          Dimensions: [["env", "service"]],
          Metrics: named.map(([Name, { unit }]) => ({ Name, Unit: unit })),
        },
      ],
    },
    ...Object.fromEntries(named.map(([name, { value }]) => [name, value])),
  };
}

/** Calls twice a minute, so that no minute is without its figures; returns how to stop. */
export function everyHalfMinute(report: () => void): () => void {
  const timer = setInterval(report, 30_000);
  timer.unref();
  return () => clearInterval(timer);
}
