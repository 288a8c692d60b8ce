import type { Session } from "./session.ts";

/** A row in hand. */
export type Row = {
  id: string;
  shard: number;
  topic: string;
  groupId: string;
  eventId: string;
  type: string;
  payload: string;
  traceparent: string | null;
  bytes: number;
};

export type FetchOptions = {
  /** Ids the topics have accepted; deleted in the same round trip. */
  acknowledged: string[];
  shards: number[];
  /** Groups and topics that wait. */
  groups: string[];
  topics: string[];
  limit: number;
  /** Of payloads; the row that goes over it is the last one. */
  bytes: number;
};

/**
 * Reads shards from the bottom, every time: no cursor, no mark, no "newer than", because ids are drawn before commit and
 * a lower one may appear later.
 *
 * Fair by tenant: at most ten rows of a tenant and shard in one fetch, and each fetch of a shard begins after the tenant
 * that was served last. It walks from tenant to tenant on the index (a loose index scan), so a tenant with 100,000 rows
 * costs as much as one with ten. `limit` ends the recursion early: PostgreSQL evaluates only what is read. So it does for the
 * sum of bytes, which cuts the end of what was read, never a row out of the middle: a group keeps its order.
 */
const statement = `
with recursive
gone as (delete from outbox where id = any($1::bigint[])),
start as (select * from unnest($2::smallint[], $3::uuid[]) as start (shard, after)),
later as (
  select start.shard, next.tenant from start
  cross join lateral (
    select tenant from outbox where outbox.shard = start.shard and tenant > start.after order by tenant limit 1
  ) next
  union all
  select later.shard, next.tenant from later
  cross join lateral (
    select tenant from outbox where outbox.shard = later.shard and tenant > later.tenant order by tenant limit 1
  ) next
),
earlier as (
  select start.shard, start.after, next.tenant from start
  cross join lateral (
    select tenant from outbox where outbox.shard = start.shard and tenant <= start.after order by tenant limit 1
  ) next
  union all
  select earlier.shard, earlier.after, next.tenant from earlier
  cross join lateral (
    select tenant from outbox
    where outbox.shard = earlier.shard and tenant > earlier.tenant and tenant <= earlier.after order by tenant limit 1
  ) next
),
turn as (
  select 0 as round, shard, tenant from later union all select 1, shard, tenant from earlier
),
blocked as (select array(select group_id from outbox where blocked_at is not null) as groups)
select * from (
  select turn.round, row.*, sum(row.bytes) over (rows unbounded preceding) - row.bytes as "before" from turn, blocked
  cross join lateral (
    select id::text as id, id as position, shard, tenant, topic, group_id as "groupId", event_id as "eventId", type, payload,
           traceparent, octet_length(payload) as bytes
    from outbox
    where outbox.shard = turn.shard and outbox.tenant = turn.tenant
      and id <> all($1::bigint[])
      and group_id <> all($4::text[]) and topic <> all($5::text[]) and group_id <> all(blocked.groups)
    order by outbox.id limit 10
  ) row
  limit $6
) batch
where "before" < $7
order by position`;

const FIRST = "00000000-0000-0000-0000-000000000000";

/** Fetches, and remembers per shard which tenant had its turn last. */
export class Fetcher {
  readonly #after = new Map<number, string>();

  async fetch(
    session: Session,
    { acknowledged, shards, groups, topics, limit, bytes }: FetchOptions,
  ): Promise<Row[]> {
    // The limit may end the fetch before the last shard: no shard may always be the last one.
    const mixed = shards.toSorted(() => Math.random() - 0.5);
    const { rows } = await session.query<Row & { round: number; tenant: string }>({
      name: "outbox-fetch",
      text: statement,
      values: [
        acknowledged,
        mixed,
        mixed.map((shard) => this.#after.get(shard) ?? FIRST),
        groups,
        topics,
        limit,
        bytes,
      ],
    });
    const last = new Map<number, { round: number; tenant: string }>();
    for (const row of rows) {
      const before = last.get(row.shard);
      if (!before || row.round > before.round || (row.round === before.round && row.tenant > before.tenant)) {
        last.set(row.shard, row);
      }
    }
    for (const [shard, { tenant }] of last) this.#after.set(shard, tenant);
    return rows;
  }
}
