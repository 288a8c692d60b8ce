import { inCompany } from "@noren/database";
import { openShop } from "@noren/database/fixture";
import { newId, saleRefunded } from "@noren/events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, key, openApi, saleOf } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi({ stock: [100, 100] });
  await api.till.openRegister({ body: { floatYen: 30_000 }, ...key() });
  // Two rates, and amounts that do not divide: 333 yen at 10 %, 108 yen at 8 %.
  await api.rows("update products set price_yen = 333 where id = $1", [api.shop.productId]);
  await api.rows("update products set price_yen = 108 where id = $1", [api.shop.products[1]?.productId]);
  await api.rows("update items set tax_class = 'reduced' where id = $1", [api.shop.products[1]?.itemId]);
});
afterAll(() => api.close());

/** Three of the first product, two of the second: 1,215 yen. */
async function sold(email?: string) {
  const [first, second] = api.shop.products;
  const sale = {
    ...saleOf(api.shop, { tenderedYen: 2_000, ...(email ? { email } : {}) }),
    lines: [
      { productId: first?.productId ?? "", qty: 3 },
      { productId: second?.productId ?? "", qty: 2 },
    ],
  };
  return api.till.completeSale({ body: sale });
}

const refundOf = (saleId: string, ...lines: [lineNo: number, qty: number, restock?: boolean][]) => ({
  refundId: newId(),
  saleId,
  lines: lines.map(([lineNo, qty, restock = true]) => ({ lineNo, qty, restock })),
  reason: "初期不良",
});

const drawer = async () => {
  const [row] = await api.rows<{ yen: number }>(
    "select coalesce(sum(amount_yen), 0)::int as yen from cash_moves where company_id = $1",
    [api.shop.companyId],
  );
  return row?.yen ?? 0;
};

test("a refund is a document of today, cash out of the drawer and an event, and the return receipt shows both days", async () => {
  const { saleId, receiptNo, soldAt } = await sold("yamada@example.com");
  const [cash, level] = [await drawer(), await api.level()];
  const refund = refundOf(saleId, [2, 1, false], [1, 2]);
  const receipt = await api.till.refundSale({ body: refund });
  expect(receipt).toMatchObject({
    refundId: refund.refundId,
    refundNo: `${receiptNo}-R1`,
    saleId,
    receiptNo,
    soldAt,
    company: { name: "会社", invoiceNo: null },
    staffName: "山田",
    reason: "初期不良",
    lines: [
      { lineNo: 1, name: "本", condition: "美品", qty: 2, amountYen: 666, ratePct: 10, restock: true },
      { lineNo: 2, name: "本", qty: 1, amountYen: 108, ratePct: 8, reduced: true, restock: false },
    ],
    taxes: [
      { ratePct: 10, grossYen: 666, taxYen: 60 },
      { ratePct: 8, grossYen: 108, taxYen: 8 },
    ],
    totalYen: 774,
    payments: [{ method: "cash", amountYen: 774 }],
  });
  expect(await drawer()).toBe(cash - 774);
  expect(
    await api.rows("select kind, amount_yen::int, session_id from cash_moves where source_id = $1", [
      refund.refundId,
    ]),
  ).toEqual([
    {
      kind: "refund",
      amount_yen: -774,
      session_id: (await api.till.currentRegister()).session?.id,
    },
  ]);
  // The ledger follows in the worker.
  expect(await api.level()).toEqual(level);
  const events = (await api.events("sale.refunded")).map((event) => saleRefunded.parse(event));
  const [first, second] = api.shop.products;
  expect(events.filter(({ aggregate }) => aggregate.id === saleId).map(({ data }) => data)).toEqual([
    {
      saleId,
      refundId: refund.refundId,
      lines: [
        { lineNo: 1, productId: first?.productId, qty: 2, amountYen: 666, restock: true },
        { lineNo: 2, productId: second?.productId, qty: 1, amountYen: 108, restock: false },
      ],
      taxes: receipt.taxes,
      totalYen: 774,
    },
  ]);
});

