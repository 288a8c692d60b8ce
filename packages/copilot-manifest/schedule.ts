import type { Schedule } from "./types.ts";

/** Reads `on.schedule` as Copilot does. Throws an Error that says why when Copilot or EventBridge would refuse it. */
export function parseSchedule(expression: string): Schedule {
  throw new Error(`not yet: ${expression}`);
}
