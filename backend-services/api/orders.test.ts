import { inCompany } from "@noren/database";
import { openShop } from "@noren/database/fixture";
import { newId, orderPlaced } from "@noren/events";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Api, openApi } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi({ stock: [5, 1, 0] });
  await api.rows("update companies set shipping_yen = 550");
});
afterAll(() => api.close());
afterEach(async () => {
  // What an order holds is given back, so that each test starts with the same stock.
  await api.rows("update reservations set state = 'released', ended_at = now() where state = 'held'");
  await api.rows("update stock_levels set reserved = 0");
});

const shipTo = {
  name: "山田花子",
  postalCode: "530-0001",
  prefecture: "大阪府",
  city: "大阪市北区",
  line1: "梅田1-1",
  phone: "06-1234-5678",
};
const line = (qty: number, index = 0) => ({
  itemId: api.shop.products[index]?.itemId ?? "",
  condition: "A",
  qty,
});
const orderOf = (lines = [line(1)]) => ({
  orderId: newId(),
  lines,
  shipTo,
  email: "Hanako@example.com",
  method: "bank_transfer" as const,
});
const held = (orderId: string) =>
  api.rows<{ qty: number }>("select qty from reservations where owner_id = $1 and state = 'held'", [orderId]);

test("an order reserves its goods, awaits its payment, plans its end and is told, all at once", async () => {
  api.clock.now = new Date("2026-11-24T03:00:00Z");
  const body = orderOf([line(2)]);
  const placed = await api.storefront.placeOrder({ body });
  expect(placed).toMatchObject({ totalYen: 1_550, deadline: "2026-11-27T14:59:59.000Z" });
  expect(placed.no).toMatch(/^EC(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);

  expect(await api.level()).toMatchObject({ on_hand: 5, reserved: 2 });
  expect(await held(body.orderId)).toEqual([{ qty: 2 }]);
  expect(
    await api.rows("select state, amount_yen::int from payments where order_id = $1", [body.orderId]),
  ).toEqual([{ state: "pending", amount_yen: 1_550 }]);
  expect(await api.rows("select kind, due_at from schedules where subject_id = $1", [body.orderId])).toEqual([
    { kind: "order.deadline", due_at: new Date("2026-11-27T15:29:59.000Z") },
  ]);
  const [event] = (await api.events("order.placed")).map((event) => orderPlaced.parse(event));
  expect(event).toMatchObject({
    aggregate: { type: "order", id: body.orderId, seq: 1 },
    data: {
      no: placed.no,
      totalYen: 1_550,
      shippingYen: 550,
      taxes: [{ ratePct: 10, grossYen: 1_550, taxYen: 140 }],
    },
  });
});

test("the same order sent again is the same number and token, once, also long afterwards", async () => {
  const body = orderOf();
  const first = await api.storefront.placeOrder({ body });
  expect(await api.storefront.placeOrder({ body })).toEqual(first);
  await api.rows("delete from api_requests");
  expect(await api.storefront.placeOrder({ body })).toEqual(first);
  expect(await held(body.orderId)).toHaveLength(1);
});

test("neither table nor stored answer holds the token that opens the order's page", async () => {
  const { token } = await api.storefront.placeOrder({ body: orderOf() });
  for (const table of ["orders", "api_requests"])
    expect(await api.rows(`select 1 from ${table} t where t::text like '%' || $1 || '%'`, [token])).toEqual(
      [],
    );
});

test("twenty buyers of the last unit: one gets it, the others are told which article is gone", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => api.storefront.placeOrder({ body: orderOf([line(1, 1)]) })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refusals = results.filter((result) => result.status === "rejected");
  expect(new Set(refusals.map(({ reason }) => (reason as { code: string }).code))).toEqual(
    new Set(["out_of_stock"]),
  );
  expect(await api.level(api.shop.products[1]?.productId)).toMatchObject({ on_hand: 1, reserved: 1 });
});

