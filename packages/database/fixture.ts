import { taxes } from "@noren/commerce";
import { newId } from "@noren/events";
import { sql } from "kysely";
import { type Tx, inCompany } from "./tenant.ts";
import type { TestDatabase } from "./testing.ts";
import { writeStock } from "./stock.ts";
import { writeRefund } from "./write-refund.ts";

export type Shop = Awaited<ReturnType<typeof openShop>>;

/** The smallest company that can sell: one store, one register, one clerk, one item in one condition, with stock. */
export async function openShop({ owner }: Pick<TestDatabase, "owner">, options: { stock?: number[] } = {}) {
  const [companyId, storeId, staffId, registerId, categoryId] = [newId(), newId(), newId(), newId(), newId()];
  const code = companyId.slice(-12);
  const products = (options.stock ?? [10]).map((stock) => ({ stock, itemId: newId(), productId: newId() }));
  await inCompany(owner, companyId, async (tx) => {
    const company = { company_id: companyId };
    await tx
      .insertInto("companies")
      .values({ id: companyId, code: `c-${code}`, name: "会社" })
      .execute();
    await tx
      .insertInto("stores")
      .values({ ...company, id: storeId, code: "honten", name: "本店" })
      .execute();
    await tx
      .insertInto("staff")
      .values({ ...company, id: staffId, code: "101", name: "山田", role: "clerk", pin_hash: "none" })
      .execute();
    await tx
      .insertInto("registers")
      .values({ ...company, id: registerId, store_id: storeId, code: "1" })
      .execute();
    await tx
      .insertInto("categories")
      .values({ ...company, id: categoryId, code: "books", name: "本", tax_class: "standard" })
      .execute();
    await tx
      .insertInto("conditions")
      .values({ ...company, code: "A", name: "美品", rank: 1 })
      .execute();
    for (const [index, { itemId, productId, stock }] of products.entries()) {
      await tx
        .insertInto("items")
        .values({
          ...company,
          id: itemId,
          code: `20000000000${index}`,
          name: "本",
          category_id: categoryId,
          tax_class: "standard",
        })
        .execute();
      await tx
        .insertInto("item_conditions")
        .values({ ...company, item_id: itemId, condition: "A" })
        .execute();
      await tx
        .insertInto("products")
        .values({
          ...company,
          id: productId,
          store_id: storeId,
          item_id: itemId,
          condition: "A",
          price_yen: 500,
        })
        .execute();
      if (stock === 0) continue;
      const sourceId = newId();
      await writeStock(tx, companyId, {
        cause: { type: "opening", id: sourceId },
        moves: [
          {
            productId,
            qty: stock,
            kind: "opening",
            sourceType: "opening",
            sourceId,
            lineNo: 1,
            occurredAt: new Date(),
          },
        ],
      });
    }
  });
  const [first] = products;
  if (!first) throw new Error("A shop without a product was asked for.");
  return { companyId, storeId, staffId, registerId, categoryId, products, ...first };
}

type Sold = { saleId: string; sessionId: string; totalYen: number };

/**
 * A sale as the API leaves it, without its event: the document, its cash in the open session (opened if there is none),
 * and what it holds. A line without a product is a free one.
 */
export async function recordSale(
  { owner }: Pick<TestDatabase, "owner">,
  shop: Shop,
  sale: {
    lines: { productId?: string; qty: number; unitPriceYen: number; ratePct?: 8 | 10; name?: string }[];
    email?: string;
    at?: Date;
    businessDate?: string;
  },
): Promise<Sold> {
  const { companyId, storeId, registerId, staffId } = shop;
  const { at = new Date("2026-11-24T03:00:00Z"), businessDate = "2026-11-24" } = sale;
  const saleId = newId();
  let sessionId = "";
  const company = { company_id: companyId };
  const lines = sale.lines.map((line, index) => ({ ratePct: 10, ...line, lineNo: index + 1 }));
  const groups = taxes(
    lines.map(({ ratePct, qty, unitPriceYen }) => ({ ratePct, amountYen: qty * unitPriceYen })),
    "floor",
  );
  const totalYen = groups.reduce((sum, { grossYen }) => sum + grossYen, 0);
  await inCompany(owner, companyId, async (tx) => {
    sessionId = await openedSession(tx, shop, { at, businessDate });
    const { seq } = await tx
      .updateTable("registers")
      .set({ last_seq: sql`last_seq + 1` })
      .where("id", "=", registerId)
      .returning("last_seq as seq")
      .executeTakeFirstOrThrow();
    await tx
      .insertInto("sales")
      .values({
        ...company,
        id: saleId,
        store_id: storeId,
        session_id: sessionId,
        register_id: registerId,
        register_seq: seq,
        receipt_no: `honten-1-${String(seq).padStart(6, "0")}`,
        business_date: businessDate,
        staff_id: staffId,
        email: sale.email,
        total_yen: totalYen,
        completed_at: at,
      })
      .execute();
    const of = { ...company, sale_id: saleId };
    await tx
      .insertInto("sale_lines")
      .values(
        lines.map(({ lineNo, productId, qty, unitPriceYen, ratePct, name = "本" }) => ({
          ...of,
          line_no: lineNo,
          product_id: productId,
          name,
          condition: productId ? "A" : null,
          tax_class: ratePct === 8 ? ("reduced" as const) : ("standard" as const),
          rate_pct: ratePct,
          unit_price_yen: unitPriceYen,
          qty,
        })),
      )
      .execute();
    for (const { ratePct, grossYen, taxYen } of groups)
      await tx
        .insertInto("sale_taxes")
        .values({ ...of, rate_pct: ratePct, gross_yen: grossYen, tax_yen: taxYen })
        .execute();
    const payment = { line_no: 1, method: "cash" as const, amount_yen: totalYen, tendered_yen: totalYen };
    await tx
      .insertInto("sale_payments")
      .values({ ...of, ...payment })
      .execute();
    const move = { session_id: sessionId, source_type: "sale", source_id: saleId, occurred_at: at };
    await tx
      .insertInto("cash_moves")
      .values({ ...company, ...move, id: newId(), kind: "sale", amount_yen: totalYen })
      .execute();
    await writeStock(tx, companyId, {
      cause: { type: "sale", id: saleId },
      reserve: {
        owner: { type: "sale", id: saleId },
        lines: lines.flatMap(({ productId, lineNo, qty }) => (productId ? [{ productId, lineNo, qty }] : [])),
        ifAvailable: false,
      },
    });
  });
  return { saleId, sessionId, totalYen };
}

