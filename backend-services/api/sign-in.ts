import { type RegisterIdentity, type Tx, inCompany, registerByDevice, verifyPin } from "@noren/database";
import { newId } from "@noren/events";
import { sql } from "kysely";
import { operation } from "./operation.ts";
import { place } from "./place.ts";
import { Refusal } from "./refusal.ts";
import { openSession } from "./register-session.ts";

const TRIES = 5;
const LOCK = "15 minutes";

/**
 * Checks a PIN on an enrolled device. Unknown staff, staff of another store and a wrong PIN are one answer, in one time.
 * After five wrong tries in a row the person is locked for 15 minutes, on every register.
 */
export const signIn = operation("signIn", async ({ body, database }) => {
  const device = await registerByDevice(database, body.deviceToken);
  if (!device)
    throw new Refusal(
      401,
      "device_unknown",
      "この端末は登録されていません。登録コードで登録し直してください。",
    );
  // The failed try must be kept, so the refusal is a result here and is thrown after the commit.
  const result = await inCompany(database, device.companyId, (tx) =>
    attempt(tx, device, body.staffCode, body.pin),
  );
  if (result instanceof Refusal) throw result;
  return result;
});

async function attempt(tx: Tx, device: RegisterIdentity, staffCode: string, pin: string) {
  const staff = await findStaff(tx, device.storeId, staffCode);
  const right = await verifyPin(pin, staff?.pin_hash);
  if (staff?.locked) return locked();
  if (!staff) return wrong();
  if (!right) return fail(tx, device, staff);

  await tx.updateTable("staff").set({ failed: 0, locked_until: null }).where("id", "=", staff.id).execute();
  return {
    staff: { id: staff.id, code: staff.code, name: staff.name, role: staff.role },
    ...(await place(tx, device.registerId)),
    session: await openSession(tx, device.registerId),
  };
}

/** Locked for update, so that ten tries at once count as ten. */
function findStaff(tx: Tx, storeId: string, code: string) {
  return tx
    .selectFrom("staff")
    .select(["id", "code", "name", "role", "pin_hash", "failed"])
    .select(sql<boolean>`coalesce(locked_until > now(), false)`.as("locked"))
    .where("code", "=", code)
    .where("retired_at", "is", null)
    .where((eb) => {
      const stores = eb.selectFrom("staff_stores").select("store_id").whereRef("staff_id", "=", "staff.id");
      return eb.or([eb.not(eb.exists(stores)), eb.exists(stores.where("store_id", "=", storeId))]);
    })
    .forUpdate()
    .executeTakeFirst();
}

async function fail(
  tx: Tx,
  device: RegisterIdentity,
  staff: { id: string; failed: number },
): Promise<Refusal> {
  const failed = staff.failed + 1;
  const lock = failed >= TRIES;
  await tx
    .updateTable("staff")
    .set(lock ? { failed: 0, locked_until: sql`now() + ${LOCK}::interval` } : { failed })
    .where("id", "=", staff.id)
    .execute();
  if (!lock) return wrong();
  await tx
    .insertInto("audit_log")
    .values({
      company_id: device.companyId,
      id: newId(),
      actor_type: "device",
      actor_id: device.registerId,
      action: "staff.locked",
      subject_type: "staff",
      subject_id: staff.id,
    })
    .execute();
  return locked();
}

const wrong = () => new Refusal(401, "wrong_pin", "担当者コードか暗証番号が違います。");
const locked = () =>
  new Refusal(
    423,
    "staff_locked",
    "暗証番号を続けて間違えたため、15分間サインインできません。店長に相談してください。",
  );
