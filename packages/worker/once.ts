import { escapeLiteral } from "pg";
import type { Pool, PoolClient, QueryResult } from "pg";
import type { Context, Handler } from "./handler.ts";
import type { Envelope } from "./message.ts";
import type { Queryable } from "./queryable.ts";

/** Turns the client of an open transaction into what handlers get as `tx`, and sets the tenant. */
export type Transaction<Tx> = {
  transaction(client: PoolClient, envelope: Envelope): Promise<Tx> | Tx;
};

/** Under which key a message is parked: its group, or itself where order does not matter. */
export function parkingKey(order: "group" | "none", groupId: string, eventId: string): string {
  return order === "none" ? eventId : groupId;
}

export type Once<Tx> = Transaction<Tx> & {
  pool: Pool;
  consumer: number;
  handler: Handler<Tx>;
  envelope: Envelope;
  groupId: string;
  body: string;
  context: Omit<Context<Tx>, "tx">;
  /** Given for the second and later receives: the start is recorded, and `n` is the receive. */
  recordStart?: number;
};

/**
 * Handles one message in one transaction: the inbox row, the parked check, the effect and its outbox rows, together or
 * not at all.
 *
 * Resolves to `seen` when it was handled (or parked) before, `parked` when its group waits for somebody and it was put
 * behind the others, `done` after its commit. Rejects with what failed, with nothing left behind.
 */
export async function once<Tx>(message: Once<Tx>): Promise<"done" | "seen" | "parked"> {
  const { pool, consumer, handler, envelope, recordStart } = message;
  // Proved before a connection is taken: what is malformed needs none.
  const run = handler.prepare(envelope);
  const key = parkingKey(handler.order, message.groupId, envelope.id);
  return onClient(pool, async (client) => {
    if (recordStart !== undefined) await recordAttempt(client, consumer, envelope.id, recordStart);
    try {
      const { fresh, parked } = await beginAndClaim(client, consumer, envelope.id, key);
      if (!fresh) {
        await client.query("rollback");
        if (recordStart !== undefined) await forgetAttempt(client, consumer, envelope.id);
        return "seen";
      }
      if (recordStart !== undefined) await forgetAttempt(client, consumer, envelope.id);
      if (parked) {
        await append(client, { consumer, key, envelope, body: message.body, attempts: 0 });
        await client.query("commit");
        return "parked";
      }
      const tx = await message.transaction(client, envelope);
      await run({ ...message.context, tx });
      await commit(client);
      return "done";
    } catch (error) {
      // On a broken connection both fail; the error that broke it says more.
      await client.query("rollback").catch(() => {});
      if (recordStart !== undefined) await failedAttempt(client, consumer, envelope.id).catch(() => {});
      throw error;
    }
  });
}

