import { buybackTotal, identityDuty } from "@noren/commerce";
import { sql } from "kysely";
import { buybackLines, lockBuyback, shownBuyback, stateAfter } from "./buybacks.ts";
import { operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";

/** The seller agrees, to everything or to some lines: from here on the total and the duty are those of what is sold. */
export const agreeBuyback = operation("agreeBuyback", async ({ tx, caller, body, services }) => {
  const { buybackId } = body;
  const { state } = await lockBuyback(tx, caller.storeId, buybackId);
  const next = stateAfter(state, "agree");
  const lines = await buybackLines(tx, buybackId);
  const chosen = new Set(body.acceptedLines ?? lines.map(({ lineNo }) => lineNo));
  const accepted = lines.filter(({ lineNo }) => chosen.has(lineNo));
  if (accepted.length < chosen.size)
    throw new Refusal(422, "line_unknown", "査定にない行が選ばれています。画面を開き直してください。");

  await tx
    .updateTable("buyback_lines")
    .set({ accepted: sql<boolean>`line_no = any(${[...chosen]}::int[])` })
    .where("buyback_id", "=", buybackId)
    .execute();
  await tx
    .updateTable("buybacks")
    .set({
      state: next,
      agreed_at: services.now(),
      total_yen: buybackTotal(accepted),
      identity_duty: identityDuty(accepted).duty,
    })
    .where("id", "=", buybackId)
    .execute();
  return shownBuyback(tx, caller.storeId, buybackId);
});
