import type { Tx } from "@noren/database";
import { sql } from "kysely";

/** Keeps what each of a store's products had on `today`; a later run of the same day replaces it. Returns how many. */
export async function writeStockSnapshots(
  tx: Tx,
  companyId: string,
  storeId: string,
  today: string,
): Promise<number> {
  const result = await sql`
    insert into stock_snapshots (company_id, product_id, business_date, on_hand, reserved)
    select ${companyId}, p.id, ${today}::date, l.on_hand, l.reserved
    from products p join stock_levels l on l.product_id = p.id
    where p.store_id = ${storeId}
    on conflict (company_id, product_id, business_date) do update set
      on_hand = excluded.on_hand, reserved = excluded.reserved`.execute(tx);
  return Number(result.numAffectedRows ?? 0);
}
