import { type Tx, emit } from "@noren/database";
import { newId, registerOpened } from "@noren/events";
import { businessDayOf } from "./business-day.ts";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";

/** The register's open session as the contract shows it, or null. */
export async function openSession(tx: Tx, registerId: string) {
  const session = await tx
    .selectFrom("register_sessions")
    .innerJoin("staff", "staff.id", "register_sessions.opened_by")
    .select([
      "register_sessions.id",
      "register_sessions.register_id as registerId",
      "register_sessions.business_date as businessDate",
      "register_sessions.float_yen as floatYen",
      "register_sessions.opened_at as openedAt",
      "staff.name as openedBy",
    ])
    .where("register_sessions.register_id", "=", registerId)
    .where("register_sessions.closed_at", "is", null)
    .executeTakeFirst();
  return session ? { ...session, openedAt: session.openedAt.toISOString() } : null;
}

/** The register's row, locked until the commit: who closes the register takes that lock too. */
export async function lockRegister(tx: Tx, registerId: string, storeId: string) {
  const register = await tx
    .selectFrom("registers")
    .innerJoin("stores", "stores.id", "registers.store_id")
    .innerJoin("companies", "companies.id", "registers.company_id")
    .select(["stores.day_starts_at as dayStartsAt", "companies.tax_rounding as rounding"])
    .where("registers.id", "=", registerId)
    .where("registers.store_id", "=", storeId)
    .forUpdate("registers")
    .executeTakeFirst();
  if (!register) throw notFound("このレジは見つかりませんでした。端末を登録し直してください。");
  return register;
}

export const currentRegister = operation("currentRegister", async ({ tx, caller }) => ({
  session: await openSession(tx, caller.registerId),
}));

/** Opens the register for today's business date. Refused with the holder's name while it is open already. */
export const openRegister = operation("openRegister", async ({ tx, caller, body, services }) => {
  // The register's own row decides between two who open at once.
  await tx
    .selectFrom("registers")
    .select("id")
    .where("id", "=", caller.registerId)
    .forUpdate()
    .executeTakeFirst();
  const open = await openSession(tx, caller.registerId);
  if (open) throw new Refusal(409, "register_open", `このレジは${open.openedBy}さんが開けています。`);

  const id = newId();
  const now = services.now();
  await tx
    .insertInto("register_sessions")
    .values({
      company_id: caller.companyId,
      id,
      store_id: caller.storeId,
      register_id: caller.registerId,
      business_date: await businessDayOf(tx, caller.storeId, now),
      float_yen: body.floatYen,
      opened_at: now,
      opened_by: caller.staffId,
    })
    .execute();
  await emit(
    tx,
    registerOpened.create({
      companyId: caller.companyId,
      storeId: caller.storeId,
      aggregateId: id,
      data: { sessionId: id, storeId: caller.storeId, floatYen: body.floatYen },
    }),
  );
  const session = await openSession(tx, caller.registerId);
  if (!session) throw new Error(`The session ${id} was opened and cannot be read back.`);
  return session;
});
