import { handOver } from "@noren/consumer/testing";
import { type Database, inCompany } from "@noren/database";
import { type Shop, openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type EventOf, newId, productStockChanged, productStockReceived } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { receiveStock } from "./receive-stock.ts";

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
  await everything.pool.query("delete from outbox");
});

const received = (qty: number, receiptId: string = newId(), lineNo = 1) =>
  productStockReceived.create({
    companyId: shop.companyId,
    storeId: shop.storeId,
    aggregateId: shop.productId,
    data: { productId: shop.productId, receiptId, lineNo, qty, unitCostYen: 120, source: "問屋" },
  });

const handle = (event: EventOf<typeof productStockReceived>) => handOver(receiveStock, worker, event);

const stock = () =>
  inCompany(testing.owner, shop.companyId, async (tx) => {
    const level = await tx.selectFrom("stock_levels").selectAll().executeTakeFirstOrThrow();
    const moves = await tx
      .selectFrom("stock_moves")
      .select(["qty", "kind", "unit_cost_yen"])
      .where("kind", "=", "receive")
      .execute();
    return { onHand: level.on_hand, available: level.available, seq: level.seq, moves };
  });

test("goods received are in the ledger at their cost, and available", async () => {
  await handle(received(5));
  expect(await stock()).toMatchObject({
    onHand: 15,
    available: 15,
    moves: [{ qty: 5, kind: "receive", unit_cost_yen: 120 }],
  });
});

test("the new stock is told with the level's next number", async () => {
  const { seq } = await stock();
  const event = received(5);
  await handle(event);
  const { rows } = await everything.pool.query<{ payload: string }>("select payload from outbox");
  expect(rows.map(({ payload }) => productStockChanged.parse(JSON.parse(payload)))).toMatchObject([
    {
      causationId: event.id,
      aggregate: { id: shop.productId, seq: seq + 1 },
      data: { onHand: 15, seq: seq + 1 },
    },
  ]);
});

test("a line that is delivered again changes nothing, another line of the same receipt does", async () => {
  const receiptId = newId();
  await Promise.all([handle(received(5, receiptId)), handle(received(5, receiptId))]);
  await handle(received(5, receiptId));
  expect(await stock()).toMatchObject({ onHand: 15 });
  await handle(received(2, receiptId, 2));
  expect(await stock()).toMatchObject({ onHand: 17 });
});
