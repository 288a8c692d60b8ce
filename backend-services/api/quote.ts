import {
  type Allocation,
  type Shortage,
  allocate,
  bankTransferDeadline,
  businessDate,
  taxes,
  wanted,
} from "@noren/commerce";
import { type Tx, storeStock } from "@noren/database";
import { operation } from "./operation.ts";
import { notFound } from "./refusal.ts";
import { ratesOn } from "./tax-rates.ts";

type Asked = { itemId: string; condition: string; qty: number }[];

/** Prices a basket and says whether it can be had, exactly as placing it would. */
export const quoteOrder = operation("quoteOrder", async ({ tx, body, services }) => {
  const { lines, shippingYen, taxes, totalYen, allocation, deadline } = await quoted(
    tx,
    body.lines,
    services.now(),
  );
  return {
    lines: lines.map(({ condition, conditionName, ...line }) => ({
      ...line,
      condition: { code: condition, name: conditionName },
    })),
    shippingYen,
    taxes,
    totalYen,
    orderable: "shipments" in allocation,
    deadline: deadline.toISOString(),
  };
});

/** A basket with today's prices and rates, its shipping and taxes, and the stores that could ship it now. */
export async function quoted(tx: Tx, asked: Asked, now: Date) {
  const itemIds = [...new Set(asked.map(({ itemId }) => itemId))];
  const items = new Map(
    (
      await tx
        .selectFrom("items")
        .select(["id", "name", "tax_class"])
        .where("id", "in", itemIds)
        .where("retired_at", "is", null)
        .execute()
    ).map((item) => [item.id, item]),
  );
  const names = new Map(
    (await tx.selectFrom("conditions").select(["code", "name"]).execute()).map(({ code, name }) => [
      code,
      name,
    ]),
  );
  const company = await tx
    .selectFrom("companies")
    .select(["shipping_yen", "tax_rounding"])
    .executeTakeFirstOrThrow();
  // A storefront never closes, so its day is the calendar's.
  const rates = await ratesOn(tx, businessDate(now, "00:00"));
  const stock = await storeStock(tx, itemIds);

  const lines = asked.map(({ itemId, condition, qty }, index) => {
    const item = items.get(itemId);
    const offer = wanted(
      stock.filter((product) => product.itemId === itemId && product.condition === condition),
    );
    if (!item || !offer) throw notFound("販売を終了した商品が含まれています。カートから外してください。");
    return {
      lineNo: index + 1,
      itemId,
      condition,
      conditionName: names.get(condition) ?? condition,
      name: item.name,
      taxClass: item.tax_class,
      ratePct: rates[item.tax_class],
      qty,
      unitPriceYen: offer.priceYen,
      amountYen: offer.priceYen * qty,
      available: offer.qty,
    };
  });
  const shipping = { ratePct: rates.standard, amountYen: company.shipping_yen };
  const groups = taxes(shipping.amountYen > 0 ? [...lines, shipping] : lines, company.tax_rounding);
  const allocation: Allocation | Shortage = allocate(lines, stock);
  return {
    lines,
    shippingYen: shipping.amountYen,
    taxes: groups,
    totalYen: groups.reduce((sum, { grossYen }) => sum + grossYen, 0),
    allocation,
    deadline: bankTransferDeadline(now),
  };
}
