import { newId } from "@noren/events";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "./connect.ts";
import { openShop, type Shop } from "./fixture.ts";
import { inCompany, type Tx } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

let database: TestDatabase;
let api: Database;
let shop: Shop;
let sessionId: string;
const at = "2026-11-24T03:00:00Z";

beforeAll(async () => {
  database = await testDatabase();
  api = database.connect("backend_api");
  shop = await openShop(database);
  sessionId = newId();
  await write((tx) =>
    tx
      .insertInto("register_sessions")
      .values({
        company_id: shop.companyId,
        id: sessionId,
        store_id: shop.storeId,
        register_id: shop.registerId,
        business_date: "2026-11-24",
        float_yen: 0,
        opened_at: at,
        opened_by: shop.staffId,
      })
      .execute(),
  );
});
afterAll(() => database.drop());

const write = <T>(work: (tx: Tx) => Promise<T>) => inCompany(api, shop.companyId, work);

type Goods = { yen?: number; always?: boolean; duty?: boolean; accepted?: boolean | null };

/** An agreed buy-back of one piece. */
async function agreed({ yen = 100, always = false, duty = always, accepted = true }: Goods = {}) {
  const id = newId();
  const company = { company_id: shop.companyId };
  await write(async (tx) => {
    await tx
      .insertInto("buybacks")
      .values({
        ...company,
        id,
        store_id: shop.storeId,
        state: "agreed",
        total_yen: yen,
        identity_duty: duty,
        appraised_by: shop.staffId,
        appraised_at: at,
        agreed_at: at,
      })
      .execute();
    await tx
      .insertInto("buyback_lines")
      .values({
        ...company,
        buyback_id: id,
        line_no: 1,
        item_id: shop.itemId,
        condition: "A",
        name: "本",
        category: "本",
        identity_always: always,
        qty: 1,
        unit_price_yen: yen,
        accepted,
      })
      .execute();
  });
  return id;
}

async function identify(buybackId: string, change: object = {}) {
  const id = newId();
  await write((tx) =>
    tx
      .insertInto("buyback_identities")
      .values({
        company_id: shop.companyId,
        id,
        buyback_id: buybackId,
        name: "山田花子",
        address: "東京都千代田区1-1",
        occupation: "会社員",
        birth_date: "1990-04-01",
        document_kind: "driving_licence",
        checked_by: shop.staffId,
        checked_at: at,
        keep_until: "2029-11-24",
        ...change,
      })
      .execute(),
  );
  return id;
}

const pay = (id: string, identityId: string | null = null, change: object = {}) =>
  write((tx) =>
    tx
      .updateTable("buybacks")
      .set({
        state: "paid_out",
        identity_id: identityId,
        payout_id: newId(),
        session_id: sessionId,
        business_date: "2026-11-24",
        paid_by: shop.staffId,
        paid_at: at,
        ...change,
      })
      .where("id", "=", id)
      .execute(),
  );

test("what needs no identity is paid without, what needs one with the seller's own", async () => {
  const [toy, book] = [await agreed(), await agreed({ always: true })];
  await pay(toy);
  await pay(book, await identify(book));
  const paid = await write((tx) =>
    tx.selectFrom("buybacks").select("id").where("state", "=", "paid_out").orderBy("id").execute(),
  );
  expect(paid).toEqual([{ id: toy }, { id: book }]);
});

test("nothing is paid under the duty without an identity, or with another seller's", async () => {
  const [book, other] = [await agreed({ always: true }), await agreed()];
  await expect(pay(book)).rejects.toThrow("buybacks_identity");
  await expect(pay(book, newId())).rejects.toThrow("has no identity record of its own");
  await expect(pay(book, await identify(other))).rejects.toThrow("has no identity record of its own");
});

test("the duty cannot be talked away: not from 10,000 yen, not for goods that always need it", async () => {
  await expect(agreed({ yen: 10_000, duty: false })).rejects.toThrow("buybacks_duty");
  await expect(pay(await agreed({ always: true, duty: false }))).rejects.toThrow(
    "holds goods that always need identity",
  );
});

test("what is paid is what was accepted, with who, when and out of which drawer", async () => {
  await expect(pay(await agreed(), null, { total_yen: 101 })).rejects.toThrow(
    "total 101, accepted lines 100",
  );
  await expect(pay(await agreed({ accepted: false }))).rejects.toThrow("total 100, accepted lines 0");
  await expect(pay(await agreed(), null, { session_id: null })).rejects.toThrow("buybacks_paid");
  await expect(pay(await agreed(), null, { agreed_at: null })).rejects.toThrow("buybacks_agreed");
});

test("what has ended is never changed, and a line is accepted once", async () => {
  const id = await agreed();
  await pay(id);
  await expect(pay(id)).rejects.toThrow("are never changed");
  const accept = (line: string, accepted: boolean) =>
    write((tx) => tx.updateTable("buyback_lines").set({ accepted }).where("buyback_id", "=", line).execute());
  const open = await agreed({ accepted: null });
  await accept(open, true);
  await expect(accept(open, false)).rejects.toThrow("are never changed");
});

test("the numbers of a My Number card and of health insurance cannot be kept", async () => {
  const id = await agreed();
  await identify(id, { document_no: "012345678901" });
  for (const document_kind of ["my_number_card", "health_insurance"]) {
    await identify(id, { document_kind });
    await expect(identify(id, { document_kind, document_no: "012345678901" })).rejects.toThrow(
      "buyback_identities_no_number",
    );
  }
});

test("who sold is read by the service that writes it and by nobody else, and goes only when its time is over", async () => {
  const id = await agreed();
  await identify(id);
  await identify(id, { keep_until: "2020-01-01" });
  const as = (user: string, text: string) =>
    inCompany(database.connect(user), shop.companyId, (tx) => sql.raw(text).execute(tx));
  for (const user of ["worker_product", "job_ensure_consistency", "worker_notification", "noren_operator"])
    await expect(as(user, "select name from buyback_identities")).rejects.toThrow("permission denied");
  await expect(as("job_daily", "select name from buyback_identities")).rejects.toThrow("permission denied");
  await expect(as("backend_api", "delete from buyback_identities")).rejects.toThrow("permission denied");
  await expect(as("job_daily", "delete from buyback_identities")).rejects.toThrow("are never changed");
  const { numAffectedRows } = await as(
    "job_daily",
    "delete from buyback_identities where keep_until < current_date",
  );
  expect(numAffectedRows).toBe(1n);
});
