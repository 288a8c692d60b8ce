import { businessDate } from "@noren/commerce";
import { type Database, companyIds, inCompany } from "@noren/database";
import type { Logger } from "@noren/service";
import { writeDailyTotals } from "./daily-totals.ts";
import { type Retention, keepHouse } from "./retention.ts";
import { writeStockSnapshots } from "./stock-snapshots.ts";

/** Any number, the same in every version: two runs at a time would only do each other's work again. */
const LOCK = 7_267_362;

export type DailyReport = Retention & { companies: number; stores: number; days: number; snapshots: number };

/**
 * One run of the daily job at `now`: totals and stock of every store, then the house-keeping. Every step may run twice.
 * Returns null without doing anything while another run is at it.
 */
export async function daily(database: Database, log: Logger, now: Date): Promise<DailyReport | null> {
  const client = await database.pool.connect();
  try {
    const lock = await client.query<{ mine: boolean }>("select pg_try_advisory_lock($1) as mine", [LOCK]);
    if (!lock.rows[0]?.mine) return null;
    return await run(database, log, now);
  } finally {
    // Ending the connection gives the lock back, whatever happened to it.
    client.release(true);
  }
}

async function run(database: Database, log: Logger, now: Date): Promise<DailyReport> {
  const report = { companies: 0, stores: 0, days: 0, snapshots: 0 };
  for (const companyId of await companyIds(database)) {
    report.companies += 1;
    const stores = await inCompany(database, companyId, (tx) =>
      tx.selectFrom("stores").select(["id", "code", "day_starts_at"]).orderBy("id").execute(),
    );
    for (const store of stores) {
      const today = businessDate(now, store.day_starts_at);
      // A store a transaction: a failure leaves the others' work done, and the next run does this one again.
      const { days, snapshots } = await inCompany(database, companyId, async (tx) => ({
        days: await writeDailyTotals(tx, companyId, store.id, today),
        snapshots: await writeStockSnapshots(tx, companyId, store.id, today),
      }));
      log.info({ companyId, store: store.code, days, snapshots }, "daily totals written");
      report.stores += 1;
      report.days += days.length;
      report.snapshots += snapshots;
    }
  }
  return { ...report, ...(await keepHouse(database)) };
}
