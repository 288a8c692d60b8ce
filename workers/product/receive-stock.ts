import { post } from "@noren/commerce";
import { type Tx, writeStock } from "@noren/database";
import { productStockReceived } from "@noren/events";
import { type Context, on } from "worker";

/**
 * Posts goods received to the stock ledger, at their cost. Once: the receipt's line names the move, so a replay writes
 * nothing. The order of two receipts of a product does not matter to their sum, but it is kept all the same.
 */
export const receiveStock = on(productStockReceived, async (event, { tx }: Context<Tx>) => {
  const { productId, receiptId, lineNo, qty, unitCostYen } = event.data;
  await writeStock(tx, event.companyId, {
    cause: { type: "receiving", id: receiptId },
    causation: event,
    moves: post({
      kind: "receive",
      receiptId,
      occurredAt: new Date(event.occurredAt),
      lines: [{ productId, lineNo, qty, unitCostYen }],
    }),
  });
});
