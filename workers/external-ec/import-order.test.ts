import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Database, inCompany, tenantTransaction } from "@noren/database";
import { type Shop, openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { mallMailReceived, newId, orderCancelRequested, orderImported, unknownCompany } from "@noren/events";
import { logger } from "@noren/service";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { RetryAfter, Unprocessable } from "worker";
import { importOrder } from "./import-order.ts";
import { mall } from "./mall.ts";

let testing: TestDatabase;
let worker: Database;
let everything: Database;
let shop: Shop;
let mallAccountId: string;

/** The mall: a real HTTP server that tells these orders, or fails with this status. */
const orders = new Map<string, object>();
let failWith: number | undefined;
let asked = 0;
const server = createServer((request, response) => {
  asked += 1;
  const order = orders.get(request.url?.split("/").at(-1) ?? "");
  response
    .writeHead(failWith ?? (order ? 200 : 404), { "retry-after": "3" })
    .end(JSON.stringify(order ?? {}));
});
let handler: ReturnType<typeof importOrder>;

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_external_ec");
  everything = testing.connect("postgres");
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  handler = importOrder(
    mall({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: "key" }),
  );
});
afterAll(async () => {
  await new Promise((closed) => server.close(closed).closeAllConnections());
  await testing.drop();
});
beforeEach(async () => {
  await everything.pool.query("delete from mall_orders; update mall_accounts set mail_key = id::text");
  orders.clear();
  failWith = undefined;
  asked = 0;
  shop = await openShop(testing);
  mallAccountId = newId();
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    const account = { company_id: shop.companyId, id: mallAccountId, code: "mall-a", name: "モールA" };
    await tx
      .insertInto("mall_accounts")
      .values({ ...account, mail_key: "orders", secret_name: "MALL_API_KEY" })
      .execute();
  });
  await everything.pool.query("delete from outbox");
});

const order = (changed: object = {}) => ({
  no: "MA-1",
  status: "placed",
  placedAt: "2026-11-24T10:15:30+09:00",
  buyer: { name: "山田花子", email: "buyer-1@mall-a.example" },
  shipTo: { prefecture: "大阪府" },
  lines: [{ itemCode: "200000000000", condition: "A", qty: 2, unitYen: 600 }],
  paid: true,
  totalYen: 1_750,
  ...changed,
});

const mail = (kind: "order" | "cancel" | "question" = "order", accountHint = "orders") =>
  mallMailReceived.create({
    companyId: unknownCompany,
    aggregateId: "MA-1",
    data: { kind, accountHint, mallOrderNo: "MA-1", messageId: `<${newId()}@mall-a.example>` },
  });

