import { consumerNumber } from "./consumer.ts";
import { envelopeOf } from "./message.ts";
import type { Envelope } from "./message.ts";
import { append, claim } from "./once.ts";
import type { Queryable } from "./queryable.ts";

// What an operator does with parked messages. Each function is one step in the caller's transaction, so that whoever calls
// it can write down who did it, or roll back to see what would happen.

export type ParkedCount = { consumer: string; groups: number; messages: number; oldest: Date };

/** How much is parked, one row per consumer that has anything parked. */
export async function parkedCounts(database: Queryable): Promise<ParkedCount[]> {
  const { rows } = await database.query<ParkedCount>(`
    select consumer.name as consumer, count(distinct parked.group_id)::int as groups, count(*)::int as messages,
           min(parked.parked_at) as oldest
    from parked join consumer on consumer.id = parked.consumer
    group by consumer.name order by consumer.name`);
  return rows;
}

/** What of one consumer waits for a person: parked groups, and inbox rows in no day's partition (at most 1,001 are counted). */
export async function waitingForPeople(
  database: Queryable,
  consumer: string,
): Promise<{ parkedGroups: number; strays: number }> {
  const { rows } = await database.query<{ parkedGroups: number; strays: number }>(
    `select (select count(*)::int from parked_group g where g.consumer = c.id) as "parkedGroups",
            (select count(*)::int from (select from inbox_stray s where s.consumer = c.id limit 1001) s) as strays
     from consumer c where c.name = $1`,
    [consumer],
  );
  return rows[0] ?? { parkedGroups: 0, strays: 0 };
}

export type Stray = { eventId: string; consumer: string };

/** Handled events whose id lies in no day that has a partition: so old, or so far ahead, or no UUIDv7. They are never dropped. */
export async function strays(database: Queryable): Promise<Stray[]> {
  const { rows } = await database.query<Stray>(`
    select s.event_id::text as "eventId", c.name as consumer from inbox_stray s join consumer c on c.id = s.consumer
    order by c.name, s.event_id limit 1000`);
  return rows;
}

/** Forgets that the event was handled: if its message comes once more, it is handled once more. false: there is no such stray. */
export async function forgetStray(database: Queryable, { eventId, consumer }: Stray): Promise<boolean> {
  const { rows } = await database.query(
    `delete from inbox_stray s using consumer c where c.id = s.consumer and c.name = $2 and s.event_id = $1
     returning s.event_id`,
    [eventId, consumer],
  );
  return rows.length > 0;
}

export type ParkedGroup = {
  groupId: string;
  /** First line of the error that parked the group. */
  reason: string;
  parkedAt: Date;
  messages: number;
  /** Of the message in front: its type, its latest error, and how often it was tried. */
  type: string | null;
  error: string | null;
  attempts: number | null;
  /** When its replay may go on; null while nobody has asked for one. */
  replayAt: Date | null;
};

/** The parked groups of one consumer, oldest first. */
export async function parkedGroups(database: Queryable, consumer: string): Promise<ParkedGroup[]> {
  const { rows } = await database.query<ParkedGroup>(
    `select g.group_id as "groupId", g.reason, g.parked_at as "parkedAt", g.replay_at as "replayAt",
            (select count(*)::int from parked p where (p.consumer, p.group_id) = (g.consumer, g.group_id)) as messages,
            first.type, first.error, first.attempts
     from parked_group g join consumer c on c.id = g.consumer
     left join lateral (
       select type, error, attempts from parked p
       where (p.consumer, p.group_id) = (g.consumer, g.group_id) order by p.n limit 1
     ) first on true
     where c.name = $1 order by g.parked_at, g.group_id`,
    [consumer],
  );
  return rows;
}

export type ParkedMessage = {
  /** Its place: a group's messages are handled by ascending n. */
  n: string;
  eventId: string | null;
  type: string | null;
  body: string;
  error: string | null;
  attempts: number;
  parkedAt: Date;
};

type Group = { consumer: string; groupId: string };

/** The messages of one parked group, in the order in which they will be handled. */
export async function parkedMessages(
  database: Queryable,
  { consumer, groupId }: Group,
): Promise<ParkedMessage[]> {
  const { rows } = await database.query<ParkedMessage>(
    `select p.n::text as n, p.event_id as "eventId", p.type, p.body, p.error, p.attempts, p.parked_at as "parkedAt"
     from parked p join consumer c on c.id = p.consumer
     where c.name = $1 and p.group_id = $2 order by p.n`,
    [consumer, groupId],
  );
  return rows;
}

/**
 * Replaces the body of a parked message. Resolves to what it was, undefined when it is not parked (any more).
 *
 * Throws when the new body is not an event, when it is another event than before (the id is what makes its effect happen
 * once), and when what had no id becomes an event that was handled already.
 */
