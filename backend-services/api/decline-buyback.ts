import { newId } from "@noren/events";
import { lockBuyback, shownBuyback, stateAfter } from "./buybacks.ts";
import { operation } from "./operation.ts";

/** Ends a buy-back without buying. Where the goods look stolen, that the police must be told is on record (art. 15-3). */
export const declineBuyback = operation("declineBuyback", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, staffId } = caller;
  const { buybackId, reason, policeReport } = body;
  const { state } = await lockBuyback(tx, storeId, buybackId);
  await tx
    .updateTable("buybacks")
    .set({
      state: stateAfter(state, "decline"),
      declined_by: staffId,
      declined_at: services.now(),
      decline_reason: reason,
      police_report: policeReport,
    })
    .where("id", "=", buybackId)
    .execute();
  if (policeReport)
    await tx
      .insertInto("audit_log")
      .values({
        company_id: companyId,
        id: newId(),
        actor_type: "staff",
        actor_id: staffId,
        action: "buyback.police_report",
        subject_type: "buyback",
        subject_id: buybackId,
      })
      .execute();
  return shownBuyback(tx, storeId, buybackId);
});
