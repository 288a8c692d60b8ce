import { newId } from "@noren/events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "./connect.ts";
import { openShop, type Shop } from "./fixture.ts";
import { inCompany } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

let database: TestDatabase;
let api: Database;
let shop: Shop;
let sessionId: string;
let seq = 0;
beforeAll(async () => {
  database = await testDatabase();
  api = database.connect("backend_api");
  shop = await openShop(database);
  sessionId = await openSession();
});
afterAll(() => database.drop());

function openSession(): Promise<string> {
  const id = newId();
  return inCompany(api, shop.companyId, async (tx) => {
    await tx
      .insertInto("register_sessions")
      .values({
        company_id: shop.companyId,
        id,
        store_id: shop.storeId,
        register_id: shop.registerId,
        business_date: "2026-11-24",
        float_yen: 50_000,
        opened_at: new Date(),
        opened_by: shop.staffId,
      })
      .execute();
    return id;
  });
}

type Sale = {
  totalYen: number;
  lines: [ratePct: number, amountYen: number][];
  taxes: [ratePct: number, grossYen: number][];
  payments: { method: "cash" | "card"; amountYen: number; tenderedYen?: number; paymentId?: string }[];
};
const good: Sale = {
  totalYen: 716,
  lines: [
    [10, 500],
    [8, 216],
  ],
  taxes: [
    [10, 500],
    [8, 216],
  ],
  payments: [{ method: "cash", amountYen: 716, tenderedYen: 1000 }],
};

function record(change: Partial<Sale>, state: "completed" | "voided" = "completed"): Promise<string> {
  const sale = { ...good, ...change };
  const of = { company_id: shop.companyId, sale_id: newId() };
  return inCompany(api, shop.companyId, async (tx) => {
    await tx
      .insertInto("sales")
      .values({
        company_id: shop.companyId,
        id: of.sale_id,
        store_id: shop.storeId,
        session_id: sessionId,
        register_id: shop.registerId,
        register_seq: ++seq,
        receipt_no: `honten-1-${seq}`,
        business_date: "2026-11-24",
        staff_id: shop.staffId,
        total_yen: sale.totalYen,
        state,
        completed_at: new Date(),
      })
      .execute();
    for (const [index, [rate_pct, unit_price_yen]] of sale.lines.entries()) {
      await tx
        .insertInto("sale_lines")
        .values({
          ...of,
          line_no: index + 1,
          name: "本",
          tax_class: "standard",
          rate_pct,
          unit_price_yen,
          qty: 1,
        })
        .execute();
    }
    for (const [rate_pct, gross_yen] of sale.taxes) {
      await tx
        .insertInto("sale_taxes")
        .values({ ...of, rate_pct, gross_yen, tax_yen: 0 })
        .execute();
    }
    for (const [index, payment] of sale.payments.entries()) {
      await tx
        .insertInto("sale_payments")
        .values({
          ...of,
          line_no: index + 1,
          method: payment.method,
          amount_yen: payment.amountYen,
          tendered_yen: payment.tenderedYen,
          payment_id: payment.paymentId,
        })
        .execute();
    }
    return of.sale_id;
  });
}

describe("a sale", () => {
  test("that adds up is recorded", async () => {
    expect(await record({})).toEqual(expect.any(String));
    expect(await record({ totalYen: 0, lines: [], taxes: [], payments: [] })).toEqual(expect.any(String));
  });

  test.each<[string, Partial<Sale>, string]>([
    ["whose total is not its taxes", { totalYen: 717 }, "total 717, taxes 716, payments 716"],
    ["that nobody paid", { payments: [] }, "total 716, taxes 716, payments 0"],
    [
      "whose taxes are those of another rate",
      {
        taxes: [
          [10, 216],
          [8, 500],
        ],
      },
      "rate 8: lines 216, taxes 500",
    ],
    [
      "with a line that no tax covers",
      {
        lines: [
          [10, 500],
          [8, 216],
          [0, 100],
        ],
      },
      "rate 0: lines 100, taxes 0",
    ],
  ])("%s is refused at commit", async (_, change, why) => {
    await expect(record(change)).rejects.toThrow(why);
  });

  test.each<[string, Sale["payments"]]>([
    ["cash that was not tendered", [{ method: "cash", amountYen: 716 }]],
    ["less cash than is paid with it", [{ method: "cash", amountYen: 716, tenderedYen: 700 }]],
    ["a card without its payment", [{ method: "card", amountYen: 716 }]],
    ["change from a card", [{ method: "card", amountYen: 716, tenderedYen: 1000, paymentId: newId() }]],
  ])("with %s is refused", async (_, payments) => {
    await expect(record({ payments })).rejects.toThrow("sale_payments_check");
  });

  test("is void only with who, when and why", async () => {
    await expect(record({}, "voided")).rejects.toThrow("sales_check");
    const id = await record({});
    await inCompany(api, shop.companyId, (tx) =>
      tx
        .updateTable("sales")
        .set({ state: "voided", voided_at: new Date(), voided_by: shop.staffId, void_reason: "打ち間違い" })
        .where("id", "=", id)
        .execute(),
    );
  });
});

