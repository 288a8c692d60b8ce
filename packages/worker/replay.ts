import type { Pool, PoolClient } from "pg";
import type { Handler } from "./handler.ts";
import type { Log } from "./log.ts";

export type ReplayOptions<Tx> = {
  consumer: string;
  pool: Pool;
  transaction: (client: PoolClient, envelope: Record<string, unknown>) => Promise<Tx> | Tx;
  handlers: Handler<Tx>[];
  log: Log;
  /** Only this group; all parked groups of the consumer otherwise. */
  groupId?: string;
};

export type Replayed = { handled: number; left: number };

/** Runs parked messages through the same handlers, in order, each once. A group stops at its first failure. */
export async function replay<Tx>(options: ReplayOptions<Tx>): Promise<Replayed> {
  throw new Error("unfinished");
}
