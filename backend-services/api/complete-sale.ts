import { businessDate as dayOf, price, settle, taxes } from "@noren/commerce";
import { type Tx, emit, writeStock } from "@noren/database";
import { newId, saleCompleted } from "@noren/events";
import { sql } from "kysely";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";
import { tillReceipt } from "./till-receipt.ts";

/**
 * Completes a sale: the document with its lines, taxes and payment, the reservation of what was sold, the cash in the
 * drawer and the event, all in this one transaction. The ledger follows in worker-transaction.
 *
 * Stock never refuses a sale: what lies on the counter can be sold. Prices and rates come from the database, never from
 * the till. The sale's own id makes it once: a repeat answers the receipt of the first.
 */
export const completeSale = operation("completeSale", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, registerId, staffId } = caller;
  const { saleId } = body;
  // The table of answers forgets after two weeks, the sale never does.
  const before = await tillReceipt(tx, storeId, saleId);
  if (before) return before;

  const number = await takeNumber(tx, registerId, storeId);
  // Asked after the register's row is locked: who closes the register takes that lock too.
  const session = await tx
    .selectFrom("register_sessions")
    .select("id")
    .where("register_id", "=", registerId)
    .where("closed_at", "is", null)
    .executeTakeFirst();
  if (!session)
    throw new Refusal(409, "register_closed", "レジが開いていません。レジを開けてから会計してください。");
  const now = services.now();
  const businessDate = dayOf(now, number.dayStartsAt);
  const lines = price(await sold(tx, storeId, businessDate, body.lines));
  const totalYen = lines.reduce((sum, { amountYen }) => sum + amountYen, 0);
  const settled = settle(totalYen, body.payments);
  if ("refused" in settled) throw new Refusal(422, settled.refused, settled.message);

  const company = { company_id: companyId };
  const receiptNo = `${number.storeCode}-${number.registerCode}-${String(number.seq).padStart(6, "0")}`;
  await tx
    .insertInto("sales")
    .values({
      ...company,
      id: saleId,
      store_id: storeId,
      session_id: session.id,
      register_id: registerId,
      register_seq: number.seq,
      receipt_no: receiptNo,
      business_date: businessDate,
      staff_id: staffId,
      email: body.email ?? null,
      total_yen: totalYen,
      completed_at: now,
    })
    .execute();
  await tx
    .insertInto("sale_lines")
    .values(
      lines.map((line) => ({
        ...company,
        sale_id: saleId,
        line_no: line.lineNo,
        product_id: line.productId,
        code: line.code,
        name: line.name,
        condition: line.condition,
        tax_class: line.taxClass,
        rate_pct: line.ratePct,
        unit_price_yen: line.unitPriceYen,
        qty: line.qty,
        line_discount_yen: line.lineDiscountYen,
        spread_discount_yen: line.spreadDiscountYen,
      })),
    )
    .execute();
  const groups = taxes(lines, number.rounding);
  await tx
    .insertInto("sale_taxes")
    .values(
      groups.map(({ ratePct, grossYen, taxYen }) => ({
        ...company,
        sale_id: saleId,
        rate_pct: ratePct,
        gross_yen: grossYen,
        tax_yen: taxYen,
      })),
    )
    .execute();
  for (const [index, payment] of settled.payments.entries()) {
    const cash = payment.method === "cash";
    await tx
      .insertInto("sale_payments")
      .values({
        ...company,
        sale_id: saleId,
        line_no: index + 1,
        method: payment.method,
        amount_yen: payment.amountYen,
        tendered_yen: cash ? payment.tenderedYen : null,
      })
      .execute();
    if (cash)
      await tx
        .insertInto("cash_moves")
        .values({
          ...company,
          id: newId(),
          session_id: session.id,
          kind: "sale",
          amount_yen: payment.amountYen,
          source_type: "sale",
          source_id: saleId,
          occurred_at: now,
        })
        .execute();
  }
  await writeStock(tx, companyId, {
    cause: { type: "sale", id: saleId },
    reserve: { owner: { type: "sale", id: saleId }, lines, ifAvailable: false },
  });
  await emit(
    tx,
    saleCompleted.create({
      companyId,
      storeId,
      aggregateId: saleId,
      occurredAt: now,
      data: {
        saleId,
        storeId,
        sessionId: session.id,
        receiptNo,
        businessDate,
        lines: lines.map(({ productId, qty, amountYen, ratePct }) => ({
          productId,
          qty,
          amountYen,
          ratePct,
        })),
        taxes: groups,
        payments: settled.payments.map(({ method, amountYen }) => ({ method, amountYen })),
        totalYen,
        ...(body.email ? { email: body.email } : {}),
      },
    }),
  );
  const receipt = await tillReceipt(tx, storeId, saleId);
  if (!receipt) throw new Error(`Sale ${saleId} was written and cannot be read back.`);
  return receipt;
});

/** The register's next number. Its row is locked until the commit, so numbers have no gaps and one till sells one by one. */
async function takeNumber(tx: Tx, registerId: string, storeId: string) {
  const taken = await tx
    .updateTable("registers")
    .from("stores")
    .innerJoin("companies", "companies.id", "stores.company_id")
    .set({ last_seq: sql`registers.last_seq + 1` })
    .whereRef("stores.id", "=", "registers.store_id")
    .where("registers.id", "=", registerId)
    .where("registers.store_id", "=", storeId)
    .returning([
      "registers.last_seq as seq",
      "registers.code as registerCode",
      "stores.code as storeCode",
      "stores.day_starts_at as dayStartsAt",
      "companies.tax_rounding as rounding",
    ])
    .executeTakeFirst();
  if (!taken) throw notFound("このレジは見つかりませんでした。端末を登録し直してください。");
  return taken;
}

/** What is sold, at the store's own prices and the day's rates. Refuses what this store does not have, or has not priced. */
async function sold(
  tx: Tx,
  storeId: string,
  businessDate: string,
  asked: { productId: string; qty: number }[],
) {
  const products = await tx
    .selectFrom("products")
    .innerJoin("items", "items.id", "products.item_id")
    .innerJoin("tax_rates", "tax_rates.tax_class", "items.tax_class")
    .select([
      "products.id as productId",
      "products.price_yen as unitPriceYen",
      "products.condition",
      "items.code",
      "items.name",
      "items.tax_class as taxClass",
      "tax_rates.rate_pct as ratePct",
    ])
    .where("products.id", "in", [...new Set(asked.map(({ productId }) => productId))])
    .where("products.store_id", "=", storeId)
    .where("products.closed_at", "is", null)
    .where(sql<boolean>`tax_rates.valid @> ${businessDate}::date`)
    .execute();
  const byId = new Map(products.map((product) => [product.productId, product]));
  return asked.map(({ productId, qty }, index) => {
    const product = byId.get(productId);
    if (!product) throw notFound("この店舗にない商品が含まれています。その行を取り消してください。");
    if (product.unitPriceYen === 0)
      throw new Refusal(
        422,
        "price_missing",
        `「${product.name}」に値段がありません。値段を付けてください。`,
      );
    return { ...product, lineNo: index + 1, qty };
  });
}
