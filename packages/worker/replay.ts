import type { Pool, PoolClient } from "pg";
import { consumerNumber } from "./consumer.ts";
import type { Handler } from "./handler.ts";
import type { Log } from "./log.ts";
import { envelopeOf } from "./message.ts";
import { commit, onClient } from "./once.ts";
import type { Transaction } from "./once.ts";

export type ReplayOptions<Tx> = Transaction<Tx> & {
  consumer: string;
  pool: Pool;
  handlers: Handler<Tx>[];
  log: Log;
  /** Called after each commit, e.g. to wake the relay. */
  afterCommit?: () => void;
  /** Only this group; all parked groups of the consumer otherwise. */
  groupId?: string;
};

/** How many messages were handled, and how many are still parked (their error says why). */
export type Replayed = { handled: number; left: number };

/**
 * Runs parked messages through the same handlers, in order, each in a transaction that also deletes its row: that is what
 * makes it happen once, however old it is. A group stops at its first failure; an emptied group flows again.
 */
export async function replay<Tx>(options: ReplayOptions<Tx>): Promise<Replayed> {
  const { pool, groupId } = options;
  const consumer = await consumerNumber(pool, options.consumer);
  const { rows } = await pool.query<{ group_id: string }>(
    "select group_id from parked_group where consumer = $1 and ($2::text is null or group_id = $2) order by parked_at",
    [consumer, groupId ?? null],
  );
  let handled = 0;
  for (const { group_id } of rows) {
    while ((await replayNext(options, consumer, group_id)) === "handled") handled += 1;
  }
  const left = await pool.query<{ n: number }>(
    "select count(*)::int as n from parked where consumer = $1 and ($2::text is null or group_id = $2)",
    [consumer, groupId ?? null],
  );
  return { handled, left: left.rows[0]?.n ?? 0 };
}

type Parked = { n: string; body: string };

async function replayNext<Tx>(
  options: ReplayOptions<Tx>,
  consumer: number,
  groupId: string,
): Promise<"handled" | "failed" | "empty"> {
  return onClient(options.pool, async (client) => {
    await client.query("begin");
    // Live messages of the group take a share lock on this row: they wait until it is decided where they belong.
    const group = await client.query(
      "select from parked_group where consumer = $1 and group_id = $2 for update",
      [consumer, groupId],
    );
    const { rows } = await client.query<Parked>(
      "select n::text as n, body from parked where consumer = $1 and group_id = $2 order by parked.n limit 1",
      [consumer, groupId],
    );
    const [first] = rows;
    if (group.rowCount === 0 || !first) {
      await client.query("delete from parked_group where consumer = $1 and group_id = $2", [
        consumer,
        groupId,
      ]);
      await client.query("commit");
      return "empty";
    }
    try {
      await handle(options, client, first);
      await client.query("delete from parked where consumer = $1 and group_id = $2 and n = $3", [
        consumer,
        groupId,
        first.n,
      ]);
      await commit(client);
    } catch (error) {
      await client.query("rollback");
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      await client.query(
        "update parked set error = $4, attempts = attempts + 1 where consumer = $1 and group_id = $2 and n = $3",
        [consumer, groupId, first.n, text],
      );
      options.log.warn({ err: error, groupId, n: first.n }, "replay failed, the group stays parked");
      return "failed";
    }
    options.afterCommit?.();
    return "handled";
  });
}

async function handle<Tx>(
  options: ReplayOptions<Tx>,
  client: PoolClient,
  { body, n }: Parked,
): Promise<void> {
  const envelope = envelopeOf(body);
  const handler = options.handlers.find(({ type }) => type === envelope.type);
  const log = options.log.child({ eventId: envelope.id, event: envelope.type });
  if (!handler) {
    log.warn({ n }, "nobody handles this type any more, the parked message is dropped");
    return;
  }
  const run = handler.prepare(envelope);
  const tx = await options.transaction(client, envelope);
  await run({ tx, log, signal: new AbortController().signal, attempt: 1 });
}
