import { newId } from "@noren/events";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "./connect.ts";
import { openShop, type Shop } from "./fixture.ts";
import { inCompany, type Tx } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

let database: TestDatabase;
let api: Database;
let shop: Shop;
let sessionId: string;
let saleId: string;
let n = 0;
beforeAll(async () => {
  database = await testDatabase();
  api = database.connect("backend_api", { max: 10 });
  shop = await openShop(database);
  sessionId = newId();
  await inCompany(api, shop.companyId, (tx) =>
    tx
      .insertInto("register_sessions")
      .values({
        company_id: shop.companyId,
        id: sessionId,
        store_id: shop.storeId,
        register_id: shop.registerId,
        business_date: "2026-11-24",
        float_yen: 0,
        opened_at: new Date(),
        opened_by: shop.staffId,
      })
      .execute(),
  );
});
afterAll(() => database.drop());
beforeEach(async () => {
  saleId = await sold();
});

/** Three books for 1,000 yen and a cracker for 108. */
async function sold(): Promise<string> {
  const id = newId();
  const of = { company_id: shop.companyId, sale_id: id };
  n += 1;
  await inCompany(api, shop.companyId, async (tx) => {
    await tx
      .insertInto("sales")
      .values({
        company_id: shop.companyId,
        id,
        store_id: shop.storeId,
        session_id: sessionId,
        register_id: shop.registerId,
        register_seq: n,
        receipt_no: `honten-1-${n}`,
        business_date: "2026-11-24",
        staff_id: shop.staffId,
        total_yen: 1_108,
        completed_at: new Date(),
      })
      .execute();
    const line = { ...of, name: "本", tax_class: "standard" as const };
    await tx
      .insertInto("sale_lines")
      .values([
        { ...line, line_no: 1, rate_pct: 10, unit_price_yen: 350, qty: 3, line_discount_yen: 50 },
        { ...line, line_no: 2, rate_pct: 8, unit_price_yen: 108, qty: 1 },
      ])
      .execute();
    await tx
      .insertInto("sale_taxes")
      .values([
        { ...of, rate_pct: 10, gross_yen: 1_000, tax_yen: 90 },
        { ...of, rate_pct: 8, gross_yen: 108, tax_yen: 8 },
      ])
      .execute();
    await tx
      .insertInto("sale_payments")
      .values({ ...of, line_no: 1, method: "cash", amount_yen: 1_108, tendered_yen: 1_108 })
      .execute();
  });
  return id;
}

type Parts = {
  totalYen: number;
  lines: [lineNo: number, qty: number, amountYen: number][];
  taxes: [ratePct: number, grossYen: number, taxYen: number][];
  payments: [lineNo: number, amountYen: number][];
};
const oneBook: Parts = {
  totalYen: 333,
  lines: [[1, 1, 333]],
  taxes: [[10, 333, 30]],
  payments: [[1, 333]],
};

async function write(tx: Tx, parts: Parts, of: { saleId: string; n: number }): Promise<string> {
  const id = newId();
  const company = { company_id: shop.companyId };
  const part = { ...company, sale_id: of.saleId, refund_id: id };
  await tx
    .insertInto("refunds")
    .values({
      ...company,
      id,
      sale_id: of.saleId,
      n: of.n,
      store_id: shop.storeId,
      session_id: sessionId,
      register_id: shop.registerId,
      business_date: "2026-11-25",
      staff_id: shop.staffId,
      reason: "初期不良",
      total_yen: parts.totalYen,
      refunded_at: new Date(),
    })
    .execute();
  for (const [line_no, qty, amount_yen] of parts.lines)
    await tx
      .insertInto("refund_lines")
      .values({ ...part, line_no, qty, amount_yen, restock: true })
      .execute();
  for (const [rate_pct, gross_yen, tax_yen] of parts.taxes)
    await tx
      .insertInto("refund_taxes")
      .values({ ...part, rate_pct, gross_yen, tax_yen })
      .execute();
  for (const [line_no, amount_yen] of parts.payments)
    await tx
      .insertInto("refund_payments")
      .values({ ...part, line_no, amount_yen })
      .execute();
  return id;
}

