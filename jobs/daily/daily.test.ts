import { type Database, inCompany } from "@noren/database";
import { type Shop, openShop, recordBuyback, recordRefund, recordSale } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { newId } from "@noren/events";
import { logger } from "@noren/service";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { daily } from "./daily.ts";

const log = logger("test");
/** Half past three at night in Japan: the business date is still the day before. */
const NIGHT = new Date("2026-11-24T18:30:00Z");
let testing: TestDatabase;
let job: Database;
let everything: Database;
let shop: Shop;
let seq = 0;

beforeAll(async () => {
  testing = await testDatabase();
  job = testing.connect("job_daily", { max: 4 });
  everything = testing.connect("postgres");
});
afterAll(() => testing.drop());
beforeEach(async () => {
  shop = await openShop(testing);
});

type Sold = { on: string; rate10?: number; rate8?: number; voided?: boolean };

async function sold({ on, rate10 = 0, rate8 = 0, voided = false }: Sold): Promise<void> {
  const { companyId, storeId, registerId, staffId } = shop;
  const [saleId, at] = [newId(), new Date(`${on}T03:00:00Z`)];
  const company = { company_id: companyId };
  const groups = [
    {
      rate_pct: 10,
      tax_class: "standard" as const,
      gross_yen: rate10,
      tax_yen: Math.floor((rate10 * 10) / 110),
    },
    { rate_pct: 8, tax_class: "reduced" as const, gross_yen: rate8, tax_yen: Math.floor((rate8 * 8) / 108) },
  ].filter(({ gross_yen }) => gross_yen > 0);
  seq += 1;
  await inCompany(testing.owner, companyId, async (tx) => {
    let session = await tx
      .selectFrom("register_sessions")
      .select("id")
      .where("business_date", "=", on)
      .executeTakeFirst();
    if (!session) {
      await tx
        .updateTable("register_sessions")
        .set({ closed_at: at, closed_by: staffId, expected_yen: 0, counted: "{}", counted_yen: 0 })
        .where("closed_at", "is", null)
        .execute();
      session = { id: newId() };
      const row = { ...company, ...session, store_id: storeId, register_id: registerId, opened_by: staffId };
      await tx
        .insertInto("register_sessions")
        .values({ ...row, business_date: on, float_yen: 30_000, opened_at: at })
        .execute();
    }
    const ended = voided
      ? { state: "voided" as const, voided_at: at, voided_by: staffId, void_reason: "誤り" }
      : {};
    await tx
      .insertInto("sales")
      .values({
        ...company,
        id: saleId,
        store_id: storeId,
        session_id: session.id,
        register_id: registerId,
        register_seq: seq,
        receipt_no: `honten-1-${seq}`,
        business_date: on,
        staff_id: staffId,
        total_yen: rate10 + rate8,
        completed_at: at,
        ...ended,
      })
      .execute();
    for (const [index, { tax_class, rate_pct, gross_yen, tax_yen }] of groups.entries()) {
      const line = { ...company, sale_id: saleId, line_no: index + 1, name: "本", tax_class, rate_pct };
      await tx
        .insertInto("sale_lines")
        .values({ ...line, unit_price_yen: gross_yen, qty: 1 })
        .execute();
      await tx
        .insertInto("sale_taxes")
        .values({ ...company, sale_id: saleId, rate_pct, gross_yen, tax_yen })
        .execute();
    }
    const amount_yen = rate10 + rate8;
    await tx
      .insertInto("sale_payments")
      .values({
        ...company,
        sale_id: saleId,
        line_no: 1,
        method: "cash",
        amount_yen,
        tendered_yen: amount_yen,
      })
      .execute();
    const move = {
      ...company,
      session_id: session.id,
      source_type: "sale",
      source_id: saleId,
      occurred_at: at,
    };
    await tx
      .insertInto("cash_moves")
      .values({ ...move, id: newId(), kind: "sale", amount_yen })
      .execute();
    if (voided)
      await tx
        .insertInto("cash_moves")
        .values({ ...move, id: newId(), kind: "void", amount_yen: -amount_yen })
        .execute();
  });
}

