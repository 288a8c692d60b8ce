import { handOver } from "@noren/consumer/testing";
import { type Database, inCompany } from "@noren/database";
import { type Shop, openShop, recordBuyback } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type EventOf, buybackPaidOut, newId, productOpened } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Unprocessable } from "worker";
import { stockBuyback } from "./stock-buyback.ts";

let testing: TestDatabase;
let worker: Database;
let everything: Database;
let shop: Shop;

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_product");
  everything = testing.connect("postgres");
});
afterAll(() => testing.drop());
beforeEach(async () => {
  shop = await openShop(testing, { stock: [10] });
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    const company = { company_id: shop.companyId };
    for (const [rank, code] of ["B", "C"].entries()) {
      await tx
        .insertInto("conditions")
        .values({ ...company, code, name: code, rank: rank + 2 })
        .execute();
      await tx
        .insertInto("item_conditions")
        .values({ ...company, item_id: shop.itemId, condition: code })
        .execute();
    }
    await tx.updateTable("items").set({ list_price_yen: 1_980 }).execute();
  });
  await everything.pool.query("delete from outbox");
});

type Line = { condition: string; qty: number; unitYen: number };

/** A buy-back as the API leaves it: paid, and not yet on the shelf. */
async function paid(...lines: Line[]): Promise<EventOf<typeof buybackPaidOut>> {
  const { companyId, storeId, itemId } = shop;
  const recorded = await recordBuyback(
    testing,
    shop,
    lines.map(({ unitYen, ...line }) => ({ ...line, unitPriceYen: unitYen })),
  );
  return buybackPaidOut.create({
    companyId,
    storeId,
    aggregateId: recorded.buybackId,
    data: { ...recorded, lines: lines.map((line) => ({ ...line, itemId })), identityDuty: false },
  });
}

const handle = (event: EventOf<typeof buybackPaidOut>) => handOver(stockBuyback, worker, event);

const shelf = async () => {
  const { rows } = await everything.pool.query<{ id: string; condition: string; onHand: number }>(
    `select p.id, p.condition, p.price_yen::int as yen, p.online, l.on_hand as "onHand"
     from products p join stock_levels l on l.product_id = p.id
     where p.company_id = $1 and p.closed_at is null order by p.condition`,
    [shop.companyId],
  );
  return rows;
};

const moves = async () => {
  const { rows } = await everything.pool.query(
    `select p.condition, m.qty, m.unit_cost_yen::int as cost, m.line_no as line, m.source_type as source
     from stock_moves m join products p on p.id = m.product_id
     where m.company_id = $1 and m.kind = 'buyback' order by m.source_id, m.line_no`,
    [shop.companyId],
  );
  return rows;
};

const told = async () => {
  const { rows } = await everything.pool.query<{ type: string; payload: string }>(
    "select type, payload from outbox order by id",
  );
  return rows;
};

test("bought goods are in the ledger line by line at their cost, and on the shelf", async () => {
  const event = await paid({ condition: "A", qty: 2, unitYen: 300 }, { condition: "A", qty: 1, unitYen: 0 });
  await handle(event);
  expect(await shelf()).toMatchObject([{ id: shop.productId, condition: "A", yen: 500, onHand: 13 }]);
  expect(await moves()).toEqual([
    { condition: "A", qty: 2, cost: 300, line: 1, source: "buyback" },
    { condition: "A", qty: 1, cost: 0, line: 2, source: "buyback" },
  ]);
  expect((await told()).map(({ type }) => type)).toEqual(["product.stock_changed"]);
});

test("what the store never had becomes a product at its condition's price, and is told before its stock", async () => {
  const event = await paid({ condition: "B", qty: 2, unitYen: 300 });
  await handle(event);
  expect(await shelf()).toMatchObject([
    { condition: "A", onHand: 10 },
    { condition: "B", yen: 990, online: true, onHand: 2 },
  ]);
  const news = await told();
  expect(news.map(({ type }) => type)).toEqual(["product.opened", "product.stock_changed"]);
  expect(productOpened.parse(JSON.parse(String(news[0]?.payload)))).toMatchObject({
    causationId: event.id,
    storeId: shop.storeId,
    data: { itemId: shop.itemId, condition: "B", priceYen: 990 },
  });
});

