import type { Shop } from "@noren/database/fixture";
import { newId, orderImported, orderPaid, orderShort } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { reserveMallOrder } from "./reserve-mall-order.ts";
import { type Orders, importedOrder, openOrders } from "./testing.ts";

let orders: Orders;
let shop: Shop;
beforeAll(async () => {
  orders = await openOrders();
});
afterAll(() => orders.close());
beforeEach(async () => {
  shop = await orders.openShop([5]);
});

const imported = (orderId: string, paid = true) =>
  orderImported.create({
    companyId: shop.companyId,
    aggregateId: orderId,
    data: { orderId, mallAccountId: newId(), mallOrderNo: "MA-1", lines: [], paid },
  });

const result = (orderId: string) =>
  orders.read(shop, async (tx) => ({
    ...(await tx.selectFrom("orders").select("state").where("id", "=", orderId).executeTakeFirstOrThrow()),
    ...(await tx.selectFrom("stock_levels").select("reserved").executeTakeFirstOrThrow()),
    shipments: await tx
      .selectFrom("shipments")
      .innerJoin("shipment_lines", "shipment_lines.shipment_id", "shipments.id")
      .select(["store_id", "shipments.state", "product_id", "qty"])
      .where("order_id", "=", orderId)
      .execute(),
  }));

test("a paid mall order gets its goods and its shipment", async () => {
  const orderId = await importedOrder(orders, shop);
  await orders.handle(reserveMallOrder, imported(orderId));
  expect(await result(orderId)).toEqual({
    state: "paid",
    reserved: 2,
    shipments: [{ store_id: shop.storeId, state: "planned", product_id: shop.productId, qty: 2 }],
  });
  expect((await orders.events("order.paid")).map((told) => orderPaid.parse(told))).toMatchObject([
    { aggregate: { id: orderId, seq: 2 }, data: { shipments: [{ storeId: shop.storeId }] } },
  ]);
});

test("one that is not paid yet holds its goods and has no shipment", async () => {
  const orderId = await importedOrder(orders, shop, { paid: false });
  await orders.handle(reserveMallOrder, imported(orderId, false));
  expect(await result(orderId)).toEqual({ state: "awaiting_payment", reserved: 2, shipments: [] });
});

test("delivered again and at once, it reserves once", async () => {
  const orderId = await importedOrder(orders, shop);
  await Promise.all([
    orders.handle(reserveMallOrder, imported(orderId)),
    orders.handle(reserveMallOrder, imported(orderId)),
  ]);
  await orders.handle(reserveMallOrder, imported(orderId));
  expect(await result(orderId)).toMatchObject({ reserved: 2, shipments: [{ qty: 2 }] });
  expect(await orders.events("order.paid")).toHaveLength(1);
});

test("what cannot be had makes the order short, and holds nothing", async () => {
  const tooMuch = await importedOrder(orders, shop, { qty: 6 });
  await orders.handle(reserveMallOrder, imported(tooMuch));
  expect(await result(tooMuch)).toEqual({ state: "short", reserved: 0, shipments: [] });
  expect((await orders.events("order.short")).map((told) => orderShort.parse(told).data)).toMatchObject([
    { orderId: tooMuch },
  ]);
});

test("an article that we do not sell makes the order short too", async () => {
  const orderId = await importedOrder(orders, shop, { unknownItem: true });
  await orders.handle(reserveMallOrder, imported(orderId));
  expect((await result(orderId)).state).toBe("short");
});

test("of many orders for the last pieces as many are served as there are pieces", async () => {
  const all: string[] = [];
  for (let n = 0; n < 8; n += 1) all.push(await importedOrder(orders, shop, { qty: 1 }));
  await Promise.all(all.map((orderId) => orders.handle(reserveMallOrder, imported(orderId))));
  const states = await Promise.all(all.map(async (orderId) => (await result(orderId)).state));
  expect(states.filter((state) => state === "paid")).toHaveLength(5);
  expect(states.filter((state) => state === "short")).toHaveLength(3);
});

test("an order that was cancelled in the meantime is left alone", async () => {
  const orderId = await importedOrder(orders, shop);
  await orders.read(shop, (tx) =>
    tx.updateTable("orders").set({ state: "cancelled" }).where("id", "=", orderId).execute(),
  );
  await orders.handle(reserveMallOrder, imported(orderId));
  expect(await result(orderId)).toEqual({ state: "cancelled", reserved: 0, shipments: [] });
});
