import { join } from "node:path";
import { isAlive } from "./identity.ts";
import { readLock } from "./lock.ts";
import type { State } from "./state.ts";
import { UserError } from "./user-error.ts";

export { UserError } from "./user-error.ts";
export type { State } from "./state.ts";

/**
 * What the workspace that runs with this data folder says of itself: the addresses of its queues and its database, its
 * environment, its workloads. Throws a UserError when none runs there.
 */
export async function findRunning(directory: string): Promise<State> {
  const held = readLock(join(directory, "lock.json"));
  if (!held || !isAlive(held)) {
    throw new UserError(
      `no workspace is running with the data folder ${directory}.`,
      "Start it with `npm start`, or name the folder of the one that runs: --data <dir>.",
    );
  }
  try {
    const answer = await fetch(`${held.url}/api/state`, { signal: AbortSignal.timeout(10_000) });
    return (await answer.json()) as State;
  } catch (error) {
    throw new UserError(
      `the workspace of ${directory} (process ${held.pid}) does not answer at ${held.url || "any address yet"}.`,
      "It is starting or stopping: wait for `all ready`, then try again.",
      { cause: error },
    );
  }
}
