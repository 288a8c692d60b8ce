import type { ReceiptDocument, TaxGroup, Yen } from "@noren/commerce";
import { receiptOfSale } from "./receipt-of-sale.ts";
import type { Tx } from "./tenant.ts";

/** A refund as the sale's receipt lists it; `lineNo` is the line's place on that receipt, from 1. */
export type RefundOfSale = {
  refundId: string;
  /** The receipt's number with the refund's own after it: `honten-1-000012-R1`. */
  refundNo: string;
  refundedAt: Date;
  totalYen: Yen;
  lines: { lineNo: number; qty: number; amountYen: Yen; restock: boolean }[];
};

/** What a 適格返還請求書 needs: the fields of a receipt, and both dates. */
export type ReturnDocument = Omit<RefundOfSale, "refundedAt" | "lines"> &
  Pick<ReceiptDocument, "saleId" | "receiptNo" | "issuer" | "store" | "businessDate"> & {
    /** UTC instants. */
    soldAt: string;
    refundedAt: string;
    registerCode: string;
    staffName: string;
    reason: string;
    lines: (RefundOfSale["lines"][number] &
      Pick<ReceiptDocument["lines"][number], "name" | "condition" | "ratePct" | "reduced">)[];
    taxes: (TaxGroup & { reduced: boolean })[];
    payments: { method: string; amountYen: Yen }[];
  };

/** The refunds of a sale, oldest first. */
export async function refundsOfSale(tx: Tx, saleId: string): Promise<RefundOfSale[]> {
  const refunds = await tx
    .selectFrom("refunds")
    .innerJoin("sales", "sales.id", "refunds.sale_id")
    .select([
      "refunds.id as refundId",
      "sales.receipt_no as receiptNo",
      "n",
      "refunded_at as refundedAt",
      "refunds.total_yen as totalYen",
    ])
    .where("refunds.sale_id", "=", saleId)
    .orderBy("n")
    .execute();
  if (refunds.length === 0) return [];
  const lines = await tx
    .selectFrom("refund_lines")
    .select(["refund_id", "line_no as lineNo", "qty", "amount_yen as amountYen", "restock"])
    .where("sale_id", "=", saleId)
    .orderBy("line_no")
    .execute();
  return refunds.map(({ receiptNo, n, ...refund }) => ({
    ...refund,
    refundNo: `${receiptNo}-R${n}`,
    lines: lines.flatMap(({ refund_id, ...line }) => (refund_id === refund.refundId ? [line] : [])),
  }));
}

/**
 * The return receipt of a stored refund. With `storeId` only a refund of that store is found.
 * undefined = there is no such refund here.
 */
export async function receiptOfRefund(
  tx: Tx,
  refundId: string,
  storeId?: string,
): Promise<ReturnDocument | undefined> {
  const row = await tx
    .selectFrom("refunds")
    .innerJoin("registers", "registers.id", "refunds.register_id")
    .innerJoin("staff", "staff.id", "refunds.staff_id")
    .select([
      "refunds.sale_id as saleId",
      "refunds.business_date as businessDate",
      "registers.code as registerCode",
      "staff.name as staffName",
      "reason",
    ])
    .where("refunds.id", "=", refundId)
    .executeTakeFirst();
  const sale = row && (await receiptOfSale(tx, row.saleId, storeId));
  if (!row || !sale) return undefined;

  const refunds = await refundsOfSale(tx, row.saleId);
  const refund = refunds.find((one) => one.refundId === refundId);
  if (!refund) throw new Error(`The refund ${refundId} is not among those of its sale ${row.saleId}.`);
  const taxes = await tx
    .selectFrom("refund_taxes")
    .select(["rate_pct as ratePct", "gross_yen as grossYen", "tax_yen as taxYen"])
    .where("sale_id", "=", row.saleId)
    .where("refund_id", "=", refundId)
    .orderBy("rate_pct", "desc")
    .execute();
  const payments = await tx
    .selectFrom("refund_payments")
    .innerJoin("sale_payments", (join) =>
      join
        .onRef("sale_payments.sale_id", "=", "refund_payments.sale_id")
        .onRef("sale_payments.line_no", "=", "refund_payments.line_no"),
    )
    .select(["method", "refund_payments.amount_yen as amountYen"])
    .where("refund_payments.sale_id", "=", row.saleId)
    .where("refund_id", "=", refundId)
    .orderBy("refund_payments.line_no")
    .execute();
  return {
    ...refund,
    ...row,
    receiptNo: sale.receiptNo,
    issuer: sale.issuer,
    store: sale.store,
    soldAt: sale.completedAt,
    refundedAt: refund.refundedAt.toISOString(),
    lines: refund.lines.map((line) => {
      const sold = sale.lines[line.lineNo - 1];
      if (!sold) throw new Error(`The sale ${row.saleId} has no line ${line.lineNo} to refund.`);
      const { name, condition, ratePct, reduced } = sold;
      return { ...line, name, ...(condition ? { condition } : {}), ratePct, reduced };
    }),
    taxes: taxes.map((group) => ({
      ...group,
      reduced: sale.taxes.some(({ ratePct, reduced }) => reduced && ratePct === group.ratePct),
    })),
    payments,
  };
}