/** As the engine does it: a transaction that knows no company, because the event knows none. */
async function handle(event: ReturnType<typeof mail>): Promise<void> {
  const client = await worker.pool.connect();
  try {
    await client.query("begin");
    const tx = await tenantTransaction(client, event);
    await handler.prepare(event)({ tx, log: logger("test"), signal: AbortSignal.timeout(5_000), attempt: 1 });
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

const imported = () =>
  inCompany(testing.owner, shop.companyId, async (tx) => ({
    orders: await tx.selectFrom("orders").selectAll().execute(),
    lines: await tx.selectFrom("order_lines").selectAll().execute(),
    taxes: await tx.selectFrom("order_taxes").select(["rate_pct", "gross_yen", "tax_yen"]).execute(),
  }));

async function emitted() {
  const { rows } = await everything.pool.query<{ payload: string }>("select payload from outbox order by id");
  return rows.map(({ payload }) => JSON.parse(payload) as { type: string });
}

test("an order mail imports the order of the account it was sent to, at the mall's prices", async () => {
  orders.set("MA-1", order());
  const event = mail();
  await handle(event);
  const { orders: stored, lines, taxes } = await imported();
  expect(stored).toMatchObject([
    {
      no: "MA-1",
      channel: "mall",
      state: "paid",
      mall_account_id: mallAccountId,
      shipping_yen: 550,
      total_yen: 1_750,
      ship_to: { name: "山田花子", prefecture: "大阪府" },
    },
  ]);
  expect(lines).toMatchObject([
    { item_id: shop.itemId, condition: "A", name: "本", qty: 2, unit_price_yen: 600 },
  ]);
  expect(taxes).toEqual([{ rate_pct: 10, gross_yen: 1_750, tax_yen: 159 }]);
  expect((await emitted()).map((told) => orderImported.parse(told))).toMatchObject([
    {
      companyId: shop.companyId,
      causationId: event.id,
      aggregate: { type: "order", id: stored[0]?.id },
      data: { mallOrderNo: "MA-1", paid: true, lines: [{ itemId: shop.itemId, qty: 2, unitPriceYen: 600 }] },
    },
  ]);
});

test("a second mail about the same order imports nothing and does not ask the mall", async () => {
  orders.set("MA-1", order());
  await handle(mail());
  await handle(mail());
  expect((await imported()).orders).toHaveLength(1);
  expect(await emitted()).toHaveLength(1);
  expect(asked).toBe(1);
});

test("two mails at once import one order, whoever is first", async () => {
  orders.set("MA-1", order());
  const results = await Promise.allSettled([handle(mail()), handle(mail())]);
  expect(results.some(({ status }) => status === "fulfilled")).toBe(true);
  await handle(mail());
  expect((await imported()).orders).toHaveLength(1);
  expect(await emitted()).toHaveLength(1);
});

test("what we do not sell is a line without an item, so that the order can be short and not lost", async () => {
  const strange = { itemCode: "NOBODY-KNOWS", condition: "A", qty: 1, unitYen: 550 };
  orders.set("MA-1", order({ lines: [...order().lines, strange] }));
  await handle(mail());
  expect((await imported()).lines[1]).toMatchObject({
    item_id: null,
    name: "NOBODY-KNOWS A",
    unit_price_yen: 550,
  });
});

test("a listing's own name finds its item", async () => {
  await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .insertInto("listings")
      .values({
        company_id: shop.companyId,
        id: newId(),
        mall_account_id: mallAccountId,
        item_id: shop.itemId,
        condition: "A",
        mall_sku: "SKU-7",
        wanted_price_yen: 600,
      })
      .execute(),
  );
  orders.set("MA-1", order({ lines: [{ itemCode: "SKU-7", condition: "A", qty: 2, unitYen: 600 }] }));
  await handle(mail());
  expect((await imported()).lines[0]).toMatchObject({ item_id: shop.itemId });
});

test("a cancelled order that we have is asked to be cancelled, one that we never had is not imported", async () => {
  orders.set("MA-1", order({ status: "cancelled" }));
  await handle(mail("cancel"));
  await handle(mail("order"));
  expect((await imported()).orders).toEqual([]);

  orders.set("MA-1", order());
  await handle(mail("order"));
  orders.set("MA-1", order({ status: "cancelled" }));
  await handle(mail("cancel"));
  const [, cancel] = await emitted();
  expect(orderCancelRequested.parse(cancel).data).toMatchObject({ by: "mall" });
});

test("a mall that fails leaves nothing behind, and the next try imports", async () => {
  orders.set("MA-1", order());
  failWith = 500;
  await expect(handle(mail())).rejects.toThrow("500");
  failWith = 429;
  await expect(handle(mail())).rejects.toThrow(RetryAfter);
  expect((await imported()).orders).toEqual([]);
  failWith = undefined;
  await handle(mail());
  expect((await imported()).orders).toHaveLength(1);
});

test("mail for an account that nobody has, or an order that does not add up, is parked", async () => {
  orders.set("MA-1", order({ totalYen: 100 }));
  await expect(handle(mail())).rejects.toThrow(Unprocessable);
  await expect(handle(mail("order", "nobody"))).rejects.toThrow('No mall account has the mail key "nobody"');
});

test("a buyer's question is left to the mall's own page", async () => {
  await handle(mail("question"));
  expect(asked).toBe(0);
});
