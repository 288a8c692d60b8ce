import type { Client } from "pg";
import type { Publish } from "./publish.ts";

/** Makes a new `pg` client that is not connected yet. Straight to the server: poolers break locks and LISTEN. */
export type Connect = () => Client | Promise<Client>;

/** pino fits. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type RelayOptions = {
  connect: Connect;
  publish: Publish;
  log: Log;
  /** Name in relay_member and in logs. Default: host name, process id and a random part. */
  id?: string;
  /** Calls in flight at once, 1–64. Default 8. */
  lanes?: number;
  /** The server drops a session that is silent for so long, and with it the shards of a frozen relay. Default 5000 ms. */
  sessionTimeoutMs?: number;
};

export type RelayHealth = {
  ok: boolean;
};

export type Relay = {
  health(): RelayHealth;
  /** Finishes the calls in flight, deletes what was acknowledged, gives the shards back. */
  stop(): Promise<void>;
};

export function relay(options: RelayOptions): Relay {
  throw new Error("unfinished");
}
