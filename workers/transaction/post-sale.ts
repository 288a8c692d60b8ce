import { post } from "@noren/commerce";
import { type Tx, writeStock } from "@noren/database";
import { saleCompleted } from "@noren/events";
import { type Context, Unprocessable, on } from "worker";

/**
 * Posts a completed sale to the stock ledger: its reservation is consumed and each line leaves the books.
 *
 * Once: a move is unique by document, line and kind, a consumed reservation cannot be consumed again, so a replay of any
 * age changes nothing. A sale that was voided in the meantime is left alone: `sale.voided` follows in the same group and
 * releases what was never posted.
 */
export const postSale = on(saleCompleted, async (event, { tx, log }: Context<Tx>) => {
  const { saleId, lines } = event.data;
  // The document first, then the stock: the order in which every writer locks.
  const sale = await tx
    .selectFrom("sales")
    .select(["state", "completed_at"])
    .where("id", "=", saleId)
    .forUpdate()
    .executeTakeFirst();
  if (!sale) throw new Unprocessable(`Sale ${saleId} is not in the database that its event came from.`);
  if (sale.state === "voided") return log.info({ saleId }, "sale is voided, nothing to post");

  await writeStock(tx, event.companyId, {
    cause: { type: "sale", id: saleId },
    causation: event,
    consume: { type: "sale", id: saleId },
    moves: post({
      kind: "sale",
      saleId,
      occurredAt: sale.completed_at,
      lines: lines.map((line, index) => ({ ...line, lineNo: index + 1 })),
    }),
  });
});
