import { type Database, companyIds, inCompany } from "@noren/database";
import { sql } from "kysely";

/** A till may come back with a week of unsent sales; after that its keys have done their work. */
const REQUEST_DAYS = 14;

export type Retention = { partitionsMade: number; partitionsDropped: number; requestsForgotten: number };

/** Makes the inbox partitions of the coming week, drops those that no queue can still hold, forgets old API requests. */
export async function keepHouse(database: Database): Promise<Retention> {
  const made = await sql<{ n: number }>`select inbox_partitions() as n`.execute(database.db);
  const dropped = await sql<{ n: number }>`select inbox_retire() as n`.execute(database.db);
  let requestsForgotten = 0;
  for (const companyId of await companyIds(database))
    requestsForgotten += await inCompany(database, companyId, async (tx) => {
      const { numDeletedRows } = await tx
        .deleteFrom("api_requests")
        .where("created_at", "<", sql<Date>`now() - make_interval(days => ${REQUEST_DAYS})`)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    });
  return {
    partitionsMade: made.rows[0]?.n ?? 0,
    partitionsDropped: dropped.rows[0]?.n ?? 0,
    requestsForgotten,
  };
}