/** A refund of such a sale as the API leaves it, without its event. */
export async function recordRefund(
  { owner }: Pick<TestDatabase, "owner">,
  shop: Shop,
  { saleId, sessionId }: Sold,
  lines: { lineNo: number; qty: number; restock: boolean }[],
  { at = new Date("2026-11-25T03:00:00Z"), businessDate = "2026-11-25" } = {},
) {
  const { companyId, storeId, registerId, staffId } = shop;
  const refundId = newId();
  const write = { companyId, storeId, registerId, staffId, sessionId, saleId, refundId, lines, at };
  const refund = await inCompany(owner, companyId, (tx) =>
    writeRefund(tx, { ...write, businessDate, reason: "初期不良", rounding: "floor" }),
  );
  if (!refund || "refused" in refund)
    throw new Error(`The refund of ${saleId} was refused: ${refund?.message}`);
  return { refundId, ...refund };
}

/** A paid buy-back as the API leaves it, without its event. Its goods need no identity. */
export async function recordBuyback(
  { owner }: Pick<TestDatabase, "owner">,
  shop: Shop,
  lines: { condition?: string; qty: number; unitPriceYen: number }[],
  { at = new Date("2026-11-24T03:00:00Z"), businessDate = "2026-11-24" } = {},
) {
  const { companyId, storeId, staffId, itemId } = shop;
  const [buybackId, payoutId] = [newId(), newId()];
  const company = { company_id: companyId };
  const totalYen = lines.reduce((sum, { qty, unitPriceYen }) => sum + qty * unitPriceYen, 0);
  const sessionId = await inCompany(owner, companyId, async (tx) => {
    const session_id = await openedSession(tx, shop, { at, businessDate });
    const appraised = { appraised_by: staffId, appraised_at: at, agreed_at: at };
    const paid = {
      payout_id: payoutId,
      session_id,
      business_date: businessDate,
      paid_by: staffId,
      paid_at: at,
    };
    const buyback = { id: buybackId, store_id: storeId, total_yen: totalYen, identity_duty: false };
    await tx
      .insertInto("buybacks")
      .values({ ...company, ...buyback, state: "paid_out", ...appraised, ...paid })
      .execute();
    await tx
      .insertInto("buyback_lines")
      .values(
        lines.map(({ condition = "A", qty, unitPriceYen }, index) => ({
          ...company,
          buyback_id: buybackId,
          line_no: index + 1,
          item_id: itemId,
          condition,
          name: "本",
          category: "本",
          identity_always: false,
          qty,
          unit_price_yen: unitPriceYen,
          accepted: true,
        })),
      )
      .execute();
    const move = { session_id, source_type: "buyback", source_id: buybackId, occurred_at: at };
    await tx
      .insertInto("cash_moves")
      .values({ ...company, ...move, id: payoutId, kind: "buyback", amount_yen: -totalYen })
      .execute();
    return session_id;
  });
  return { buybackId, sessionId, totalYen };
}

/** The open session of the shop's register, opened now unless it is. */
async function openedSession(
  tx: Tx,
  { companyId, storeId, registerId, staffId }: Shop,
  { at, businessDate }: { at: Date; businessDate: string },
): Promise<string> {
  const open = await tx
    .selectFrom("register_sessions")
    .select("id")
    .where("register_id", "=", registerId)
    .where("closed_at", "is", null)
    .executeTakeFirst();
  if (open) return open.id;
  const id = newId();
  const session = { id, store_id: storeId, register_id: registerId, opened_by: staffId };
  await tx
    .insertInto("register_sessions")
    .values({
      company_id: companyId,
      ...session,
      business_date: businessDate,
      float_yen: 0,
      opened_at: at,
    })
    .execute();
  return id;
}
