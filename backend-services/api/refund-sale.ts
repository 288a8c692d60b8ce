import { businessDate } from "@noren/commerce";
import { type Tx, emit, writeRefund } from "@noren/database";
import { saleRefunded } from "@noren/events";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";
import { lockRegister, openSession } from "./register-session.ts";
import { returnReceipt } from "./till-receipt.ts";

/**
 * Gives money back for some of a sale of this store: a document of today with its lines, taxes and payments, the cash out
 * of this register's drawer and the event, all in this one transaction. What goes back on sale follows in
 * worker-transaction.
 *
 * The till says which lines, how many and whether they can be sold again; what that is worth is decided here. The
 * refund's own id makes it once: a repeat answers the return receipt of the first.
 */
export const refundSale = operation("refundSale", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, registerId, staffId } = caller;
  const { saleId, refundId, reason } = body;
  const before = await returnReceipt(tx, storeId, refundId);
  if (before) return before;

  const register = await lockRegister(tx, registerId, storeId);
  const session = await openSession(tx, registerId);
  if (!session)
    throw new Refusal(409, "register_closed", "レジが開いていません。レジを開けてから返金してください。");
  const now = services.now();
  const refunded = await writeRefund(tx, {
    companyId,
    storeId,
    registerId,
    sessionId: session.id,
    staffId,
    refundId,
    saleId,
    lines: body.lines,
    reason,
    businessDate: businessDate(now, register.dayStartsAt),
    rounding: register.rounding,
    at: now,
  });
  if (!refunded) throw await noSuchSale(tx, storeId, saleId);
  if ("refused" in refunded) throw new Refusal(422, refunded.refused, refunded.message);
  const { lines, taxes, totalYen } = refunded;
  await emit(
    tx,
    saleRefunded.create({
      companyId,
      storeId,
      aggregateId: saleId,
      occurredAt: now,
      data: { saleId, refundId, lines, taxes, totalYen },
    }),
  );
  const receipt = await returnReceipt(tx, storeId, refundId);
  if (!receipt) throw new Error(`Refund ${refundId} was written and cannot be read back.`);
  return receipt;
});

async function noSuchSale(tx: Tx, storeId: string, saleId: string): Promise<Refusal> {
  return (await returnReceipt(tx, storeId, saleId))
    ? new Refusal(422, "is_refund", "返品の伝票は返品できません。もとのレシートを読み取ってください。")
    : notFound("この会計は見つかりませんでした。この店舗のレシートか確かめてください。");
}
