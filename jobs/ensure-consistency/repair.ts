import { type Tx, emit } from "@noren/database";
import type { Mismatch } from "@noren/database/invariants";
import { productStockChanged } from "@noren/events";
import { sql } from "kysely";

/**
 * Sets a product's level to what its ledger and its reservations say, and announces the new numbers. Only for levels: they
 * are a cache. A ledger is never touched here; what is wrong in one is for a person to correct with a new entry.
 *
 * Counts again under the lock, because sales go on. Returns whether there was something to repair.
 */
export async function repairLevel(
  tx: Tx,
  companyId: string,
  { subjectId: productId, storeId = "" }: Mismatch,
) {
  await tx
    .selectFrom("stock_levels")
    .select("product_id")
    .where("product_id", "=", productId)
    .forUpdate()
    .executeTakeFirst();
  const { rows } = await sql<{ on_hand: number; reserved: number; available: number; seq: number }>`
    update stock_levels l
    set on_hand = truth.on_hand, reserved = truth.reserved, seq = l.seq + 1
    from (select
      coalesce((select sum(qty) from stock_moves where product_id = ${productId}), 0)::int as on_hand,
      coalesce((select sum(qty) from reservations where product_id = ${productId} and state = 'held'), 0)::int as reserved
    ) truth
    where l.product_id = ${productId} and (l.on_hand, l.reserved) is distinct from (truth.on_hand, truth.reserved)
    returning l.on_hand, l.reserved, l.available, l.seq`.execute(tx);
  const [level] = rows;
  if (!level) return false;
  const changed = productStockChanged.create({
    companyId,
    storeId,
    aggregateId: productId,
    seq: level.seq,
    data: {
      productId,
      onHand: level.on_hand,
      reserved: level.reserved,
      available: level.available,
      seq: level.seq,
      cause: { type: "audit", id: productId },
    },
  });
  await emit(tx, changed);
  return true;
}
