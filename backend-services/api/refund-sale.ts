import { businessDate as dayOf, refund } from "@noren/commerce";
import { type Tx, emit } from "@noren/database";
import { newId, saleRefunded } from "@noren/events";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";
import { openSession } from "./register-session.ts";
import { returnReceipt } from "./till-receipt.ts";

/**
 * Gives money back for some of a sale of this store: a document of today with its lines, taxes and payments, the cash out
 * of this register's drawer and the event, all in this one transaction. What goes back on sale follows in
 * worker-transaction.
 *
 * The till says which lines, how many and whether they can be sold again; what that is worth is decided here. The
 * refund's own id makes it once: a repeat answers the return receipt of the first.
 */
export const refundSale = operation("refundSale", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, registerId, staffId } = caller;
  const { saleId, refundId, reason } = body;
  const before = await returnReceipt(tx, storeId, refundId);
  if (before) return before;

  const register = await lockRegister(tx, registerId, storeId);
  const session = await openSession(tx, registerId);
  if (!session)
    throw new Refusal(409, "register_closed", "レジが開いていません。レジを開けてから返金してください。");
  const sale = await lockSale(tx, saleId, storeId);
  const refunded = refund(sale, [sale.done], body.lines, register.rounding);
  if ("refused" in refunded) throw new Refusal(422, refunded.refused, refunded.message);
  if (refunded.payments.some(({ method }) => method !== "cash"))
    throw new Refusal(
      422,
      "not_cash",
      "カード・QRコードで支払われた分は、このレジから返金できません。決済端末で返金してください。",
    );

  const now = services.now();
  const part = { company_id: companyId, sale_id: saleId, refund_id: refundId };
  await tx
    .insertInto("refunds")
    .values({
      company_id: companyId,
      id: refundId,
      sale_id: saleId,
      n: sale.refunds + 1,
      store_id: storeId,
      session_id: session.id,
      register_id: registerId,
      business_date: dayOf(now, register.dayStartsAt),
      staff_id: staffId,
      reason,
      total_yen: refunded.totalYen,
      refunded_at: now,
    })
    .execute();
  await tx
    .insertInto("refund_lines")
    .values(
      refunded.lines.map(({ lineNo, qty, amountYen, restock }) => ({
        ...part,
        line_no: lineNo,
        qty,
        amount_yen: amountYen,
        restock,
      })),
    )
    .execute();
  await tx
    .insertInto("refund_taxes")
    .values(
      refunded.taxes.map(({ ratePct, grossYen, taxYen }) => ({
        ...part,
        rate_pct: ratePct,
        gross_yen: grossYen,
        tax_yen: taxYen,
      })),
    )
    .execute();
  for (const { lineNo, amountYen } of refunded.payments)
    await tx
      .insertInto("refund_payments")
      .values({ ...part, line_no: lineNo, amount_yen: amountYen })
      .execute();
  if (refunded.totalYen > 0)
    await tx
      .insertInto("cash_moves")
      .values({
        company_id: companyId,
        id: newId(),
        session_id: session.id,
        kind: "refund",
        amount_yen: -refunded.totalYen,
        source_type: "refund",
        source_id: refundId,
        occurred_at: now,
      })
      .execute();
  const productOf = new Map(sale.lines.map(({ lineNo, productId }) => [lineNo, productId]));
  await emit(
    tx,
    saleRefunded.create({
      companyId,
      storeId,
      aggregateId: saleId,
      occurredAt: now,
      data: {
        saleId,
        refundId,
        lines: refunded.lines.map((line) => ({
          ...line,
          productId: productOf.get(line.lineNo) ?? undefined,
        })),
        taxes: refunded.taxes,
        totalYen: refunded.totalYen,
      },
    }),
  );
  const receipt = await returnReceipt(tx, storeId, refundId);
  if (!receipt) throw new Error(`Refund ${refundId} was written and cannot be read back.`);
  return receipt;
});

/** The register's row, locked until the commit: who closes the register takes that lock too. */
async function lockRegister(tx: Tx, registerId: string, storeId: string) {
  const register = await tx
    .selectFrom("registers")
    .innerJoin("stores", "stores.id", "registers.store_id")
    .innerJoin("companies", "companies.id", "registers.company_id")
    .select(["stores.day_starts_at as dayStartsAt", "companies.tax_rounding as rounding"])
    .where("registers.id", "=", registerId)
    .where("registers.store_id", "=", storeId)
    .forUpdate("registers")
    .executeTakeFirst();
  if (!register) throw notFound("このレジは見つかりませんでした。端末を登録し直してください。");
  return register;
}

/** The sale as it was stored, and what has come back of it. Its row is locked, so its refunds are one after the other. */
async function lockSale(tx: Tx, saleId: string, storeId: string) {
  const sale = await tx
    .selectFrom("sales")
    .select("state")
    .where("id", "=", saleId)
    .where("store_id", "=", storeId)
    .forUpdate()
    .executeTakeFirst();
  if (!sale) {
    if (await returnReceipt(tx, storeId, saleId))
      throw new Refusal(422, "is_refund", "返品の伝票は返品できません。もとのレシートを読み取ってください。");
    throw notFound("この会計は見つかりませんでした。この店舗のレシートか確かめてください。");
  }
  const lines = await tx
    .selectFrom("sale_lines")
    .select([
      "line_no as lineNo",
      "product_id as productId",
      "name",
      "rate_pct as ratePct",
      "qty",
      "amount_yen as amountYen",
    ])
    .where("sale_id", "=", saleId)
    .orderBy("line_no")
    .execute();
  const taxes = await tx
    .selectFrom("sale_taxes")
    .select(["rate_pct as ratePct", "gross_yen as grossYen", "tax_yen as taxYen"])
    .where("sale_id", "=", saleId)
    .orderBy("rate_pct", "desc")
    .execute();
  const payments = await tx
    .selectFrom("sale_payments")
    .select(["line_no as lineNo", "method", "amount_yen as amountYen"])
    .where("sale_id", "=", saleId)
    .orderBy("line_no")
    .execute();
  const { refunds } = await tx
    .selectFrom("refunds")
    .select(({ fn }) => fn.countAll<number>().as("refunds"))
    .where("sale_id", "=", saleId)
    .executeTakeFirstOrThrow();
  const done = {
    lines: await tx
      .selectFrom("refund_lines")
      .select(["line_no as lineNo", "qty"])
      .where("sale_id", "=", saleId)
      .execute(),
    taxes: await tx
      .selectFrom("refund_taxes")
      .select(["rate_pct as ratePct", "tax_yen as taxYen"])
      .where("sale_id", "=", saleId)
      .execute(),
    payments: await tx
      .selectFrom("refund_payments")
      .select(["line_no as lineNo", "amount_yen as amountYen"])
      .where("sale_id", "=", saleId)
      .execute(),
  };
  return { ...sale, lines, taxes, payments, refunds, done };
}
