import { openShop } from "@noren/database/fixture";
import { itemRegistered, productStockReceived } from "@noren/events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, key, openApi } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi({ stock: [1, 1] });
});
afterAll(() => api.close());

const item = { code: "2000000012345", name: "新しい本", conditions: ["A"], listPriceYen: 1_980 };

test("a registered item is an event with the category's tax class, and nothing of it is sold yet", async () => {
  const { itemId } = await api.till.registerItem({ body: item, ...key() });
  const [event] = (await api.events("item.registered")).map((event) => itemRegistered.parse(event));
  expect(event).toMatchObject({
    aggregate: { id: itemId },
    data: { ...item, categoryId: api.shop.categoryId, taxClass: "standard" },
  });
  expect((await api.till.scanProduct({ params: { code: item.code } })).products).toEqual([]);
});

test("a code that is taken, an unknown condition or category is refused", async () => {
  const register = (changed: object) => api.till.registerItem({ body: { ...item, ...changed }, ...key() });
  await expect(register({ code: "200000000000" })).rejects.toMatchObject({ status: 409, code: "code_taken" });
  await expect(register({ code: "1", conditions: ["Z"] })).rejects.toMatchObject({ status: 404 });
  const stranger = await openShop(api.testing);
  await expect(register({ code: "2", categoryId: stranger.categoryId })).rejects.toMatchObject({
    status: 404,
  });
});

test("a receipt of goods is stored and told line by line, each in its product's group; stock follows later", async () => {
  const [first, second] = api.shop.products;
  const lines = [
    { productId: second?.productId ?? "", qty: 2, unitCostYen: 300 },
    { productId: first?.productId ?? "", qty: 5, unitCostYen: 100 },
  ];
  const { receivingId } = await api.till.receiveStock({ body: { supplierName: "問屋", lines }, ...key() });
  const events = (await api.events("product.stock_received")).map((event) =>
    productStockReceived.parse(event),
  );
  expect(events.map(({ aggregate, data }) => ({ group: aggregate.id, ...data }))).toEqual(
    lines.map((line, index) => ({
      group: line.productId,
      ...line,
      lineNo: index + 1,
      receiptId: receivingId,
      source: "問屋",
    })),
  );
  expect(await api.level()).toMatchObject({ on_hand: 1 });
});

test("goods for another store's product are refused, and nothing is stored", async () => {
  const stranger = await openShop(api.testing);
  const lines = [
    { productId: api.shop.productId, qty: 1, unitCostYen: 1 },
    { productId: stranger.productId, qty: 1, unitCostYen: 1 },
  ];
  const before = await api.rows("select 1 from receivings");
  await expect(api.till.receiveStock({ body: { lines }, ...key() })).rejects.toMatchObject({ status: 404 });
  expect(await api.rows("select 1 from receivings")).toHaveLength(before.length);
});
