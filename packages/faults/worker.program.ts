// A worker in a process of its own, whose handlers do with an event what the table `behaviour` says.
import { setTimeout as pause } from "node:timers/promises";
import { SQSClient } from "@aws-sdk/client-sqs";
import { Pool } from "pg";
import type { PoolClient } from "pg";
import { RetryAfter, Unprocessable, on, work } from "worker";
import type { Context, Log, Order } from "worker";
import type { Thing } from "./events.ts";
import { serve } from "./process.ts";

export type WorkerSettings = {
  databaseUrl: string;
  endpoint: string;
  queueUrl: string;
  consumer: string;
  order: Order;
  /** The newest version of the event that this worker knows; it upcasts older ones. */
  version: number;
  /** What the first process of the worker does to itself, once. */
  firstDies: "before its commit" | "after its commit" | null;
  concurrency: number;
};

const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings & { restarts: number };
const { consumer } = settings;
const dies = settings.restarts === 0 ? settings.firstDies : null;
const pool = new Pool({
  connectionString: settings.databaseUrl,
  max: settings.concurrency,
  connectionTimeoutMillis: 2000,
});
pool.on("error", () => {});
// Of its own: what is written here stays, whatever becomes of the handler's transaction.
const journal = new Pool({ connectionString: settings.databaseUrl, max: 2, connectionTimeoutMillis: 2000 });
journal.on("error", () => {});

const nothing = () => {};
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => log };

const definition = {
  type: "thing.happened",
  version: settings.version,
  parse(envelope: unknown): Thing {
    const event = envelope as Thing & { number?: number };
    // Until version 1 the number was called `number`.
    const { number, ...rest } = event;
    const upcast = { ...rest, n: event.version < 2 ? (event.n ?? number) : event.n };
    if (typeof upcast.group !== "string" || typeof upcast.n !== "number")
      throw new Error("group and n are required");
    return upcast;
  },
};

async function handle({ id, group, n, extra }: Thing, { tx }: Context<PoolClient>): Promise<void> {
  const { rows } = await tx.query<{ what: string }>(
    "select what from behaviour where group_id = $1 and n in (0, $2)",
    [group, n],
  );
  const run = await journal.query<{ k: string }>(
    "insert into run (consumer, event_id, pid) values ($1, $2, $3) returning k",
    [consumer, id, process.pid],
  );
  const [what = "", argument = ""] = rows[0]?.what.split(" ") ?? [];
  try {
    if (what === "slow") await pause(Number(argument));
    if (what === "fail") throw new Error("poison");
    if (what === "refuse") throw new Unprocessable("poison");
    if (what === "wait") throw new RetryAfter(Number(argument));
    if (what === "mall") await askTheMall(argument);
    await tx.query(
      "insert into effect (consumer, event_id, group_id, n, extra) values ($1, $2, $3, $4, $5)",
      [consumer, id, group, n, extra ?? null],
    );
    // What stands for the newest state never goes back, however late an event is replayed.
    await tx.query(
      `insert into state (consumer, group_id, seq) values ($1, $2, $3)
       on conflict (consumer, group_id) do update set seq = excluded.seq where state.seq < excluded.seq`,
      [consumer, group, n],
    );
    if (what === "exit" || dies === "before its commit") process.exit(1);
  } finally {
    await journal.query("update run set ended = clock_timestamp() where k = $1", [run.rows[0]!.k]);
  }
}

async function askTheMall(url: string): Promise<void> {
  const answer = await fetch(url);
  if (answer.status === 429) throw new RetryAfter(Number(answer.headers.get("retry-after")));
}

const credentials = { accessKeyId: "x", secretAccessKey: "x" };
const worker = await work<PoolClient>({
  consumer,
  queueUrl: settings.queueUrl,
  sqs: new SQSClient({ endpoint: settings.endpoint, region: "us-east-1", credentials }),
  pool,
  transaction: (client) => client,
  handlers: [on(definition, handle, { order: settings.order })],
  log,
  concurrency: settings.concurrency,
  waitSeconds: 1,
  afterCommit() {
    if (dies === "after its commit") process.exit(1);
  },
});
serve(
  () => worker.health(),
  async () => {
    await worker.stop();
    await Promise.all([pool.end(), journal.end()]);
  },
);
