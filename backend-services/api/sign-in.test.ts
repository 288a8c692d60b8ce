import { newId } from "@noren/events";
import { hashToken, inCompany } from "@noren/database";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Api, deviceToken, enrolmentCode, key, openApi, pin } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());
beforeEach(() => api.rows("update staff set failed = 0, locked_until = null"));

const device = () => api.as({ app: "pos" });
const attempt = (given: string, staffCode = "101") =>
  device().signIn({ body: { deviceToken, staffCode, pin: given } });

test("the right PIN on an enrolled device says who, where and that the register is closed", async () => {
  expect(await attempt(pin)).toMatchObject({
    staff: { id: api.shop.staffId, name: "山田", role: "clerk" },
    store: { id: api.shop.storeId, name: "本店" },
    register: { id: api.shop.registerId },
    company: { id: api.shop.companyId },
    session: null,
  });
});

test("unknown staff and a wrong PIN are one answer", async () => {
  const errors = await Promise.all(
    [attempt("0000"), attempt(pin, "999")].map((tried) => tried.catch((e: Error) => e)),
  );
  for (const error of errors) expect(error).toMatchObject({ status: 401, code: "wrong_pin" });
  expect(new Set(errors.map((error) => (error as Error).message)).size).toBe(1);
});

test("after five wrong tries the right PIN is refused too, also on another register, until the lock ends", async () => {
  for (let n = 1; n <= 4; n += 1) await expect(attempt("0000")).rejects.toMatchObject({ code: "wrong_pin" });
  await expect(attempt("0000")).rejects.toMatchObject({ status: 423, code: "staff_locked" });
  await expect(attempt(pin)).rejects.toMatchObject({ status: 423, code: "staff_locked" });

  const { companyId, storeId } = api.shop;
  const second = "another device token of the tests";
  await inCompany(api.testing.owner, companyId, async (tx) => {
    const register = { company_id: companyId, id: newId(), store_id: storeId, code: "2" };
    await tx
      .insertInto("registers")
      .values({ ...register, device_hash: hashToken(second) })
      .execute();
  });
  await expect(
    device().signIn({ body: { deviceToken: second, staffCode: "101", pin } }),
  ).rejects.toMatchObject({ status: 423 });
  expect(await api.rows("select action from audit_log")).toEqual([{ action: "staff.locked" }]);

  await api.rows("update staff set locked_until = now() - interval '1 second'");
  expect((await attempt(pin)).staff.name).toBe("山田");
});

test("twenty wrong tries at once count one by one", async () => {
  const tries = await Promise.all(
    Array.from({ length: 20 }, () => attempt("0000").catch((error: Error) => error)),
  );
  const codes = tries.map((error) => (error as { code?: string }).code);
  expect(codes.filter((code) => code === "wrong_pin")).toHaveLength(4);
  expect(codes.filter((code) => code === "staff_locked")).toHaveLength(16);
});

test("a good sign-in forgets the tries before it", async () => {
  for (let round = 1; round <= 2; round += 1) {
    for (let n = 1; n <= 4; n += 1)
      await expect(attempt("0000")).rejects.toMatchObject({ code: "wrong_pin" });
    await attempt(pin);
  }
});

test("staff with fixed stores may not sign in elsewhere", async () => {
  const { companyId, staffId, storeId } = api.shop;
  const elsewhere = newId();
  await inCompany(api.testing.owner, companyId, async (tx) => {
    const store = { company_id: companyId, id: elsewhere, code: "ekimae", name: "駅前店" };
    await tx.insertInto("stores").values(store).execute();
    await tx
      .insertInto("staff_stores")
      .values({ company_id: companyId, staff_id: staffId, store_id: elsewhere })
      .execute();
  });
  await expect(attempt(pin)).rejects.toMatchObject({ code: "wrong_pin" });
  await api.rows("update staff_stores set store_id = $1", [storeId]);
  await attempt(pin);
  await api.rows("delete from staff_stores");
});

test("a device that nobody enrolled is told to enrol", async () => {
  const body = { deviceToken: "a token that nobody handed out", staffCode: "101", pin };
  await expect(device().signIn({ body })).rejects.toMatchObject({ status: 401, code: "device_unknown" });
});

test("an enrolment code, however it is typed, makes a device of the register and shuts out the one before", async () => {
  const enrolled = await device().enrolDevice({
    body: { code: ` ${enrolmentCode.toLowerCase().replace("-", " ")} ` },
  });
  expect(enrolled).toMatchObject({ store: { name: "本店" }, register: { id: api.shop.registerId } });
  await expect(attempt(pin)).rejects.toMatchObject({ code: "device_unknown" });
  const body = { deviceToken: enrolled.deviceToken, staffCode: "101", pin };
  expect((await device().signIn({ body })).staff.name).toBe("山田");
  expect(await api.rows("select 1 from registers where device_hash = $1", [enrolled.deviceToken])).toEqual(
    [],
  );
});

test("a code with an end is used up by its device, an expired or wrong one is not found", async () => {
  await api.rows("update registers set enrolment_expires_at = now() + interval '1 hour' where code = '1'");
  await device().enrolDevice({ body: { code: enrolmentCode } });
  await expect(device().enrolDevice({ body: { code: enrolmentCode } })).rejects.toMatchObject({
    status: 404,
  });
  await expect(device().enrolDevice({ body: { code: "XXXX-0000" } })).rejects.toMatchObject({ status: 404 });
});

test("a register opens once, for the business date, and the second is told by whom", async () => {
  // Two o'clock at night: the store's day began the day before.
  api.clock.now = new Date("2026-11-24T17:00:00Z");
  const session = await api.till.openRegister({ body: { floatYen: 30_000 }, ...key() });
  expect(session).toMatchObject({ businessDate: "2026-11-24", floatYen: 30_000, openedBy: "山田" });
  expect(await api.till.currentRegister()).toEqual({ session });
  await expect(api.till.openRegister({ body: { floatYen: 0 }, ...key() })).rejects.toMatchObject({
    status: 409,
    code: "register_open",
    message: "このレジは山田さんが開けています。",
  });
  expect((await api.events("register.opened")).map(({ aggregate }) => aggregate.id)).toEqual([session.id]);
});
