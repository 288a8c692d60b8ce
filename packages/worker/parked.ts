import type { Pool } from "pg";

export type ParkedCount = { consumer: string; groups: number; messages: number; oldest: Date };

/** How much is parked, one row per consumer that has anything parked. */
export async function parkedCounts(pool: Pool): Promise<ParkedCount[]> {
  const { rows } = await pool.query<ParkedCount>(`
    select consumer.name as consumer, count(distinct parked.group_id)::int as groups, count(*)::int as messages,
           min(parked.parked_at) as oldest
    from parked join consumer on consumer.id = parked.consumer
    group by consumer.name order by consumer.name`);
  return rows;
}

export type ParkedGroup = { groupId: string; reason: string; parkedAt: Date; messages: number };

/** The parked groups of one consumer, oldest first. */
export async function parkedGroups(pool: Pool, consumer: string): Promise<ParkedGroup[]> {
  const { rows } = await pool.query<ParkedGroup>(
    `select g.group_id as "groupId", g.reason, g.parked_at as "parkedAt",
            (select count(*)::int from parked p where (p.consumer, p.group_id) = (g.consumer, g.group_id)) as messages
     from parked_group g join consumer c on c.id = g.consumer
     where c.name = $1 order by g.parked_at, g.group_id`,
    [consumer],
  );
  return rows;
}
