import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { consumerNumber } from "./consumer.ts";
import { failureOf, textOf } from "./failure.ts";
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
 *
 * For who has the handlers at hand, such as a test. A running worker does the same for the groups of `askForReplay`.
 */
export async function replay<Tx>(options: ReplayOptions<Tx>): Promise<Replayed> {
  const { pool, groupId } = options;
  const consumer = await consumerNumber(pool, options.consumer);
  const { rows } = await pool.query<{ group_id: string }>(
    "select group_id from parked_group where consumer = $1 and ($2::text is null or group_id = $2) order by parked_at",
    [consumer, groupId ?? null],
  );
  let handled = 0;
  const step = { ...options, consumer, process: randomUUID(), asked: false, deadlineMs: 15 * 60_000 };
  for (const { group_id } of rows) {
    while ((await replayNext({ ...step, groupId: group_id })) === "handled") handled += 1;
  }
  const left = await pool.query<{ n: number }>(
    "select count(*)::int as n from parked where consumer = $1 and ($2::text is null or group_id = $2)",
    [consumer, groupId ?? null],
  );
  return { handled, left: left.rows[0]?.n ?? 0 };
}

export type ReplayStep<Tx> = Omit<ReplayOptions<Tx>, "consumer" | "groupId"> & {
  consumer: number;
  groupId: string;
  /** Names this process, to tell a start of its own from that of one that is gone. */
  process: string;
  /** Only while somebody's request for it is due. */
  asked: boolean;
  deadlineMs: number;
};

/**
 * Handles the message in front of a parked group.
 *
 * `failed`: its error is written down, the request for a replay is withdrawn. `waits`: it asked to, or something that
 * every message needs is down; the request stands and comes due later. `done`: nothing to do (any more), or another
 * process is at it.
 */
export async function replayNext<Tx>(step: ReplayStep<Tx>): Promise<"handled" | "failed" | "waits" | "done"> {
  const { consumer, groupId } = step;
  return onClient(step.pool, async (client) => {
    const key = `${consumer}:${groupId}`;
    const { rows } = await client.query<{ mine: boolean }>(
      "select pg_try_advisory_lock(hashtextextended($1, 1919250540)) as mine",
      [key],
    );
    if (!rows[0]?.mine) return "done";
    try {
      const before = await begin(client, step);
      if (!before) return "done";
      if (before.replaying !== null && before.replaying !== step.process) {
        const died = "The process, or its connection, ended while it replayed this message.";
        await settle(client, step, { error: died, again: null });
        step.log.error({ groupId }, "a replay ended its process, the group stays parked");
        return "failed";
      }
      return await handleFirst(client, step);
    } finally {
      // Fails only with the connection, whose end unlocks too.
      await client
        .query("select pg_advisory_unlock(hashtextextended($1, 1919250540))", [key])
        .catch(() => {});
    }
  });
}

/** Committed on its own: if the process dies in the handler, this is what remains. */
async function begin<Tx>(
  client: PoolClient,
  { consumer, groupId, process, asked }: ReplayStep<Tx>,
): Promise<{ replaying: string | null } | undefined> {
  const { rows } = await client.query<{ replaying: string | null }>(
    `with before as (
       select replaying from parked_group
       where consumer = $1 and group_id = $2 and (not $4 or replay_at <= clock_timestamp()) for update
     )
     update parked_group g set replaying = $3 from before
     where g.consumer = $1 and g.group_id = $2 returning before.replaying`,
    [consumer, groupId, process, asked],
  );
  return rows[0];
}

type Parked = { n: string; body: string };

async function handleFirst<Tx>(
  client: PoolClient,
  step: ReplayStep<Tx>,
): Promise<"handled" | "failed" | "waits" | "done"> {
  const { consumer, groupId, log } = step;
  let first: Parked | undefined;
  try {
    await client.query("begin");
    // Live messages of the group take a share lock on this row: they wait until it is decided where they belong.
    await client.query("select from parked_group where consumer = $1 and group_id = $2 for update", [
      consumer,
      groupId,
    ]);
    first = (
      await client.query<Parked>(
        "select n::text as n, body from parked where consumer = $1 and group_id = $2 order by parked.n limit 1",
        [consumer, groupId],
      )
    ).rows[0];
    if (first) {
      await handle(step, client, first);
      await client.query("delete from parked where consumer = $1 and group_id = $2 and n = $3", [
        consumer,
        groupId,
        first.n,
      ]);
    }
    // The group opens in the same transaction as its last message.
    await client.query(
      `with more as (select from parked where consumer = $1 and group_id = $2 limit 1),
       gone as (delete from parked_group where consumer = $1 and group_id = $2 and not exists (select from more))
       update parked_group set replaying = null where consumer = $1 and group_id = $2 and exists (select from more)`,
      [consumer, groupId],
    );
    await commit(client);
  } catch (error) {
    await client.query("rollback");
    const failure = failureOf(error);
    const passing = { wait: 0, conflict: 1, infrastructure: 5, unprocessable: null, other: null };
    const again = failure.kind === "wait" ? failure.seconds : passing[failure.kind];
    await settle(client, step, { error: textOf(error), again });
    log.warn({ err: error, groupId, n: first?.n, again }, "replay failed, the group stays parked");
    return again === null ? "failed" : "waits";
  }
  if (!first) return "done";
  step.afterCommit?.();
  return "handled";
}

/** Writes down why the first message is still there, and when to try again: in `again` seconds, or when asked (null). */
async function settle<Tx>(
  client: PoolClient,
  { consumer, groupId }: ReplayStep<Tx>,
  { error, again }: { error: string; again: number | null },
): Promise<void> {
  await client.query(
    `with settled as (
       update parked_group set replaying = null,
         replay_at = case when replay_at is not null then clock_timestamp() + make_interval(secs => $4) end
       where consumer = $1 and group_id = $2
     )
     update parked set error = $3, attempts = least(attempts + $5, 32767) where consumer = $1 and group_id = $2
       and n = (select n from parked where consumer = $1 and group_id = $2 order by n limit 1)`,
    [consumer, groupId, error, again, again === null ? 1 : 0],
  );
}

async function handle<Tx>(step: ReplayStep<Tx>, client: PoolClient, { body, n }: Parked): Promise<void> {
  const envelope = envelopeOf(body);
  const handler = step.handlers.find(({ type }) => type === envelope.type);
  const log = step.log.child({ eventId: envelope.id, event: envelope.type });
  if (!handler) {
    log.warn({ n }, "nobody handles this type any more, the parked message is dropped");
    return;
  }
  const run = handler.prepare(envelope);
  const tx = await step.transaction(client, envelope);
  await run({ tx, log, signal: AbortSignal.timeout(step.deadlineMs), attempt: 1 });
}
