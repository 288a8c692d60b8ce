import { businessDate as dayOf, mayPay } from "@noren/commerce";
import { type Tx, emit } from "@noren/database";
import { buybackPaidOut } from "@noren/events";
import { buybackLines, lockBuyback, shownBuyback } from "./buybacks.ts";
import { operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import { lockRegister, openSession } from "./register-session.ts";

/**
 * Pays an agreed buy-back out of this register's drawer: the state, the cash and the event in this one transaction.
 * The goods follow in worker-product.
 *
 * The payout's own id makes it once: its repeat answers the first. Another payout of the same buy-back is refused, since
 * whoever sends it stands at the drawer with the money in hand.
 */
export const payOutBuyback = operation("payOutBuyback", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, registerId, staffId } = caller;
  const { payoutId, buybackId } = body;
  // The register first, then the document: the order in which every writer locks.
  const { dayStartsAt } = await lockRegister(tx, registerId, storeId);
  const buyback = await lockBuyback(tx, storeId, buybackId);
  if (buyback.payoutId === payoutId) return shownBuyback(tx, storeId, buybackId);
  const session = await openSession(tx, registerId);
  if (!session)
    throw new Refusal(409, "register_closed", "レジが開いていません。レジを開けてから支払ってください。");

  const now = services.now();
  const businessDate = dayOf(now, dayStartsAt);
  const lines = (await buybackLines(tx, buybackId)).filter(({ accepted }) => accepted);
  const identity = await identityOf(tx, buyback.identityId, dayStartsAt);
  const paid = mayPay({ state: buyback.state, lines }, identity, businessDate);
  if ("refused" in paid) {
    const ended = buyback.state !== "agreed";
    throw new Refusal(ended ? 409 : 422, paid.refused, paid.message);
  }
  const { totalYen, identityDuty } = paid;
  await tx
    .updateTable("buybacks")
    .set({
      state: "paid_out",
      total_yen: totalYen,
      identity_duty: identityDuty,
      payout_id: payoutId,
      session_id: session.id,
      business_date: businessDate,
      paid_by: staffId,
      paid_at: now,
    })
    .where("id", "=", buybackId)
    .execute();
  // What somebody leaves for nothing moves no money.
  if (totalYen > 0)
    await tx
      .insertInto("cash_moves")
      .values({
        company_id: companyId,
        id: payoutId,
        session_id: session.id,
        kind: "buyback",
        amount_yen: -totalYen,
        source_type: "buyback",
        source_id: buybackId,
        occurred_at: now,
      })
      .execute();
  await emit(
    tx,
    buybackPaidOut.create({
      companyId,
      storeId,
      aggregateId: buybackId,
      occurredAt: now,
      data: {
        buybackId,
        sessionId: session.id,
        lines: lines.map(({ itemId, condition, qty, unitPriceYen }) => ({
          itemId,
          condition,
          qty,
          unitYen: unitPriceYen,
        })),
        totalYen,
        identityDuty,
      },
    }),
  );
  return shownBuyback(tx, storeId, buybackId);
});

/** What the decision needs of the identity record, and no more of it. */
async function identityOf(tx: Tx, identityId: string | null, dayStartsAt: string) {
  if (identityId === null) return null;
  const found = await tx
    .selectFrom("buyback_identities")
    .select(["checked_at as checkedAt", "birth_date as birthDate", "guardian_consent as guardianConsent"])
    .where("id", "=", identityId)
    .executeTakeFirst();
  if (!found) return null;
  return {
    checkedOn: dayOf(found.checkedAt, dayStartsAt),
    birthDate: found.birthDate,
    guardianConsent: found.guardianConsent !== null,
  };
}
