import type { ReceiptDocument } from "@noren/api-contract";
import { type Tx, receiptOfSale } from "@noren/database";

/** A sale of this store as the contract shows a receipt, or undefined when this store has no such sale. */
export async function tillReceipt(
  tx: Tx,
  storeId: string,
  saleId: string,
): Promise<ReceiptDocument | undefined> {
  const document = await receiptOfSale(tx, saleId, storeId);
  if (!document) return undefined;
  const { issuer, store, completedAt, voided, lines, payments, tenderedYen, ...rest } = document;
  return {
    ...rest,
    state: voided ? "voided" : "completed",
    soldAt: completedAt,
    company: { name: issuer.name, invoiceNo: issuer.invoiceNo ?? null },
    store: { name: store.name, address: store.address ?? "", phone: store.phone ?? "" },
    lines: lines.map((line) => ({ ...line, condition: line.condition ?? null })),
    payments: payments.map((payment) => ({
      ...payment,
      tenderedYen: payment.method === "cash" ? tenderedYen : null,
    })),
  };
}
