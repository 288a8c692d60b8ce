import { type TaxClass, businessDate, rateOn, taxRate } from "@noren/commerce";
import type { Tx } from "@noren/database";
import { sql } from "kysely";
import type { MallOrder } from "./mall.ts";

export type MallLine = {
  lineNo: number;
  itemId?: string;
  condition?: string;
  name: string;
  taxClass: TaxClass;
  ratePct: number;
  qty: number;
  unitPriceYen: number;
  amountYen: number;
};

/**
 * A mall order's lines as ours: the item behind each code, at the mall's price and at our rate of the day it was placed.
 * A code or a condition that we do not have stays a line without an item; the order is then short, and a person sees why.
 */
export async function mallLines(tx: Tx, order: MallOrder, mallAccountId: string) {
  const codes = [...new Set(order.lines.map(({ itemCode }) => itemCode))];
  const items = await tx
    .selectFrom("items")
    .innerJoin("item_conditions", "item_conditions.item_id", "items.id")
    .select(["items.id", "items.code", "items.name", "items.tax_class", "item_conditions.condition"])
    .where("items.code", "in", codes)
    .execute();
  const listed = await tx
    .selectFrom("listings")
    .innerJoin("items", "items.id", "listings.item_id")
    .select(["items.id", "listings.mall_sku as code", "items.name", "items.tax_class", "listings.condition"])
    .where("listings.mall_account_id", "=", mallAccountId)
    .where("listings.mall_sku", "in", codes)
    .execute();
  const rows = await tx
    .selectFrom("tax_rates")
    .select(["tax_class", sql<string>`valid::text`.as("valid"), "rate_pct"])
    .execute();
  const rates = rows.map(taxRate);
  const day = businessDate(new Date(order.placedAt), "00:00");
  const rate = (taxClass: TaxClass) => rateOn(rates, taxClass, day);

  const lines = order.lines.map(({ itemCode, condition, qty, unitYen }, index): MallLine => {
    // A listing's own name for an item is more exact than the item's code.
    const item = [...listed, ...items].find((row) => row.code === itemCode && row.condition === condition);
    const taxClass = item?.tax_class ?? "standard";
    return {
      lineNo: index + 1,
      ...(item ? { itemId: item.id, condition } : {}),
      name: item?.name ?? `${itemCode} ${condition}`,
      taxClass,
      ratePct: rate(taxClass),
      qty,
      unitPriceYen: unitYen,
      amountYen: unitYen * qty,
    };
  });
  return { lines, shippingRatePct: rate("standard") };
}
