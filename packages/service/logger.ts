import { pino } from "pino";
import type { DestinationStream } from "pino";
import { traceIds } from "./tracing.ts";

export type Logger = pino.Logger;

/**
 * One JSON line per entry on stdout: `time` (ISO 8601), `level` (label), `service`, `env`, `msg`, `err`;
 * `traceId` and `spanId` within a request or an event.
 *
 * `service` defaults to COPILOT_SERVICE_NAME, the level to LOG_LEVEL (info). Pass an error as `{ err }`: only its
 * type, code, message, stack and causes are written, because drivers hang whole rows on their errors.
 */
export function logger(
  service = process.env["COPILOT_SERVICE_NAME"] ?? "local",
  destination?: DestinationStream,
): Logger {
  const options: pino.LoggerOptions = {
    level: process.env["LOG_LEVEL"] || "info",
    messageKey: "msg",
    base: { service, env: process.env["COPILOT_ENVIRONMENT_NAME"] ?? "local" },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describe },
    mixin: traceIds,
  };
  // Synchronous, as console.log to a pipe is: pino's default loses what is still being written when the process exits,
  // and the last line is the one that somebody looks for.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: true }));
}

type Described = { type: string; message: string; stack?: string; code?: string; cause?: Described };

function describe(error: unknown, depth = 0): Described {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const described: Described = { type: error.name, message: error.message };
  if (error.stack) described.stack = error.stack;
  if ("code" in error && typeof error.code === "string") described.code = error.code;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  if (inner !== undefined && depth < 4) described.cause = describe(inner, depth + 1);
  return described;
}
