import { businessDate } from "@noren/commerce";
import type { Tx } from "@noren/database";

/** The store's business date at a moment: its day starts when the store says, not at midnight. */
export async function businessDayOf(tx: Tx, storeId: string, at: Date): Promise<string> {
  const store = await tx
    .selectFrom("stores")
    .select("day_starts_at")
    .where("id", "=", storeId)
    .executeTakeFirstOrThrow();
  return businessDate(at, store.day_starts_at);
}