const totals = () =>
  inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("daily_totals")
      .select([
        "business_date",
        "sales_count",
        "voided_count",
        "items_qty",
        "gross_yen",
        "tax_yen",
        "by_rate",
        "by_method",
        "cash_yen",
      ])
      .orderBy("business_date")
      .execute(),
  );

test("a day's totals are its completed sales by rate and method, and the cash of its sessions", async () => {
  await sold({ on: "2026-11-24", rate10: 1_100 });
  await sold({ on: "2026-11-24", rate10: 550, rate8: 108 });
  await sold({ on: "2026-11-24", rate10: 9_900, voided: true });
  await daily(job, log, NIGHT);
  expect(await totals()).toEqual([
    {
      business_date: "2026-11-24",
      sales_count: 2,
      voided_count: 1,
      items_qty: 3,
      gross_yen: 1_758,
      tax_yen: 158,
      by_rate: [
        { ratePct: 10, grossYen: 1_650, taxYen: 150 },
        { ratePct: 8, grossYen: 108, taxYen: 8 },
      ],
      by_method: [{ method: "cash", amountYen: 1_758 }],
      cash_yen: 1_758,
    },
  ]);
});

test("a day without sales is a row of zeros, so that a missing row always means a missing run", async () => {
  await daily(job, log, NIGHT);
  expect(await totals()).toMatchObject([
    { business_date: "2026-11-24", sales_count: 0, gross_yen: 0, by_rate: [] },
  ]);
});

test("a refund counts on its own day and by rate, and leaves the day of its sale as it was", async () => {
  const sale = await recordSale(testing, shop, {
    lines: [
      { qty: 3, unitPriceYen: 333 },
      { qty: 1, unitPriceYen: 108, ratePct: 8 },
    ],
    businessDate: "2026-11-22",
  });
  const [book, cracker] = [1, 2].map((lineNo) => ({ lineNo, qty: 1, restock: false }));
  await recordRefund(testing, shop, sale, [book!, cracker!], { businessDate: "2026-11-23" });
  await recordRefund(testing, shop, sale, [book!], { businessDate: "2026-11-23" });
  await recordRefund(testing, shop, sale, [book!], { businessDate: "2026-11-24" });
  await daily(job, log, NIGHT);
  await daily(job, log, NIGHT);
  const rows = await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("daily_totals")
      .select([
        "business_date",
        "sales_count",
        "gross_yen",
        "refunds_count",
        "refunded_yen",
        "refunded_tax_yen",
        "refunded_by_rate",
      ])
      .orderBy("business_date")
      .execute(),
  );
  expect(rows.map((row) => Object.values(row))).toEqual([
    ["2026-11-22", 1, 1_107, 0, 0, 0, []],
    [
      "2026-11-23",
      0,
      0,
      2,
      774,
      68,
      [
        { ratePct: 10, grossYen: 666, taxYen: 60 },
        { ratePct: 8, grossYen: 108, taxYen: 8 },
      ],
    ],
    ["2026-11-24", 0, 0, 1, 333, 30, [{ ratePct: 10, grossYen: 333, taxYen: 30 }]],
  ]);
});

test("running again writes the same, and a sale that a till sent late joins its own day", async () => {
  await sold({ on: "2026-11-23", rate10: 1_100 });
  await sold({ on: "2026-11-24", rate10: 2_200 });
  await daily(job, log, NIGHT);
  const first = await totals();
  await daily(job, log, NIGHT);
  expect(await totals()).toEqual(first);
  await sold({ on: "2026-11-23", rate10: 330 });
  await daily(job, log, NIGHT);
  expect((await totals()).map(({ business_date, gross_yen }) => [business_date, gross_yen])).toEqual([
    ["2026-11-23", 1_430],
    ["2026-11-24", 2_200],
  ]);
});