/** Runs `work` on a client of the pool; one whose connection broke is thrown away. */
export async function onClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The pool listens only to idle clients; without this a cut connection would end the process.
  const onError = (error: Error) => (broken = error);
  client.on("error", onError);
  try {
    return await work(client);
  } catch (error) {
    // A failed rollback (or a dead connection) leaves a transaction open that the next user would join.
    const state = await client.query("rollback").then(
      () => undefined,
      (failure: Error) => failure,
    );
    broken ??= state;
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

/** Commits what is open; rejects when nothing is, because whoever used the connection has ended it, or when PostgreSQL rolled back instead because a statement had failed and nobody told. */
export async function commit(client: PoolClient): Promise<void> {
  if (client.getTransactionStatus() === "I") {
    throw new Error(
      "The handler has ended the transaction that it was given, and its inbox row with it: no commit, no rollback.",
    );
  }
  const result: QueryResult = await client.query("commit");
  if (result.command !== "COMMIT") {
    throw new Error(
      "Nothing was saved: a statement of the handler had failed and its error was caught. Use a savepoint for what may fail.",
    );
  }
}

/**
 * "Is it new here?" and "does its group wait?" in one round trip. The share lock on the group makes a message wait while a
 * replay is just emptying it, and then run as usual.
 */
const claiming = `
  with claimed as (
    insert into inbox (event_id, consumer) values ($1, $2) on conflict do nothing returning 1
  ), held as (
    select from parked_group where consumer = $2 and group_id = $3 for share
  )
  select exists (select from claimed) as fresh, exists (select from held) as parked`;

type Claim = { fresh: boolean; parked: boolean };

/** Claims an event in the caller's transaction. */
export async function claim(
  client: Queryable,
  consumer: number,
  eventId: string,
  key: string,
): Promise<Claim> {
  const { rows } = await client.query<Claim>({
    name: "worker-claim",
    text: claiming,
    values: [eventId, consumer, key],
  });
  return rows[0] ?? { fresh: false, parked: false };
}

/** Connections that know the prepared statement. */
const prepared = new WeakSet<PoolClient>();

/**
 * Opens a transaction and claims in it, in the same round trip: a third of what an inbox costs is waiting for `begin`.
 * One text, not two statements sent at once, since a claim without its transaction would be a lost message.
 */
async function beginAndClaim(
  client: PoolClient,
  consumer: number,
  eventId: string,
  key: string,
): Promise<Claim> {
  if (!prepared.has(client)) {
    await client.query(`prepare worker_claim (uuid, smallint, text) as ${claiming}`);
    prepared.add(client);
  }
  const values = [escapeLiteral(eventId), consumer, escapeLiteral(key)].join(", ");
  // Several statements in one text have several results, which the types of pg do not say.
  const results = (await client.query(`begin; execute worker_claim (${values})`)) as unknown;
  return (results as QueryResult<Claim>[])[1]?.rows[0] ?? { fresh: false, parked: false };
}

/** Committed on its own, before the handler runs: if the process dies in it, this row is what remains. */
async function recordAttempt(
  client: PoolClient,
  consumer: number,
  eventId: string,
  n: number,
): Promise<void> {
  await client.query(
    `insert into attempt (event_id, consumer, n, running) values ($1, $2, $3, true)
     on conflict (event_id, consumer) do update set n = excluded.n, running = true, started_at = clock_timestamp()`,
    [eventId, consumer, n],
  );
}

async function forgetAttempt(client: PoolClient, consumer: number, eventId: string): Promise<void> {
  await client.query("delete from attempt where event_id = $1 and consumer = $2", [eventId, consumer]);
}

async function failedAttempt(client: PoolClient, consumer: number, eventId: string): Promise<void> {
  await client.query("update attempt set running = false where event_id = $1 and consumer = $2", [
    eventId,
    consumer,
  ]);
}

/** Whether an earlier start of this event was neither finished nor failed: its process ended in the middle. */
export async function diedBefore(pool: Pool, consumer: number, eventId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    "select from attempt where event_id = $1 and consumer = $2 and running",
    [eventId, consumer],
  );
  return rowCount === 1;
}

export type Parking = {
  consumer: number;
  key: string;
  /** undefined for what is not an event at all. */
  envelope: Envelope | undefined;
  body: string;
  error?: string;
  attempts: number;
};

/** Parks a message that failed, and with it its group. Resolves to false when it was handled or parked before. */
export async function park(pool: Pool, parking: Parking): Promise<boolean> {
  const { consumer, key, envelope, error } = parking;
  return onClient(pool, async (client) => {
    await client.query("begin");
    if (envelope) {
      const { fresh } = await claim(client, consumer, envelope.id, key);
      if (!fresh) {
        await client.query("rollback");
        return false;
      }
      await client.query("delete from attempt where event_id = $1 and consumer = $2", [
        envelope.id,
        consumer,
      ]);
    }
    // The update takes the row's lock, so that a replay does not remove the group in between.
    await client.query(
      `insert into parked_group (consumer, group_id, reason) values ($1, $2, $3)
       on conflict (consumer, group_id) do update set reason = parked_group.reason`,
      [consumer, key, plain(error?.split("\n")[0] ?? "")],
    );
    await append(client, parking);
    await client.query("commit");
    return true;
  });
}

export async function append(
  client: Queryable,
  { consumer, key, envelope, body, error, attempts }: Parking,
): Promise<void> {
  await client.query(
    `insert into parked (consumer, group_id, event_id, type, body, error, attempts) values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      consumer,
      key,
      envelope?.id ?? null,
      plain(envelope?.type ?? null),
      body,
      plain(error ?? null),
      attempts,
    ],
  );
}

/** PostgreSQL's text takes no NUL. */
function plain<Text extends string | null>(text: Text): Text | string {
  return typeof text === "string" ? text.replaceAll("\0", "�") : text;
}
