import type { ReceiptDocument, ReturnDocument } from "@noren/api-contract";
import { type Tx, receiptOfRefund, receiptOfSale, refundsOfSale } from "@noren/database";

/** A sale of this store as the contract shows a receipt, or undefined when this store has no such sale. */
export async function tillReceipt(
  tx: Tx,
  storeId: string,
  saleId: string,
): Promise<ReceiptDocument | undefined> {
  const document = await receiptOfSale(tx, saleId, storeId);
  if (!document) return undefined;
  const { issuer, store, completedAt, voided, lines, payments, tenderedYen, ...rest } = document;
  const refunds = await refundsOfSale(tx, saleId);
  return {
    ...rest,
    refunds: refunds.map((one) => ({ ...one, refundedAt: one.refundedAt.toISOString() })),
    state: voided ? "voided" : "completed",
    soldAt: completedAt,
    ...issuedBy({ issuer, store }),
    lines: lines.map((line) => ({ ...line, condition: line.condition ?? null })),
    payments: payments.map((payment) => ({
      ...payment,
      tenderedYen: payment.method === "cash" ? tenderedYen : null,
    })),
  };
}

/** A refund of this store as the contract shows a return receipt, or undefined when this store has no such refund. */
export async function returnReceipt(
  tx: Tx,
  storeId: string,
  refundId: string,
): Promise<ReturnDocument | undefined> {
  const document = await receiptOfRefund(tx, refundId, storeId);
  if (!document) return undefined;
  const { issuer, store, lines, ...rest } = document;
  return {
    ...rest,
    ...issuedBy({ issuer, store }),
    lines: lines.map((line) => ({ ...line, condition: line.condition ?? null })),
  };
}

type Issued = NonNullable<Awaited<ReturnType<typeof receiptOfSale>>>;

const issuedBy = ({ issuer, store }: Pick<Issued, "issuer" | "store">) => ({
  company: { name: issuer.name, invoiceNo: issuer.invoiceNo ?? null },
  store: { name: store.name, address: store.address ?? "", phone: store.phone ?? "" },
});
