import { buybackTotal, identityDuty } from "@noren/commerce";
import type { Tx } from "@noren/database";
import { shownBuyback } from "./buybacks.ts";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";

type Offered = { itemId: string; condition: string; features?: string; qty: number; unitPriceYen: number };

/**
 * Writes down what is offered for the goods that somebody brings, line by line. Nothing is bought yet.
 *
 * Only what the catalogue knows is bought, in a condition that it allows: else nobody could say whether the goods need
 * identity, nor sell them afterwards. The buy-back's own id makes it once.
 */
export const appraiseBuyback = operation("appraiseBuyback", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, staffId } = caller;
  const { buybackId } = body;
  const before = await tx.selectFrom("buybacks").select("id").where("id", "=", buybackId).executeTakeFirst();
  if (before) return shownBuyback(tx, storeId, buybackId);

  const lines = await known(tx, body.lines);
  await tx
    .insertInto("buybacks")
    .values({
      company_id: companyId,
      id: buybackId,
      store_id: storeId,
      total_yen: buybackTotal(lines),
      identity_duty: identityDuty(lines).duty,
      appraised_by: staffId,
      appraised_at: services.now(),
    })
    .execute();
  await tx
    .insertInto("buyback_lines")
    .values(
      lines.map((line, index) => ({
        company_id: companyId,
        buyback_id: buybackId,
        line_no: index + 1,
        item_id: line.itemId,
        condition: line.condition,
        name: line.name,
        category: line.category,
        identity_always: line.identityAlways,
        features: line.features ?? null,
        qty: line.qty,
        unit_price_yen: line.unitPriceYen,
      })),
    )
    .execute();
  return shownBuyback(tx, storeId, buybackId);
});

/** The lines with what the catalogue says of them. */
async function known(tx: Tx, offered: readonly Offered[]) {
  const items = await tx
    .selectFrom("items")
    .innerJoin("categories", "categories.id", "items.category_id")
    .innerJoin("item_conditions", "item_conditions.item_id", "items.id")
    .select([
      "items.id",
      "items.name",
      "item_conditions.condition",
      "categories.name as category",
      "categories.identity_always as identityAlways",
    ])
    .where("items.id", "in", [...new Set(offered.map(({ itemId }) => itemId))])
    .where("items.retired_at", "is", null)
    .execute();
  return offered.map((line, index) => {
    const [item] = items.filter(({ id }) => id === line.itemId);
    if (!item)
      throw notFound(`${index + 1}行目の品目は登録されていません。品目を登録してから査定してください。`);
    if (!items.some(({ id, condition }) => id === line.itemId && condition === line.condition))
      throw new Refusal(
        422,
        "condition_unknown",
        `「${item.name}」に状態「${line.condition}」はありません。状態を選び直してください。`,
      );
    const { name, category, identityAlways } = item;
    return { ...line, name, category, identityAlways };
  });
}
