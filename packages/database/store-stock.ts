import type { StoreStock } from "@noren/commerce";
import type { Tx } from "./tenant.ts";

/**
 * What the shipping stores have of some items, as `allocate` and `wanted` take it: products that are open, online and
 * priced. Reads without a lock: reserve with `ifAvailable` afterwards, and try again with a new look when it refuses.
 */
export function storeStock(tx: Tx, itemIds: string[]): Promise<StoreStock[]> {
  if (itemIds.length === 0) return Promise.resolve([]);
  return tx
    .selectFrom("products")
    .innerJoin("stores", "stores.id", "products.store_id")
    .innerJoin("stock_levels", "stock_levels.product_id", "products.id")
    .select([
      "products.id as productId",
      "products.store_id as storeId",
      "products.item_id as itemId",
      "products.condition",
      "products.price_yen as priceYen",
      "stock_levels.available",
      "products.safety_qty as safetyQty",
      "stores.allocation_rank as allocationRank",
    ])
    .where("products.item_id", "in", itemIds)
    .where("products.closed_at", "is", null)
    .where("products.online", "=", true)
    .where("products.price_yen", ">", 0)
    .where("stores.ships_online", "=", true)
    .orderBy("products.id")
    .execute();
}
