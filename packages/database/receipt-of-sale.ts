import { receipt, type ReceiptDocument } from "@noren/commerce";
import type { Tx } from "./tenant.ts";

/**
 * The receipt of a stored sale, from what was stored with it. With `storeId` only a sale of that store is found.
 * undefined = there is no such sale here.
 */
export async function receiptOfSale(
  tx: Tx,
  saleId: string,
  storeId?: string,
): Promise<ReceiptDocument | undefined> {
  let sales = tx
    .selectFrom("sales")
    .innerJoin("stores", "stores.id", "sales.store_id")
    .innerJoin("companies", "companies.id", "sales.company_id")
    .innerJoin("registers", "registers.id", "sales.register_id")
    .innerJoin("staff", "staff.id", "sales.staff_id")
    .select([
      "sales.receipt_no as receiptNo",
      "sales.completed_at as completedAt",
      "sales.business_date as businessDate",
      "sales.state",
      "sales.total_yen as totalYen",
      "registers.code as registerCode",
      "staff.name as staffName",
      "companies.name as company",
      "companies.invoice_no as invoiceNo",
      "companies.antique_permit_no as antiquePermitNo",
      "companies.antique_authority as antiqueAuthority",
      "stores.name as store",
      "stores.address",
      "stores.phone",
    ])
    .where("sales.id", "=", saleId);
  if (storeId !== undefined) sales = sales.where("sales.store_id", "=", storeId);
  const sale = await sales.executeTakeFirst();
  if (!sale) return undefined;

  const lines = await tx
    .selectFrom("sale_lines")
    .leftJoin("conditions", "conditions.code", "sale_lines.condition")
    .select([
      "sale_lines.name",
      "conditions.name as condition",
      "tax_class as taxClass",
      "rate_pct as ratePct",
      "unit_price_yen as unitPriceYen",
      "qty",
      "line_discount_yen as lineDiscountYen",
      "spread_discount_yen as spreadDiscountYen",
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
    .select(["method", "amount_yen as amountYen", "tendered_yen as tenderedYen"])
    .where("sale_id", "=", saleId)
    .orderBy("line_no")
    .execute();
  const { company, invoiceNo, antiquePermitNo, antiqueAuthority, store, address, phone, ...rest } = sale;
  return receipt(
    { saleId, ...rest, lines, taxes, payments },
    { name: company, invoiceNo, antiquePermitNo, antiqueAuthority },
    { name: store, address, phone },
  );
}
