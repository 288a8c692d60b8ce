import { post } from "@noren/commerce";
import { type Tx, writeStock } from "@noren/database";
import { saleRefunded } from "@noren/events";
import { type Context, Unprocessable, on } from "worker";

/**
 * Puts what came back, and can be sold again, into the stock ledger; the rest of a refund moves no stock.
 *
 * Once: a move is unique by document, line and kind, so a replay of any age changes nothing. The sale is posted by then:
 * its event went before in the same group.
 */
export const restockRefund = on(saleRefunded, async (event, { tx }: Context<Tx>) => {
  const { saleId, refundId, lines } = event.data;
  // The document first, then the stock: the order in which every writer locks.
  const refund = await tx
    .selectFrom("refunds")
    .innerJoin("sales", "sales.id", "refunds.sale_id")
    .select("refunds.refunded_at")
    .where("refunds.id", "=", refundId)
    .where("sales.id", "=", saleId)
    .forUpdate("sales")
    .executeTakeFirst();
  if (!refund) throw new Unprocessable(`Refund ${refundId} is not in the database that its event came from.`);

  await writeStock(tx, event.companyId, {
    cause: { type: "refund", id: refundId },
    causation: event,
    moves: post({
      kind: "refund",
      refundId,
      occurredAt: refund.refunded_at,
      lines: lines.filter(({ restock }) => restock),
    }),
  });
});
