import { type Refund, type RefundAsk, type Refusal, type Rounding, refund } from "@noren/commerce";
import { newId } from "@noren/events";
import type { Tx } from "./tenant.ts";

export type RefundWrite = {
  companyId: string;
  storeId: string;
  /** Out of whose drawer the cash goes; open, and locked by the caller. */
  registerId: string;
  sessionId: string;
  staffId: string;
  refundId: string;
  saleId: string;
  lines: readonly RefundAsk[];
  reason: string;
  businessDate: string;
  rounding: Rounding;
  at: Date;
};

export type WrittenRefund = Omit<Refund, "lines"> & {
  /** With the product that the sale's line names, if any. */
  lines: (Refund["lines"][number] & { productId?: string })[];
};

/**
 * Writes a refund: the document with its lines, taxes and payments, and the cash out of the drawer. The sale's row is
 * locked, so its refunds are one after the other. Answers the refusal of what the sale does not allow, or undefined when
 * this store has no such sale; then nothing was written.
 */
export async function writeRefund(
  tx: Tx,
  { companyId, saleId, refundId, ...write }: RefundWrite,
): Promise<WrittenRefund | Refusal | undefined> {
  const sale = await lockSale(tx, saleId, write.storeId);
  if (!sale) return undefined;
  const refunded = refund(sale, [sale.done], write.lines, write.rounding);
  if ("refused" in refunded) return refunded;
  if (refunded.payments.some(({ method }) => method !== "cash"))
    return {
      refused: "not_cash",
      message: "カード・QRコードで支払われた分は、このレジから返金できません。決済端末で返金してください。",
    };

  const part = { company_id: companyId, sale_id: saleId, refund_id: refundId };
  await tx
    .insertInto("refunds")
    .values({
      company_id: companyId,
      id: refundId,
      sale_id: saleId,
      n: sale.refunds + 1,
      store_id: write.storeId,
      session_id: write.sessionId,
      register_id: write.registerId,
      business_date: write.businessDate,
      staff_id: write.staffId,
      reason: write.reason,
      total_yen: refunded.totalYen,
      refunded_at: write.at,
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
        session_id: write.sessionId,
        kind: "refund",
        amount_yen: -refunded.totalYen,
        source_type: "refund",
        source_id: refundId,
        occurred_at: write.at,
      })
      .execute();
  const productOf = new Map(sale.lines.map(({ lineNo, productId }) => [lineNo, productId]));
  return {
    ...refunded,
    lines: refunded.lines.map((line) => {
      const productId = productOf.get(line.lineNo);
      return productId ? { ...line, productId } : line;
    }),
  };
}

/** The sale as it was stored, and what has come back of it. */
async function lockSale(tx: Tx, saleId: string, storeId: string) {
  const sale = await tx
    .selectFrom("sales")
    .select("state")
    .where("id", "=", saleId)
    .where("store_id", "=", storeId)
    .forUpdate()
    .executeTakeFirst();
  if (!sale) return undefined;
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