const record = (change: Partial<Parts> = {}, number = 1) =>
  inCompany(api, shop.companyId, (tx) => write(tx, { ...oneBook, ...change }, { saleId, n: number }));

const voided = (id: string) =>
  inCompany(api, shop.companyId, (tx) =>
    tx
      .updateTable("sales")
      .set({ state: "voided", voided_at: new Date(), voided_by: shop.staffId, void_reason: "打ち間違い" })
      .where("id", "=", id)
      .execute(),
  );

describe("a refund", () => {
  test("that adds up is recorded, as often as there is something left", async () => {
    await record();
    await record({}, 2);
    await record({ totalYen: 334, lines: [[1, 1, 334]], taxes: [[10, 334, 30]], payments: [[1, 334]] }, 3);
    const cracker = { totalYen: 108, lines: [[2, 1, 108]], taxes: [[8, 108, 8]], payments: [[1, 108]] };
    await expect(record(cracker as Parts, 4)).resolves.toEqual(expect.any(String));
  });

  test.each<[string, Partial<Parts>, string]>([
    ["whose total is not its taxes", { totalYen: 334 }, "total 334, taxes 333, payments 333"],
    ["that nobody was paid", { payments: [] }, "total 333, taxes 333, payments 0"],
    ["without its tax", { taxes: [] }, "rate 10: lines 333, taxes 0"],
    ["whose tax is another rate's", { taxes: [[8, 333, 8]] }, "rate 10: lines 333, taxes 0; rate 8"],
    ["of more pieces than were sold", { lines: [[1, 4, 333]] }, "line 1 pieces: sold 3, refunded 4"],
    [
      "of more than a line cost",
      { totalYen: 200, lines: [[2, 1, 200]], taxes: [[8, 200, 8]], payments: [[1, 200]] },
      "line 2 yen: sold 108, refunded 200",
    ],
    ["of more tax than was in it", { taxes: [[10, 333, 91]] }, "tax of 10 %: sold 90, refunded 91"],
    ["of a line that the sale has not", { lines: [[3, 1, 333]] }, "refund_lines_company_id_sale_id_line_no"],
    ["to a payment that the sale has not", { payments: [[2, 333]] }, "refund_payments_company_id_sale_id"],
  ])("%s is refused", async (_, change, why) => {
    await expect(record(change)).rejects.toThrow(why);
  });

  test("of a voided sale is refused, and so is the void of a sale that was refunded", async () => {
    await record();
    await expect(voided(saleId)).rejects.toThrow("has refunds and cannot be voided");
    saleId = await sold();
    await voided(saleId);
    await expect(record()).rejects.toThrow("is voided");
  });

  test("cannot grow afterwards", async () => {
    const refundId = await record();
    const part = { company_id: shop.companyId, sale_id: saleId, refund_id: refundId };
    const more = inCompany(api, shop.companyId, (tx) =>
      tx
        .insertInto("refund_lines")
        .values({ ...part, line_no: 2, qty: 1, amount_yen: 108, restock: true })
        .execute(),
    );
    await expect(more).rejects.toThrow("rate 8: lines 108, taxes 0");
  });

  test("of the last piece is one of ten that want it at once, though none of them locked the sale", async () => {
    await record();
    await record({}, 2);
    const last = { totalYen: 334, lines: [[1, 1, 334]], taxes: [[10, 334, 30]], payments: [[1, 334]] };
    // All have written before the first commits; their numbers differ, so nothing but the law can refuse them.
    let ready = 0;
    let open = () => {};
    const all = new Promise<void>((resolve) => (open = resolve));
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        inCompany(api, shop.companyId, async (tx) => {
          await write(tx, last as Parts, { saleId, n: 10 + index });
          if (++ready === 10) open();
          await all;
        }),
      ),
    );
    const refused = settled.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    expect(refused).toHaveLength(9);
    expect(refused.filter((why) => !why.includes("line 1 pieces: sold 3, refunded 4"))).toEqual([]);
  });
});
