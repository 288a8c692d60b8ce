import { emit } from "@noren/database";
import { newId, productStockReceived } from "@noren/events";
import { operation } from "./operation.ts";
import { notFound } from "./refusal.ts";

/** Takes goods into the store: the receipt now, its stock moves in worker-product, one event a line. */
export const receiveStock = operation("receiveStock", async ({ tx, caller, body, services }) => {
  const { companyId, storeId } = caller;
  const productIds = [...new Set(body.lines.map(({ productId }) => productId))];
  // Locked in the order that every stock writer uses: the events of a product leave in the order of its changes.
  const products = await tx
    .selectFrom("stock_levels")
    .innerJoin("products", "products.id", "stock_levels.product_id")
    .select("products.id")
    .where("products.id", "in", productIds)
    .where("products.store_id", "=", storeId)
    .orderBy("stock_levels.product_id")
    .forUpdate("stock_levels")
    .execute();
  if (products.length < productIds.length) throw notFound("この店舗にない商品が含まれています。");

  const receivingId = newId();
  const receivedAt = services.now();
  await tx
    .insertInto("receivings")
    .values({
      company_id: companyId,
      id: receivingId,
      store_id: storeId,
      supplier_name: body.supplierName ?? null,
      staff_id: caller.staffId,
      received_at: receivedAt,
    })
    .execute();
  const lines = body.lines.map((line, index) => ({ ...line, lineNo: index + 1 }));
  await tx
    .insertInto("receiving_lines")
    .values(
      lines.map(({ lineNo, productId, qty, unitCostYen }) => ({
        company_id: companyId,
        receiving_id: receivingId,
        line_no: lineNo,
        product_id: productId,
        qty,
        unit_cost_yen: unitCostYen,
      })),
    )
    .execute();
  const events = lines.map((line) =>
    productStockReceived.create({
      companyId,
      storeId,
      aggregateId: line.productId,
      occurredAt: receivedAt,
      data: { ...line, receiptId: receivingId, source: body.supplierName ?? "supplier" },
    }),
  );
  await emit(tx, ...events);
  return { receivingId };
});
