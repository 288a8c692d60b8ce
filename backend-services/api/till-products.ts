import type { Tx } from "@noren/database";
import { businessDayOf } from "./business-day.ts";
import { operation } from "./operation.ts";
import { matching } from "./search.ts";
import { ratesOn } from "./tax-rates.ts";

const SHOWN = 50;

/** What a scanned code is in this store: one product for each condition, none for a code that nobody knows. */
export const scanProduct = operation("scanProduct", async ({ tx, caller, params, services }) => {
  const code = params.code.normalize("NFKC").trim();
  const rows = await sold(tx, caller.storeId).where("items.code", "=", code).execute();
  return { products: await shown(tx, caller.storeId, services.now(), rows) };
});

/** The store's products by words of their name. */
export const searchProducts = operation("searchProducts", async ({ tx, caller, query, services }) => {
  const rows = await sold(tx, caller.storeId).where(matching(query.q)).limit(SHOWN).execute();
  return { products: await shown(tx, caller.storeId, services.now(), rows) };
});

const sold = (tx: Tx, storeId: string) =>
  tx
    .selectFrom("products")
    .innerJoin("items", "items.id", "products.item_id")
    .innerJoin("conditions", "conditions.code", "products.condition")
    .innerJoin("stock_levels", "stock_levels.product_id", "products.id")
    .select([
      "products.id as productId",
      "items.id as itemId",
      "items.code",
      "items.name",
      "items.tax_class as taxClass",
      "conditions.code as conditionCode",
      "conditions.name as conditionName",
      "products.price_yen as priceYen",
      "stock_levels.on_hand as onHand",
      "stock_levels.reserved",
    ])
    .where("products.store_id", "=", storeId)
    .where("products.closed_at", "is", null)
    .orderBy("items.name")
    .orderBy("items.id")
    .orderBy("conditions.rank");

type Row = Awaited<ReturnType<ReturnType<typeof sold>["execute"]>>[number];

async function shown(tx: Tx, storeId: string, now: Date, rows: Row[]) {
  if (rows.length === 0) return [];
  const rates = await ratesOn(tx, await businessDayOf(tx, storeId, now));
  return rows.map(({ conditionCode, conditionName, onHand, reserved, ...row }) => ({
    ...row,
    condition: { code: conditionCode, name: conditionName },
    ratePct: rates[row.taxClass],
    available: onHand - reserved,
  }));
}
