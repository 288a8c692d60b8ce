import type { ClientBase, Pool } from "pg";
import { LOCKS, PRESENCE } from "./session.ts";
import { SHARDS } from "./shard.ts";

/** How the outbox stands, as anybody sees it who may read it; not what a relay says of itself. */
export type OutboxState = {
  /** Since the oldest event was written that nothing blocks; null: none waits. */
  lagMs: number | null;
  /** Rows, at most 10,001 counted. */
  depth: number;
  blockedGroups: number;
  /** Shards that no relay owns: their events do not leave. */
  unownedShards: number;
  relays: { id: string; pid: number; shards: number; seenMs: number }[];
  /** Who keeps the oldest snapshot, and how many transactions ago it was taken. */
  oldestSnapshot: { pid: number; role: string; application: string; transactions: number } | null;
};

/** Takes one reading. */
export async function outboxState(database: Pool | ClientBase): Promise<OutboxState> {
  const { rows } = await database.query<Omit<OutboxState, "relays" | "oldestSnapshot">>(`
    with blocked as (select distinct group_id from outbox where blocked_at is not null)
    select (select (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 from outbox
            where group_id not in (select group_id from blocked) order by id limit 1) as "lagMs",
           (select count(*)::int from (select from outbox limit 10001) as counted) as depth,
           (select count(*)::int from blocked) as "blockedGroups",
           ${SHARDS} - (select count(distinct objid)::int from pg_locks
            where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
              and classid = ${LOCKS}::oid and objid < ${PRESENCE} and objsubid = 2 and granted) as "unownedShards"`);
  const { rows: relays } = await database.query<OutboxState["relays"][number]>(`
    select id, pid, shards, (extract(epoch from clock_timestamp() - seen_at) * 1000)::float8 as "seenMs"
    from relay_member order by id`);
  const { rows: snapshots } = await database.query<NonNullable<OutboxState["oldestSnapshot"]>>(`
    select pid, coalesce(usename, '') as role, coalesce(application_name, '') as application,
           age(backend_xmin) as transactions
    from pg_stat_activity
    where backend_xmin is not null and pid <> pg_backend_pid()
      and (datid is null or datid = (select oid from pg_database where datname = current_database()))
    order by age(backend_xmin) desc limit 1`);
  const [state] = rows;
  if (!state) throw new Error("PostgreSQL answered no row to a question without a table.");
  return { ...state, relays, oldestSnapshot: snapshots[0] ?? null };
}
