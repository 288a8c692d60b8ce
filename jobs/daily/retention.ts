import { type Database, companyIds, inCompany } from "@noren/database";
import { sql } from "kysely";

/** A till may come back with a week of unsent sales; after that its keys have done their work. */
const REQUEST_DAYS = 14;

export type Retention = {
  partitionsMade: number;
  partitionsDropped: number;
  requestsForgotten: number;
  identitiesForgotten: number;
};

/**
 * Makes the inbox partitions of the coming week, drops those that no queue can still hold, forgets old API requests and
 * who sold to the shop when the law no longer wants it kept.
 */
export async function keepHouse(database: Database): Promise<Retention> {
  const made = await sql<{ n: number }>`select inbox_partitions() as n`.execute(database.db);
  const dropped = await sql<{ n: number }>`select inbox_retire() as n`.execute(database.db);
  const forgotten = { requestsForgotten: 0, identitiesForgotten: 0 };
  for (const companyId of await companyIds(database))
    await inCompany(database, companyId, async (tx) => {
      const requests = await tx
        .deleteFrom("api_requests")
        .where("created_at", "<", sql<Date>`now() - make_interval(days => ${REQUEST_DAYS})`)
        .executeTakeFirstOrThrow();
      const identities = await tx
        .deleteFrom("buyback_identities")
        .where("keep_until", "<", sql<string>`current_date`)
        .executeTakeFirstOrThrow();
      forgotten.requestsForgotten += Number(requests.numDeletedRows);
      forgotten.identitiesForgotten += Number(identities.numDeletedRows);
    });
  return {
    partitionsMade: made.rows[0]?.n ?? 0,
    partitionsDropped: dropped.rows[0]?.n ?? 0,
    ...forgotten,
  };
}
