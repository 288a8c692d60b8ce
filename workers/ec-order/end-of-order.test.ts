import type { Shop } from "@noren/database/fixture";
import {
  newId,
  orderCancelRequested,
  orderCancelled,
  orderExpired,
  paymentRefundDue,
  scheduleCameDue,
} from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Unprocessable } from "worker";
import { cancelOrder } from "./cancel-order.ts";
import { expireOrder } from "./expire-order.ts";
import { type Orders, importedOrder, openOrders, placed } from "./testing.ts";

let orders: Orders;
let shop: Shop;
beforeAll(async () => {
  orders = await openOrders();
});
afterAll(() => orders.close());
beforeEach(async () => {
  shop = await orders.openShop([5]);
});

const AFTER_GRACE = "2026-11-27T15:29:59.000Z";
const cameDue = (
  subjectId: string,
  dueAt = AFTER_GRACE,
  kind: "order.deadline" | "mall.poll" = "order.deadline",
) =>
  scheduleCameDue.create({
    companyId: shop.companyId,
    aggregateId: subjectId,
    data: { kind, subjectId, dueAt, attempt: 0 },
  });
const cancel = (orderId: string, by: "customer" | "staff" | "mall" = "customer") =>
  orderCancelRequested.create({
    companyId: shop.companyId,
    aggregateId: orderId,
    data: { orderId, by, reason: "気が変わった" },
  });

const state = (orderId: string) =>
  orders.read(shop, async (tx) => {
    const order = await tx
      .selectFrom("orders")
      .selectAll()
      .where("id", "=", orderId)
      .executeTakeFirstOrThrow();
    const payment = await tx
      .selectFrom("payments")
      .select("state")
      .where("order_id", "=", orderId)
      .executeTakeFirst();
    const level = await tx
      .selectFrom("stock_levels")
      .select(["reserved", "available"])
      .executeTakeFirstOrThrow();
    return { state: order.state, version: order.version, payment: payment?.state, ...level };
  });

test("an order that was not paid in time expires: its goods are free, its payment is closed, its buyer will hear", async () => {
  const orderId = await placed(orders, shop);
  expect(await state(orderId)).toMatchObject({ reserved: 2, available: 3 });
  const event = cameDue(orderId);
  await orders.handle(expireOrder, event);
  expect(await state(orderId)).toEqual({
    state: "expired",
    version: 2,
    payment: "expired",
    reserved: 0,
    available: 5,
  });
  expect((await orders.events("order.expired")).map((told) => orderExpired.parse(told))).toMatchObject([
    { causationId: event.id, aggregate: { id: orderId, seq: 2 }, data: { orderId, reason: "deadline" } },
  ]);
});

test("delivered again and at once, it expires once", async () => {
  const orderId = await placed(orders, shop);
  await Promise.all([
    orders.handle(expireOrder, cameDue(orderId)),
    orders.handle(expireOrder, cameDue(orderId)),
  ]);
  await orders.handle(expireOrder, cameDue(orderId));
  expect(await state(orderId)).toMatchObject({ version: 2, reserved: 0 });
  expect(await orders.events("order.expired")).toHaveLength(1);
});

test("before its deadline and grace have passed, and for due rows of another kind, nothing happens", async () => {
  const orderId = await placed(orders, shop);
  await orders.handle(expireOrder, cameDue(orderId, "2026-11-27T15:29:58.000Z"));
  await orders.handle(expireOrder, cameDue(orderId, AFTER_GRACE, "mall.poll"));
  expect(await state(orderId)).toMatchObject({ state: "awaiting_payment", reserved: 2 });
});

test("a part of the money is not enough: the order expires and the part is owed", async () => {
  const orderId = await placed(orders, shop, 400);
  await orders.handle(expireOrder, cameDue(orderId));
  expect(
    (await orders.events("payment.refund_due")).map((due) => paymentRefundDue.parse(due).data),
  ).toMatchObject([{ orderId, amountYen: 400, automatic: false }]);
});

test("an order that somebody cancels before it is paid is cancelled at once", async () => {
  const orderId = await placed(orders, shop);
  await orders.handle(cancelOrder, cancel(orderId));
  expect(await state(orderId)).toMatchObject({ state: "cancelled", payment: "cancelled", reserved: 0 });
  expect((await orders.events("order.cancelled")).map((told) => orderCancelled.parse(told).data)).toEqual([
    { orderId, reason: "気が変わった" },
  ]);
  await orders.handle(expireOrder, cameDue(orderId));
  expect(await orders.events("order.expired")).toEqual([]);
});

test("an order with our money in it waits for the money to be back", async () => {
  const orderId = await placed(orders, shop, 1_000);
  await orders.handle(cancelOrder, cancel(orderId));
  expect(await state(orderId)).toMatchObject({ state: "cancelling", payment: "captured", reserved: 0 });
  expect(await orders.events("order.cancelled")).toEqual([]);
  expect(await orders.events("payment.refund_due")).toHaveLength(1);
});

test("a mall's paid order is cancelled without money of ours", async () => {
  const orderId = await importedOrder(orders, shop);
  await orders.handle(cancelOrder, cancel(orderId, "mall"));
  expect(await state(orderId)).toMatchObject({ state: "cancelled" });
  expect(await orders.events("payment.refund_due")).toEqual([]);
});

test("an order that is not there is parked", async () => {
  await expect(orders.handle(expireOrder, cameDue(newId()))).rejects.toThrow(Unprocessable);
  await expect(orders.handle(cancelOrder, cancel(newId()))).rejects.toThrow(Unprocessable);
});
