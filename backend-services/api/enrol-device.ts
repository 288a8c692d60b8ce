import { hashToken, inCompany, newToken, registerByEnrolmentCode } from "@noren/database";
import { sql } from "kysely";
import { operation } from "./operation.ts";
import { place } from "./place.ts";
import { notFound } from "./refusal.ts";

/**
 * Gives a device the token of the register whose code was typed. The register has one device: an earlier one is shut out.
 * A code with an end is used up; one without (demo data) stays, so that a laptop can enrol one browser after another.
 */
export const enrolDevice = operation("enrolDevice", async ({ body, database }) => {
  const register = await registerByEnrolmentCode(database, body.code);
  if (!register)
    throw notFound(
      "登録コードが違うか、期限が切れています。管理者に新しいコードを発行してもらってください。",
    );
  const deviceToken = newToken();
  return inCompany(database, register.companyId, async (tx) => {
    await tx
      .updateTable("registers")
      .set({
        device_hash: hashToken(deviceToken),
        enrolled_at: sql<Date>`now()`,
        enrolment_hash: sql`case when enrolment_expires_at is null then enrolment_hash end`,
      })
      .where("id", "=", register.registerId)
      .execute();
    return { deviceToken, ...(await place(tx, register.registerId)) };
  });
});