test("without a list price it opens at no price, and not online", async () => {
  await everything.pool.query("update items set list_price_yen = null where company_id = $1", [
    shop.companyId,
  ]);
  await handle(await paid({ condition: "B", qty: 1, unitYen: 300 }));
  expect((await shelf())[1]).toMatchObject({ condition: "B", yen: 0, online: false, onHand: 1 });
});

test("a closed product is opened again at its own price", async () => {
  await everything.pool.query("update products set closed_at = now(), price_yen = 777 where id = $1", [
    shop.productId,
  ]);
  await handle(await paid({ condition: "A", qty: 1, unitYen: 300 }));
  expect(await shelf()).toMatchObject([{ id: shop.productId, yen: 777, onHand: 11 }]);
  expect((await told()).map(({ type }) => type)).toEqual(["product.opened", "product.stock_changed"]);
});

test("five deliveries, two of them at once, post it once, and a late one opens nothing that was closed since", async () => {
  const event = await paid({ condition: "B", qty: 2, unitYen: 300 });
  await Promise.all([handle(event), handle(event)]);
  for (let again = 0; again < 2; again += 1) await handle(event);
  expect(await moves()).toHaveLength(1);
  expect((await shelf())[1]).toMatchObject({ condition: "B", onHand: 2 });
  await everything.pool.query("update products set closed_at = now() where condition = 'B'");
  await everything.pool.query("delete from outbox");
  await handle(event);
  expect(await shelf()).toHaveLength(1);
  expect(await told()).toEqual([]);
});

test("twenty buy-backs of what the store never had, all at once and in any order, make one product each", async () => {
  const lines = ["B", "C"].map((condition) => ({ condition, qty: 1, unitYen: 100 }));
  const events: EventOf<typeof buybackPaidOut>[] = [];
  for (let n = 0; n < 20; n += 1) events.push(await paid(...(n % 2 === 0 ? lines : lines.toReversed())));
  await Promise.all(events.map((event) => handle(event)));
  expect(await shelf()).toMatchObject([
    { condition: "A", onHand: 10 },
    { condition: "B", onHand: 20 },
    { condition: "C", onHand: 20 },
  ]);
  expect(await moves()).toHaveLength(40);
  expect((await told()).filter(({ type }) => type === "product.opened")).toHaveLength(2);
});

test("whoever opens the same products at the same time is waited for, and found", async () => {
  const other = await everything.pool.connect();
  const open = (condition: string) =>
    other.query(
      "insert into products (company_id, id, store_id, item_id, condition, price_yen) values ($1, $2, $3, $4, $5, 900)",
      [shop.companyId, newId(), shop.storeId, shop.itemId, condition],
    );
  await other.query("begin");
  await open("B");
  const [first, second] = ["C", "B"].map((condition) => ({ condition, qty: 1, unitYen: 100 }));
  const handling = handle(await paid(first!, second!));
  const waiting =
    "select 1 from pg_stat_activity where usename = 'worker_product' and wait_event_type = 'Lock'";
  await expect.poll(async () => (await everything.pool.query(waiting)).rowCount).toBe(1);
  // Would wait for the handler, which waits for this one, had it begun with the other product.
  await open("C");
  await other.query("commit");
  other.release();
  await handling;
  expect(await shelf()).toMatchObject([
    { condition: "A", onHand: 10 },
    { condition: "B", yen: 900, onHand: 1 },
    { condition: "C", yen: 900, onHand: 1 },
  ]);
  expect((await told()).map(({ type }) => type)).toEqual(["product.stock_changed", "product.stock_changed"]);
});

test("a buy-back that is not there is parked, not tried again", async () => {
  const event = await paid({ condition: "A", qty: 1, unitYen: 300 });
  const unknown = { ...event, data: { ...event.data, buybackId: newId() } };
  await expect(handle(unknown)).rejects.toThrow(Unprocessable);
});