describe("an order", () => {
  const place = (totalYen: number, shippingYen: number, grossYen: number) =>
    inCompany(api, shop.companyId, async (tx) => {
      const of = { company_id: shop.companyId, order_id: newId() };
      await tx
        .insertInto("orders")
        .values({
          company_id: shop.companyId,
          id: of.order_id,
          no: of.order_id,
          channel: "ec",
          state: "awaiting_payment",
          email: "hanako@example.com",
          method: "bank_transfer",
          shipping_yen: shippingYen,
          total_yen: totalYen,
          deadline: new Date(),
          token_hash: "hash",
          placed_at: new Date(),
        })
        .execute();
      await tx
        .insertInto("order_lines")
        .values({
          ...of,
          line_no: 1,
          name: "本",
          tax_class: "standard",
          rate_pct: 10,
          unit_price_yen: 600,
          qty: 2,
        })
        .execute();
      await tx
        .insertInto("order_taxes")
        .values({ ...of, rate_pct: 10, gross_yen: grossYen, tax_yen: 0 })
        .execute();
      return of.order_id;
    });

  test("is its lines and its shipping, and so are its taxes", async () => {
    expect(await place(1700, 500, 1700)).toEqual(expect.any(String));
    await expect(place(1200, 500, 1200)).rejects.toThrow("total 1200, lines and shipping 1700, taxes 1200");
    await expect(place(1700, 500, 1200)).rejects.toThrow("taxes 1200");
  });

  test("has one live payment per idempotency key, and never refunds more than it took", async () => {
    const orderId = await place(1700, 500, 1700);
    const pay = (change: object) =>
      inCompany(api, shop.companyId, (tx) =>
        tx
          .insertInto("payments")
          .values({
            company_id: shop.companyId,
            id: newId(),
            order_id: orderId,
            method: "bank_transfer",
            amount_yen: 1700,
            state: "pending",
            provider: "bank",
            idempotency_key: "1",
            ...change,
          })
          .execute(),
      );
    await expect(pay({ captured_yen: 1000, refunded_yen: 1001 })).rejects.toThrow("check constraint");
    await expect(pay({ captured_yen: 1701 })).rejects.toThrow("check constraint");
    await expect(pay({ order_id: null })).rejects.toThrow("payments_check");
    await pay({});
    await expect(pay({})).rejects.toThrow("idempotency_key");
  });
});

test("a register has one open session, and a closed one is complete", async () => {
  await expect(openSession()).rejects.toThrow("register_sessions_open");
  const close = (counted: object) =>
    inCompany(api, shop.companyId, (tx) =>
      tx
        .updateTable("register_sessions")
        .set({ closed_at: new Date(), closed_by: shop.staffId, ...counted })
        .where("id", "=", sessionId)
        .returning("difference_yen")
        .executeTakeFirstOrThrow(),
    );
  await expect(close({})).rejects.toThrow("register_sessions_check");
  const closed = await close({
    expected_yen: 50_716,
    counted: JSON.stringify({ 10000: 5 }),
    counted_yen: 50_000,
  });
  expect(closed).toEqual({ difference_yen: -716 });
  sessionId = await openSession();
});

test("no two tax rates of a class hold on one day", async () => {
  const owner = database.owner.pool;
  const insert = (valid: string) =>
    owner.query("insert into tax_rates (tax_class, valid, rate_pct) values ('reduced', $1, 0)", [valid]);
  await expect(insert("[2027-04-01,2029-04-01)")).rejects.toThrow("tax_rates_tax_class_valid_excl");
  await owner.query(
    "update tax_rates set valid = '[2014-04-01,2027-04-01)' where tax_class = 'reduced' and upper_inf(valid)",
  );
  await insert("[2027-04-01,2029-04-01)");
});