test("three partial refunds end at exactly what was paid, and the sale's receipt and the day's list show them", async () => {
  const { saleId, totalYen, taxes } = await sold();
  const parts = [
    refundOf(saleId, [1, 1], [2, 1]),
    refundOf(saleId, [1, 1]),
    refundOf(saleId, [2, 1], [1, 1]),
  ];
  const receipts = [];
  for (const body of parts) receipts.push(await api.till.refundSale({ body }));
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  expect(sum(receipts.map((receipt) => receipt.totalYen))).toBe(totalYen);
  for (const { ratePct, grossYen, taxYen } of taxes) {
    const back = receipts.flatMap((receipt) => receipt.taxes.filter((group) => group.ratePct === ratePct));
    expect([sum(back.map((one) => one.grossYen)), sum(back.map((one) => one.taxYen))]).toEqual([
      grossYen,
      taxYen,
    ]);
  }
  expect((await api.till.readSale({ params: { id: saleId } })).refunds).toEqual(
    receipts.map(({ refundId, refundNo, refundedAt, totalYen: yen, lines }) => ({
      refundId,
      refundNo,
      refundedAt,
      totalYen: yen,
      lines: lines.map(({ lineNo, qty, amountYen, restock }) => ({ lineNo, qty, amountYen, restock })),
    })),
  );
  const day = await api.till.listSales({ query: {} });
  expect(day.sales.find((sale) => sale.saleId === saleId)).toMatchObject({ totalYen, refundedYen: totalYen });
  const [row] = await api.rows<{ yen: number }>("select sum(total_yen)::int as yen from refunds");
  expect(day.refundedYen).toBe(row?.yen);
  await expect(api.till.refundSale({ body: refundOf(saleId, [1, 1]) })).rejects.toMatchObject({
    status: 422,
    code: "above_sold",
    message: "「本」で返品できるのはあと0点です(会計3点、返品済み3点)。",
  });
});

test("the same refund sent again is the same receipt and one refund, also after the stored answers are forgotten", async () => {
  const { saleId } = await sold();
  const body = refundOf(saleId, [1, 1]);
  const first = await api.till.refundSale({ body });
  const cash = await drawer();
  expect(await api.till.refundSale({ body })).toEqual(first);
  await api.rows("delete from api_requests");
  expect(await api.till.refundSale({ body })).toEqual(first);
  expect(await drawer()).toBe(cash);
  expect((await api.events("sale.refunded")).filter(({ aggregate }) => aggregate.id === saleId)).toHaveLength(
    1,
  );
  await expect(api.till.refundSale({ body: { ...body, reason: "気が変わった" } })).rejects.toMatchObject({
    status: 422,
    code: "key_reused",
  });
});

test("ten clicks at once are one refund; ten refunds at once of the last piece are one, too", async () => {
  const { saleId } = await sold();
  const body = refundOf(saleId, [1, 2]);
  const clicks = await Promise.all(Array.from({ length: 10 }, () => api.till.refundSale({ body })));
  expect(new Set(clicks.map((receipt) => JSON.stringify(receipt))).size).toBe(1);

  const cash = await drawer();
  const others = await Promise.allSettled(
    Array.from({ length: 10 }, () => api.till.refundSale({ body: refundOf(saleId, [1, 1]) })),
  );
  expect(others.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const one of others.filter(({ status }) => status === "rejected"))
    expect(one).toMatchObject({ reason: { status: 422, code: "above_sold" } });
  expect(await drawer()).toBe(cash - 333);
  const numbers = await api.rows("select n from refunds where sale_id = $1 order by n", [saleId]);
  expect(numbers).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a refund that could not be written leaves nothing behind, and its retry pays", async () => {
  const { saleId } = await sold();
  const body = refundOf(saleId, [1, 1]);
  const cash = await drawer();
  await api.rows("alter table outbox rename to outbox_gone");
  try {
    await expect(api.till.refundSale({ body })).rejects.toMatchObject({ status: 500, code: "internal" });
  } finally {
    await api.rows("alter table outbox_gone rename to outbox");
  }
  expect(await api.rows("select 1 from refunds where id = $1", [body.refundId])).toEqual([]);
  expect(await drawer()).toBe(cash);
  expect((await api.till.refundSale({ body })).refundNo).toMatch(/-R1$/);
});

test("a refund tomorrow counts on that day, and leaves the sale's own day as it was", async () => {
  const { saleId, businessDate } = await sold();
  const before = await api.till.listSales({ query: { date: businessDate } });
  const today = api.clock.now;
  api.clock.now = new Date(today.getTime() + 24 * 3_600_000);
  try {
    const receipt = await api.till.refundSale({ body: refundOf(saleId, [2, 2]) });
    expect(receipt.businessDate > businessDate).toBe(true);
    expect(await api.till.listSales({ query: { date: receipt.businessDate } })).toMatchObject({
      sales: [],
      totalYen: 0,
      refundedYen: 216,
    });
  } finally {
    api.clock.now = today;
  }
  const after = await api.till.listSales({ query: { date: businessDate } });
  expect([after.totalYen, after.refundedYen]).toEqual([before.totalYen, before.refundedYen]);
});