export async function editParked(
  client: Queryable,
  { consumer, groupId, n, body }: Group & { n: string; body: string },
): Promise<ParkedMessage | undefined> {
  await lockGroup(client, { consumer, groupId });
  const before = (await parkedMessages(client, { consumer, groupId })).find((message) => message.n === n);
  if (!before) return undefined;
  const envelope = envelopeOf(body);
  if (before.eventId !== null && envelope.id.toLowerCase() !== before.eventId) {
    throw new Error(`The event's id must stay ${before.eventId}: it is what makes its effect happen once.`);
  }
  const number = await consumerNumber(client, consumer);
  if (before.eventId === null) {
    const { fresh } = await claim(client, number, envelope.id, groupId);
    if (!fresh) throw new Error(`Event ${envelope.id} was handled or parked already: discard this message.`);
  }
  await client.query(
    "update parked set body = $4, event_id = $5, type = $6 where consumer = $1 and group_id = $2 and n = $3",
    [number, groupId, n, body, envelope.id, envelope.type],
  );
  return before;
}

/**
 * Deletes parked messages for good: one, or without `n` the whole group. A group that is empty then flows again. Resolves
 * to what was deleted.
 */
export async function discardParked(
  client: Queryable,
  { consumer, groupId, n }: Group & { n?: string },
): Promise<ParkedMessage[]> {
  await lockGroup(client, { consumer, groupId });
  const gone = (await parkedMessages(client, { consumer, groupId })).filter(
    (message) => n === undefined || message.n === n,
  );
  await client.query(
    `delete from parked p using consumer c
     where c.id = p.consumer and c.name = $1 and p.group_id = $2 and p.n = any($3::bigint[])`,
    [consumer, groupId, gone.map((message) => message.n)],
  );
  await client.query(
    `delete from parked_group g using consumer c
     where c.id = g.consumer and c.name = $1 and g.group_id = $2
       and not exists (select from parked p where (p.consumer, p.group_id) = (g.consumer, g.group_id))`,
    [consumer, groupId],
  );
  return gone;
}

/**
 * Asks the running consumer to replay a group, or all it has parked; it begins within a second. Resolves to the ids of the
 * groups. `perSecond` limits how many messages one process handles.
 */
export async function askForReplay(
  client: Queryable,
  { consumer, groupId, perSecond }: { consumer: string; groupId?: string; perSecond?: number },
): Promise<string[]> {
  const { rows } = await client.query<{ group_id: string }>(
    `update parked_group g set replay_at = clock_timestamp(), replay_rate = $3 from consumer c
     where c.id = g.consumer and c.name = $1 and ($2::text is null or g.group_id = $2) returning g.group_id`,
    [consumer, groupId ?? null, perSecond ?? null],
  );
  return rows.map(({ group_id }) => group_id);
}

/** Takes such a request back: a message in hand is finished, the others stay parked. Resolves to the ids of the groups. */
export async function cancelReplay(
  client: Queryable,
  { consumer, groupId }: { consumer: string; groupId?: string },
): Promise<string[]> {
  const { rows } = await client.query<{ group_id: string }>(
    `update parked_group g set replay_at = null from consumer c
     where c.id = g.consumer and c.name = $1 and ($2::text is null or g.group_id = $2) and g.replay_at is not null
     returning g.group_id`,
    [consumer, groupId ?? null],
  );
  return rows.map(({ group_id }) => group_id);
}

/**
 * Parks a message that SQS had dead-lettered, at the end of its group. `seen` when the event was handled or parked before:
 * then nothing is left to do but to delete it. The body is the event's, without an SNS envelope.
 */
export async function deadLetterToParked(
  client: Queryable,
  message: Group & { body: string; attempts: number; reason: string },
): Promise<"parked" | "seen"> {
  const { groupId, body, attempts, reason } = message;
  const consumer = await consumerNumber(client, message.consumer);
  let envelope: Envelope | undefined;
  try {
    envelope = envelopeOf(body);
  } catch {
    // Not an event: parked all the same, so that somebody can repair or discard it.
  }
  if (envelope) {
    const { fresh } = await claim(client, consumer, envelope.id, groupId);
    if (!fresh) return "seen";
    await client.query("delete from attempt where event_id = $1 and consumer = $2", [envelope.id, consumer]);
  }
  await client.query(
    `insert into parked_group (consumer, group_id, reason) values ($1, $2, $3)
     on conflict (consumer, group_id) do update set reason = parked_group.reason`,
    [consumer, groupId, reason],
  );
  await append(client, { consumer, key: groupId, envelope, body, error: reason, attempts });
  return "parked";
}

async function lockGroup(client: Queryable, { consumer, groupId }: Group): Promise<void> {
  await client.query(
    `select from parked_group g join consumer c on c.id = g.consumer
     where c.name = $1 and g.group_id = $2 for update of g`,
    [consumer, groupId],
  );
}
