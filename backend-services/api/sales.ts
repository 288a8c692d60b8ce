import { businessDayOf } from "./business-day.ts";
import { operation } from "./operation.ts";
import { notFound } from "./refusal.ts";
import { tillReceipt } from "./till-receipt.ts";

const SHOWN = 500;

export const readSale = operation("readSale", async ({ tx, caller, params }) => {
  const receipt = await tillReceipt(tx, caller.storeId, params.id);
  if (!receipt) throw notFound("この会計は見つかりませんでした。");
  return receipt;
});

/** The store's sales of a business date, today's without one. */
export const listSales = operation("listSales", async ({ tx, caller, query, services }) => {
  const businessDate = query.date ?? (await businessDayOf(tx, caller.storeId, services.now()));
  const rows = await tx
    .selectFrom("sales")
    .innerJoin("staff", "staff.id", "sales.staff_id")
    .select((eb) => [
      "sales.id as saleId",
      "sales.receipt_no as receiptNo",
      "sales.completed_at as soldAt",
      "staff.name as staffName",
      "sales.total_yen as totalYen",
      "sales.state",
      eb
        .selectFrom("sale_lines")
        .select(({ fn }) => fn.sum<number>("sale_lines.qty").as("pieces"))
        .whereRef("sale_lines.sale_id", "=", "sales.id")
        .as("pieces"),
      eb
        .selectFrom("refunds")
        .select(({ fn }) => fn.sum<number>("refunds.total_yen").as("refundedYen"))
        .whereRef("refunds.sale_id", "=", "sales.id")
        .as("refundedYen"),
    ])
    .where("sales.store_id", "=", caller.storeId)
    .where("sales.business_date", "=", businessDate)
    .orderBy("sales.completed_at", "desc")
    .orderBy("sales.id", "desc")
    .limit(SHOWN)
    .execute();
  const sales = rows.map((row) => ({
    ...row,
    soldAt: row.soldAt.toISOString(),
    pieces: row.pieces ?? 0,
    refundedYen: row.refundedYen ?? 0,
  }));
  const totalYen = sales.reduce((sum, sale) => (sale.state === "completed" ? sum + sale.totalYen : sum), 0);
  const refunded = await tx
    .selectFrom("refunds")
    .select(({ fn }) => fn.sum<number | null>("total_yen").as("yen"))
    .where("store_id", "=", caller.storeId)
    .where("business_date", "=", businessDate)
    .executeTakeFirst();
  return { businessDate, sales, totalYen, refundedYen: refunded?.yen ?? 0 };
});
