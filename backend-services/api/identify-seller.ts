import { keepIdentityUntil, mayKeepNumber } from "@noren/commerce";
import { newId } from "@noren/events";
import { businessDayOf } from "./business-day.ts";
import { lockBuyback, shownBuyback, stateAfter } from "./buybacks.ts";
import { operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";

/**
 * Writes down who sells. What is written stays for its three years and is answered by no operation; a mistake is
 * corrected by a further record, which the buy-back then points at.
 */
export const identifySeller = operation("identifySeller", async ({ tx, caller, body, services }) => {
  const { companyId, storeId, staffId } = caller;
  const { buybackId, identityId } = body;
  const buyback = await lockBuyback(tx, storeId, buybackId);
  const before = await tx
    .selectFrom("buyback_identities")
    .select("id")
    .where("id", "=", identityId)
    .where("buyback_id", "=", buybackId)
    .executeTakeFirst();
  if (before) return shownBuyback(tx, storeId, buybackId);
  // Whoever can still be declined can still be identified.
  stateAfter(buyback.state, "decline");
  if (body.documentNo !== undefined && !mayKeepNumber(body.documentKind))
    throw new Refusal(
      422,
      "number_forbidden",
      "マイナンバーと健康保険の番号は控えられません。番号を消して登録してください。",
    );
  const now = services.now();
  const checkedOn = await businessDayOf(tx, storeId, now);
  if (body.birthDate > checkedOn)
    throw new Refusal(422, "birth_date", "生年月日が先の日付です。確かめて入力し直してください。");

  const company = { company_id: companyId };
  await tx
    .insertInto("buyback_identities")
    .values({
      ...company,
      id: identityId,
      buyback_id: buybackId,
      name: body.name,
      address: body.address,
      occupation: body.occupation,
      birth_date: body.birthDate,
      document_kind: body.documentKind,
      document_no: body.documentNo ?? null,
      guardian_consent: body.guardianConsent ?? null,
      checked_by: staffId,
      checked_at: now,
      keep_until: keepIdentityUntil(checkedOn),
    })
    .execute();
  await tx.updateTable("buybacks").set({ identity_id: identityId }).where("id", "=", buybackId).execute();
  await tx
    .insertInto("audit_log")
    .values({
      ...company,
      id: newId(),
      actor_type: "staff",
      actor_id: staffId,
      action: "buyback.identified",
      subject_type: "buyback",
      subject_id: buybackId,
    })
    .execute();
  return shownBuyback(tx, storeId, buybackId);
});