test("all lines are reserved or none, and two lines of one article are added up", async () => {
  await expect(api.storefront.placeOrder({ body: orderOf([line(1), line(1, 2)]) })).rejects.toMatchObject({
    code: "out_of_stock",
  });
  const twice = orderOf([line(3), line(3)]);
  await expect(api.storefront.placeOrder({ body: twice })).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining("「本」"),
  });
  expect(await api.rows("select 1 from orders where id = $1", [twice.orderId])).toEqual([]);
  expect(await api.level()).toMatchObject({ reserved: 0 });
});

test("the safety stock is kept for the counter", async () => {
  await api.rows("update products set safety_qty = 4 where id = $1", [api.shop.productId]);
  await expect(api.storefront.placeOrder({ body: orderOf([line(2)]) })).rejects.toMatchObject({
    status: 409,
  });
  await api.storefront.placeOrder({ body: orderOf([line(1)]) });
  await api.rows("update products set safety_qty = 0");
});

test("what no store has alone is shipped from two", async () => {
  const { companyId, itemId } = api.shop;
  const [storeId, productId] = [newId(), newId()];
  await inCompany(api.testing.owner, companyId, async (tx) => {
    const store = { company_id: companyId, id: storeId, code: "souko", name: "倉庫", ships_online: true };
    await tx.insertInto("stores").values(store).execute();
    const product = {
      company_id: companyId,
      store_id: storeId,
      item_id: itemId,
      condition: "A",
      price_yen: 500,
    };
    await tx
      .insertInto("products")
      .values({ ...product, id: productId })
      .execute();
    await tx.updateTable("stock_levels").set({ on_hand: 2 }).where("product_id", "=", productId).execute();
  });
  const body = orderOf([line(7)]);
  await api.storefront.placeOrder({ body });
  expect(new Set((await held(body.orderId)).map((row) => row.qty))).toEqual(new Set([2, 5]));
  await api.rows("update stores set ships_online = false where id = $1", [storeId]);
});

test("a quote is what the order will cost, and an order at another price than shown is refused", async () => {
  const quote = await api.storefront.quoteOrder({ body: { lines: [line(2)] } });
  expect(quote).toMatchObject({
    lines: [
      { name: "本", condition: { name: "美品" }, qty: 2, unitPriceYen: 500, amountYen: 1_000, available: 5 },
    ],
    shippingYen: 550,
    totalYen: 1_550,
    orderable: true,
  });
  expect((await api.storefront.quoteOrder({ body: { lines: [line(6)] } })).orderable).toBe(false);
  await expect(
    api.storefront.placeOrder({ body: { ...orderOf([line(2)]), shownTotalYen: 1_500 } }),
  ).rejects.toMatchObject({ status: 409, code: "price_changed" });
  const placed = await api.storefront.placeOrder({
    body: { ...orderOf([line(2)]), shownTotalYen: quote.totalYen },
  });
  expect(placed.totalYen).toBe(quote.totalYen);
});

test("an order's page opens with its token or its address, and with nothing else", async () => {
  const { no, token } = await api.storefront.placeOrder({ body: orderOf() });
  const seen = await api.storefront.readOrder({ params: { no }, query: { token } });
  expect(seen).toMatchObject({
    no,
    state: "awaiting_payment",
    lines: [{ name: "本", condition: "美品" }],
    shipTo,
  });
  expect(await api.storefront.readOrder({ params: { no }, query: { email: "hanako@example.com" } })).toEqual(
    seen,
  );

  const stranger = api.as({ app: "ec", companyId: (await openShop(api.testing)).companyId });
  const attempts = [
    () => api.storefront.readOrder({ params: { no }, query: {} }),
    () => api.storefront.readOrder({ params: { no }, query: { token: "", email: "" } }),
    () => api.storefront.readOrder({ params: { no }, query: { token: `${token}x` } }),
    () =>
      api.storefront.readOrder({ params: { no }, query: { token: "wrong", email: "hanako@example.com" } }),
    () => api.storefront.readOrder({ params: { no }, query: { email: "other@example.com" } }),
    () => api.storefront.readOrder({ params: { no: "EC-0000-0000-0000" }, query: { token } }),
    () => stranger.readOrder({ params: { no }, query: { token } }),
  ];
  const messages = new Set<string>();
  for (const attempt of attempts) {
    const error = await attempt().catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 404, code: "not_found" });
    messages.add((error as Error).message);
  }
  expect(messages.size).toBe(1);
});