test("a voided sale, a refund, an unknown line and what is not this store's are refused, each in its own words", async () => {
  const { saleId } = await sold();
  const { refundId } = await api.till.refundSale({ body: refundOf(saleId, [1, 1]) });
  const refused = (body: ReturnType<typeof refundOf>, till = api.till) =>
    till.refundSale({ body }).catch(({ status, code }: { status: number; code: string }) => [status, code]);
  expect(await refused(refundOf(refundId, [1, 1]))).toEqual([422, "is_refund"]);
  expect(await refused(refundOf(saleId, [3, 1]))).toEqual([422, "line_unknown"]);
  expect(await refused(refundOf(saleId, [1, 1], [1, 1]))).toEqual([422, "line_twice"]);
  expect(await refused(refundOf(newId(), [1, 1]))).toEqual([404, "not_found"]);

  const voided = await sold();
  await api.rows(
    `update sales set state = 'voided', voided_at = now(), voided_by = staff_id, void_reason = '誤り' where id = $1`,
    [voided.saleId],
  );
  expect(await refused(refundOf(voided.saleId, [1, 1]))).toEqual([422, "sale_voided"]);

  const { companyId, staffId } = api.shop;
  const [storeId, registerId] = [newId(), newId()];
  await inCompany(api.testing.owner, companyId, async (tx) => {
    const store = { company_id: companyId, id: storeId, code: "ekimae", name: "駅前店" };
    await tx.insertInto("stores").values(store).execute();
    const register = { company_id: companyId, id: registerId, store_id: storeId, code: "1" };
    await tx.insertInto("registers").values(register).execute();
  });
  const neighbour = api.as({ app: "pos", companyId, storeId, registerId, staffId });
  await neighbour.openRegister({ body: { floatYen: 30_000 }, ...key() });
  expect(await refused(refundOf(saleId, [1, 1]), neighbour)).toEqual([404, "not_found"]);
  expect(await refused(refundOf(refundId, [1, 1]), neighbour)).toEqual([404, "not_found"]);
  const stranger = await openShop(api.testing);
  const theirs = api.as({ app: "pos", ...stranger });
  await theirs.openRegister({ body: { floatYen: 0 }, ...key() });
  expect(await refused(refundOf(saleId, [1, 1]), theirs)).toEqual([404, "not_found"]);
});

test("a closed register pays nothing out", async () => {
  const { saleId } = await sold();
  const { companyId, storeId, staffId } = api.shop;
  const registerId = newId();
  await inCompany(api.testing.owner, companyId, (tx) =>
    tx
      .insertInto("registers")
      .values({ company_id: companyId, id: registerId, store_id: storeId, code: "2" })
      .execute(),
  );
  const second = api.as({ app: "pos", companyId, storeId, registerId, staffId });
  await expect(second.refundSale({ body: refundOf(saleId, [1, 1]) })).rejects.toMatchObject({
    status: 409,
    code: "register_closed",
  });
  // Opened, any register of the store pays, out of its own drawer.
  const session = await second.openRegister({ body: { floatYen: 10_000 }, ...key() });
  const { refundId } = await second.refundSale({ body: refundOf(saleId, [1, 1]) });
  expect(await api.rows("select session_id from cash_moves where source_id = $1", [refundId])).toEqual([
    { session_id: session.id },
  ]);
});

test("what was paid by card does not leave the drawer as cash", async () => {
  const { saleId } = await sold();
  // The till takes only cash today; the books know cards.
  const client = await api.testing.connect("postgres").pool.connect();
  await client.query("set session_replication_role = replica");
  await client.query(
    "update sale_payments set method = 'card', tendered_yen = null, payment_id = sale_id where sale_id = $1",
    [saleId],
  );
  client.release(true);
  await expect(api.till.refundSale({ body: refundOf(saleId, [1, 1]) })).rejects.toMatchObject({
    status: 422,
    code: "not_cash",
  });
});

test("what was free comes back without money", async () => {
  const { saleId } = await sold();
  const client = await api.testing.connect("postgres").pool.connect();
  await client.query("set session_replication_role = replica");
  await client.query("delete from sale_payments where sale_id = $1", [saleId]);
  await client.query("update sale_lines set line_discount_yen = unit_price_yen * qty where sale_id = $1", [
    saleId,
  ]);
  await client.query("update sale_taxes set gross_yen = 0, tax_yen = 0 where sale_id = $1", [saleId]);
  client.release(true);
  const body = refundOf(saleId, [1, 1]);
  expect(await api.till.refundSale({ body })).toMatchObject({ totalYen: 0, payments: [] });
  expect(await api.rows("select 1 from cash_moves where source_id = $1", [body.refundId])).toEqual([]);
});