test("what the drawers paid for goods counts on its own day, beside the sales, and comes off their cash", async () => {
  await recordBuyback(testing, shop, [{ qty: 3, unitPriceYen: 200 }]);
  await recordBuyback(testing, shop, [{ qty: 1, unitPriceYen: 150 }]);
  await recordBuyback(testing, shop, [{ qty: 1, unitPriceYen: 50 }], { businessDate: "2026-11-23" });
  await daily(job, log, NIGHT);
  await daily(job, log, NIGHT);
  const rows = await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("daily_totals")
      .select(["business_date", "sales_count", "gross_yen", "buybacks_count", "buyback_yen", "cash_yen"])
      .orderBy("business_date")
      .execute(),
  );
  expect(rows.map((row) => Object.values(row))).toEqual([
    ["2026-11-23", 0, 0, 1, 50, 0],
    // One session, which was opened on this day.
    ["2026-11-24", 0, 0, 2, 750, -800],
  ]);
});

test("who sold is forgotten when its three years are over, and not before", async () => {
  const { buybackId } = await recordBuyback(testing, shop, [{ qty: 1, unitPriceYen: 100 }]);
  const record = (keepUntil: string) =>
    everything.pool.query(
      `insert into buyback_identities (company_id, id, buyback_id, name, address, occupation, birth_date, document_kind,
         checked_by, checked_at, keep_until)
       values ($1, $2, $3, '山田', '東京都', '会社員', '1990-04-01', 'passport', $4, now(), ${keepUntil})`,
      [shop.companyId, newId(), buybackId, shop.staffId],
    );
  await record("current_date - 1");
  await record("current_date");
  expect(await daily(job, log, NIGHT)).toMatchObject({ identitiesForgotten: 1 });
  const { rows } = await everything.pool.query(
    "select keep_until >= current_date as kept from buyback_identities where company_id = $1",
    [shop.companyId],
  );
  expect(rows).toEqual([{ kept: true }]);
});

test("days that are more than a week old are settled", async () => {
  await sold({ on: "2026-11-10", rate10: 1_100 });
  await daily(job, log, NIGHT);
  expect((await totals()).map(({ business_date }) => business_date)).toEqual(["2026-11-24"]);
});

test("each product's stock of the day is kept", async () => {
  await daily(job, log, NIGHT);
  const snapshots = await inCompany(testing.owner, shop.companyId, (tx) =>
    tx.selectFrom("stock_snapshots").select(["product_id", "business_date", "on_hand", "reserved"]).execute(),
  );
  expect(snapshots).toEqual([
    { product_id: shop.productId, business_date: "2026-11-24", on_hand: 10, reserved: 0 },
  ]);
});

test("every company is done, each in its own rows", async () => {
  await openShop(testing);
  const report = await daily(job, log, NIGHT);
  const { rows } = await everything.pool.query<{ n: number }>("select count(*)::int as n from stores");
  expect(report?.stores).toBe(rows[0]?.n);
  expect(await totals()).toHaveLength(1);
});

test("the inbox has its partitions of the coming week, and old answers of the API are forgotten", async () => {
  const keep = newId();
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    const row = {
      company_id: shop.companyId,
      route: "completeSale",
      request_hash: "",
      status: 200,
      response: "null",
    };
    await tx
      .insertInto("api_requests")
      .values({ ...row, key: keep })
      .execute();
    const old = new Date(Date.now() - 15 * 86_400_000);
    await tx
      .insertInto("api_requests")
      .values({ ...row, key: newId(), created_at: old })
      .execute();
  });
  const inAWeek = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
  await everything.pool.query(`drop table inbox_${inAWeek}`);
  const report = await daily(job, log, NIGHT);
  expect(report).toMatchObject({ partitionsMade: 1, requestsForgotten: 1 });
  const { rows } = await everything.pool.query("select key from api_requests where company_id = $1", [
    shop.companyId,
  ]);
  expect(rows).toEqual([{ key: keep }]);
});

test("while one run is at work, a second does nothing", async () => {
  const holder = await everything.pool.connect();
  await holder.query("select pg_advisory_lock(7267362)");
  expect(await daily(job, log, NIGHT)).toBeNull();
  expect(await totals()).toEqual([]);
  await holder.query("select pg_advisory_unlock(7267362)");
  holder.release();
  expect(await daily(job, log, NIGHT)).not.toBeNull();
});
