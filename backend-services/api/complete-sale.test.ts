import { inCompany } from "@noren/database";
import { openShop } from "@noren/database/fixture";
import { newId, saleCompleted } from "@noren/events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, key, openApi, saleOf } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi({ stock: [10, 0] });
  await api.till.openRegister({ body: { floatYen: 30_000 }, ...key() });
});
afterAll(() => api.close());

const salesOf = (saleId: string) => api.rows("select * from sales where id = $1", [saleId]);

test("a sale is a document, a reservation, cash and an event, and the receipt says what was paid", async () => {
  const before = await api.level();
  const sale = saleOf(api.shop, { qty: 3, tenderedYen: 2_000, email: "yamada@example.com" });
  const receipt = await api.till.completeSale({ body: sale });
  expect(receipt).toMatchObject({
    saleId: sale.saleId,
    receiptNo: "honten-1-000001",
    lines: [{ name: "本", condition: "美品", qty: 3, unitPriceYen: 500, amountYen: 1_500, ratePct: 10 }],
    taxes: [{ ratePct: 10, grossYen: 1_500, taxYen: 136 }],
    totalYen: 1_500,
    payments: [{ method: "cash", amountYen: 1_500, tenderedYen: 2_000 }],
    changeYen: 500,
  });
  expect(await api.level()).toEqual({
    on_hand: before?.on_hand,
    reserved: (before?.reserved ?? 0) + 3,
    available: (before?.available ?? 0) - 3,
  });
  expect(
    await api.rows("select kind, amount_yen::int from cash_moves where source_id = $1", [sale.saleId]),
  ).toEqual([{ kind: "sale", amount_yen: 1_500 }]);
  const events = (await api.events("sale.completed")).map((event) => saleCompleted.parse(event));
  expect(events.find(({ aggregate }) => aggregate.id === sale.saleId)?.data).toMatchObject({
    lines: [{ productId: api.shop.productId, qty: 3, amountYen: 1_500 }],
    email: "yamada@example.com",
  });
  expect(await api.till.readSale({ params: { id: sale.saleId } })).toEqual(receipt);
});

test("the same sale sent again is the same receipt and one sale, also after the stored answers are forgotten", async () => {
  const sale = saleOf(api.shop);
  const first = await api.till.completeSale({ body: sale });
  const level = await api.level();
  expect(await api.till.completeSale({ body: sale })).toEqual(first);
  await api.rows("delete from api_requests");
  expect(await api.till.completeSale({ body: sale })).toEqual(first);
  expect(await salesOf(sale.saleId)).toHaveLength(1);
  expect(await api.level()).toEqual(level);
  expect(
    (await api.events("sale.completed")).filter(({ aggregate }) => aggregate.id === sale.saleId),
  ).toHaveLength(1);
});

test("ten clicks at once make one sale, and all of them get its receipt", async () => {
  const sale = saleOf(api.shop);
  const receipts = await Promise.all(Array.from({ length: 10 }, () => api.till.completeSale({ body: sale })));
  expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
  expect(await salesOf(sale.saleId)).toHaveLength(1);
  expect(await api.rows("select 1 from cash_moves where source_id = $1", [sale.saleId])).toHaveLength(1);
});

test("a sale that could not be written leaves nothing behind, and its retry sells", async () => {
  const sale = saleOf(api.shop);
  await api.rows("alter table outbox rename to outbox_gone");
  try {
    await expect(api.till.completeSale({ body: sale })).rejects.toMatchObject({
      status: 500,
      code: "internal",
    });
    expect(await salesOf(sale.saleId)).toHaveLength(0);
  } finally {
    await api.rows("alter table outbox_gone rename to outbox");
  }
  expect((await api.till.completeSale({ body: sale })).saleId).toBe(sale.saleId);
});

test("another sale under the same id is refused", async () => {
  const sale = saleOf(api.shop);
  await api.till.completeSale({ body: sale });
  const other = saleOf(api.shop, { qty: 2, saleId: sale.saleId });
  await expect(api.till.completeSale({ body: other })).rejects.toMatchObject({
    status: 422,
    code: "key_reused",
  });
});

test("numbers on receipts have no gaps and no twins, however many sales come at once", async () => {
  const sales = await Promise.all(
    Array.from({ length: 12 }, () => api.till.completeSale({ body: saleOf(api.shop) })),
  );
  const numbers = sales.map(({ receiptNo }) => Number(receiptNo.split("-").at(-1))).sort((a, b) => a - b);
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => first + index));
});

