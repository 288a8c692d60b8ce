import { shardOf } from "./shard.ts";

/** One event on its way out. Everything but `payload` is what the relay needs to know about it. */
export type OutboxRow = {
  /**
   * Whom the relay's fairness protects from whom, a uuid (a shop, a company). Every event of a group must name the same
   * one: fairness picks rows by tenant, so a group under two tenants has no order.
   */
  tenant: string;
  /** Topic name without `.fifo`. */
  topic: string;
  /** FIFO group, 1–128 characters of ASCII without spaces: the aggregate's id. Events of one group arrive in the order of their inserts. */
  groupId: string;
  /** uuid v7: deduplication id on the way, inbox key at the receivers. */
  eventId: string;
  /** The aggregate's version after this event, where it has one. */
  seq?: number | bigint | string | null;
  type: string;
  version: number;
  /** The body to send, as it stands: at most 240 KiB of UTF-8. */
  payload: string;
  /** W3C trace context. */
  traceparent?: string | null;
  /** The event that led to this one. */
  causationId?: string | null;
};

/** A `pg` client, or anything that runs a statement in the caller's transaction. */
export type Queryable = { query(text: string, values: unknown[]): Promise<unknown> };

const statement = `
  insert into outbox (shard, tenant, topic, group_id, event_id, seq, type, version, payload, traceparent, causation_id)
  select shard, tenant, topic, group_id, event_id, seq, type, version, payload, traceparent, causation_id
  from unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::smallint[],
              $9::text[], $10::text[], $11::uuid[])
    with ordinality as row (shard, tenant, topic, group_id, event_id, seq, type, version, payload, traceparent, causation_id, n)
  order by n`;

/**
 * Writes events into the outbox, in this order, in one statement. Call it in the transaction that changes the state, and
 * after locking the aggregate's row: that lock is what makes the order of a group the order of its changes.
 *
 * Rejects with 23514 when a payload is over 240 KiB, or a group id or a type is not of 1–128 (256) printable ASCII
 * characters: such an event could never leave.
 */
export async function insert(client: Queryable, rows: OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <T>(read: (row: OutboxRow) => T): T[] => rows.map(read);
  await client.query(statement, [
    column((row) => shardOf(row.groupId)),
    column((row) => row.tenant),
    column((row) => row.topic),
    column((row) => row.groupId),
    column((row) => row.eventId),
    column((row) => row.seq?.toString() ?? null),
    column((row) => row.type),
    column((row) => row.version),
    column((row) => row.payload),
    column((row) => row.traceparent ?? null),
    column((row) => row.causationId ?? null),
  ]);
}
