import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Pool, PoolClient } from "pg";
import type { Handler } from "./handler.ts";
import type { Log } from "./log.ts";

export type WorkOptions<Tx> = {
  /** Name of this consumer, for ever: its inbox rows are filed under it. The workload's name is a good one. */
  consumer: string;
  queueUrl: string;
  sqs: SQSClient;
  /** At least `concurrency` connections. The engine never ends it. */
  pool: Pool;
  /** Turns the client of an open transaction into what handlers get as `tx`, and sets the tenant. */
  transaction: (client: PoolClient, envelope: Record<string, unknown>) => Promise<Tx> | Tx;
  handlers: Handler<Tx>[];
  log: Log;
  /** Called after each commit, e.g. to wake the relay. */
  afterCommit?: () => void;
  /** Handlers that run at once, each with a connection of the pool. Default 8. */
  concurrency?: number;
};

export type WorkerHealth = {
  ok: boolean;
};

export type Worker = {
  health(): WorkerHealth;
  /** Lets the open receive return, finishes running handlers, gives the rest back to the queue. */
  stop(): Promise<void>;
};

export async function work<Tx>(options: WorkOptions<Tx>): Promise<Worker> {
  throw new Error("unfinished");
}