test("too little money is refused with what is missing, and nothing is written", async () => {
  const sale = saleOf(api.shop, { qty: 3, tenderedYen: 1_000 });
  await expect(api.till.completeSale({ body: sale })).rejects.toMatchObject({
    status: 422,
    code: "short",
    message: "あと500円足りません。",
  });
  expect(await salesOf(sale.saleId)).toHaveLength(0);
  const paid = { ...sale, payments: [{ method: "cash" as const, tenderedYen: 1_500 }] };
  expect((await api.till.completeSale({ body: paid })).changeYen).toBe(0);
});

test("what lies on the counter is sold although the books have none, and the shortage is told", async () => {
  const productId = api.shop.products[1]?.productId ?? "";
  const sale = { ...saleOf(api.shop), lines: [{ productId, qty: 1 }] };
  await api.till.completeSale({ body: sale });
  expect(await api.level(productId)).toEqual({ on_hand: 0, reserved: 1, available: -1 });
  expect((await api.events("product.shortage_found")).map(({ aggregate }) => aggregate.id)).toContain(
    productId,
  );
});

test("a product without a price, of another store or of another company is not sold", async () => {
  const stranger = await openShop(api.testing);
  const { companyId, productId, itemId } = api.shop;
  const [elsewhere, storeId] = [newId(), newId()];
  await inCompany(api.testing.owner, companyId, async (tx) => {
    await tx
      .insertInto("stores")
      .values({ company_id: companyId, id: storeId, code: "ekimae", name: "駅前店" })
      .execute();
    const product = {
      company_id: companyId,
      store_id: storeId,
      item_id: itemId,
      condition: "A",
      price_yen: 1,
    };
    await tx
      .insertInto("products")
      .values({ ...product, id: elsewhere })
      .execute();
  });
  for (const foreign of [elsewhere, stranger.productId, newId()])
    await expect(
      api.till.completeSale({ body: { ...saleOf(api.shop), lines: [{ productId: foreign, qty: 1 }] } }),
    ).rejects.toMatchObject({ status: 404, code: "not_found" });

  await api.rows("update products set price_yen = 0 where id = $1", [productId]);
  await expect(api.till.completeSale({ body: saleOf(api.shop) })).rejects.toMatchObject({
    code: "price_missing",
  });
  await api.rows("update products set price_yen = 500 where id = $1", [productId]);
});

test("a sale of another store is not found, neither read nor taken for its own", async () => {
  const sale = saleOf(api.shop);
  await api.till.completeSale({ body: sale });
  const { companyId, registerId, staffId } = api.shop;
  const neighbour = api.as({ app: "pos", companyId, storeId: newId(), registerId, staffId });
  await expect(neighbour.readSale({ params: { id: sale.saleId } })).rejects.toMatchObject({ status: 404 });
  await expect(neighbour.completeSale({ body: sale })).rejects.toMatchObject({
    status: 422,
    code: "key_reused",
  });
});

test("a closed register sells nothing", async () => {
  const shop = await openShop(api.testing);
  const { companyId, storeId, registerId, staffId } = shop;
  const till = api.as({ app: "pos", companyId, storeId, registerId, staffId });
  await expect(till.completeSale({ body: saleOf(shop) })).rejects.toMatchObject({
    status: 409,
    code: "register_closed",
  });
});

test("the day's sales are listed newest first with their sum", async () => {
  const shop = await openShop(api.testing);
  const { companyId, storeId, registerId, staffId } = shop;
  const till = api.as({ app: "pos", companyId, storeId, registerId, staffId });
  await till.openRegister({ body: { floatYen: 0 }, ...key() });
  const first = await till.completeSale({ body: saleOf(shop) });
  api.clock.now = new Date(api.clock.now.getTime() + 1_000);
  const second = await till.completeSale({ body: saleOf(shop, { qty: 2 }) });
  const day = await till.listSales({ query: {} });
  expect(day.sales.map(({ saleId, pieces }) => [saleId, pieces])).toEqual([
    [second.saleId, 2],
    [first.saleId, 1],
  ]);
  expect(day.totalYen).toBe(1_500);
  expect((await till.listSales({ query: { date: "2020-01-01" } })).sales).toEqual([]);
});
