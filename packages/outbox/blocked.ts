import type { ClientBase, Pool } from "pg";

// What an operator does with events that a topic refuses for good. Each function is one step in the caller's transaction.

export type BlockedEvent = {
  id: string;
  topic: string;
  groupId: string;
  eventId: string;
  type: string;
  tenant: string;
  payload: string;
  /** What the topic answered. */
  error: string | null;
  attempts: number;
  createdAt: Date;
  blockedAt: Date;
  /** Events of the same group that wait behind it. */
  behind: number;
};

const columns = `id::text as id, topic, group_id as "groupId", event_id as "eventId", type, tenant, payload, error, attempts,
  created_at as "createdAt", blocked_at as "blockedAt",
  (select count(*)::int from outbox later where later.shard = outbox.shard and later.group_id = outbox.group_id
     and later.id > outbox.id) as behind`;

/** The blocked events, oldest first; with `id` that one. */
export async function blockedEvents(database: Pool | ClientBase, id?: string): Promise<BlockedEvent[]> {
  const { rows } = await database.query<BlockedEvent>(
    `select ${columns} from outbox where blocked_at is not null and ($1::bigint is null or id = $1) order by outbox.id`,
    [id ?? null],
  );
  return rows;
}

/** Lets the relay try again, three times as at first. Resolves to the event, undefined when it is not blocked (any more). */
export async function retryBlocked(client: ClientBase, id: string): Promise<BlockedEvent | undefined> {
  const [event] = await locked(client, id);
  if (event) await client.query("update outbox set blocked_at = null, attempts = 0 where id = $1", [id]);
  return event;
}

/**
 * Deletes a blocked event that will never be published; its group goes on with the next one. Resolves to the event,
 * undefined when it is not blocked (any more).
 */
export async function skipBlocked(client: ClientBase, id: string): Promise<BlockedEvent | undefined> {
  const [event] = await locked(client, id);
  if (event) await client.query("delete from outbox where id = $1", [id]);
  return event;
}

async function locked(client: ClientBase, id: string): Promise<BlockedEvent[]> {
  await client.query("select from outbox where id = $1 for update", [id]);
  return blockedEvents(client, id);
}
