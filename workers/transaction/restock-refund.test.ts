import { type Database, inCompany } from "@noren/database";
import { type Shop, openShop, recordRefund, recordSale } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type Envelope, type EventOf, newId, saleCompleted, saleRefunded } from "@noren/events";
import { logger } from "@noren/service";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Unprocessable } from "worker";
import { handlers } from "./handlers.ts";

let testing: TestDatabase;
let worker: Database;
let shop: Shop;
let sale: Awaited<ReturnType<typeof recordSale>>;

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_transaction", { max: 4 });
});
afterAll(() => testing.drop());
beforeEach(async () => {
  shop = await openShop(testing, { stock: [10, 5] });
  // Three of the first product, two of the second, a free line: posted, so 7 and 3 are left.
  const [first, second] = shop.products;
  const lines = [
    { productId: first?.productId ?? "", qty: 3, unitPriceYen: 500 },
    { productId: second?.productId ?? "", qty: 2, unitPriceYen: 300 },
    { qty: 1, unitPriceYen: 100 },
  ];
  sale = await recordSale(testing, shop, { lines });
  await handle(
    saleCompleted.create({
      companyId: shop.companyId,
      storeId: shop.storeId,
      aggregateId: sale.saleId,
      data: {
        saleId: sale.saleId,
        storeId: shop.storeId,
        sessionId: sale.sessionId,
        receiptNo: "honten-1-000001",
        businessDate: "2026-11-24",
        lines: lines.map(({ unitPriceYen, ...line }) => ({ ...line, amountYen: unitPriceYen, ratePct: 10 })),
        taxes: [],
        payments: [],
        totalYen: sale.totalYen,
      },
    }),
  );
});

async function handle(event: Envelope): Promise<void> {
  const handler = handlers.find(({ type }) => type === event.type);
  if (!handler) throw new Error(`${event.type} has no handler.`);
  const context = { log: logger("test"), signal: new AbortController().signal, attempt: 1 };
  await inCompany(worker, event.companyId, (tx) => handler.prepare(event)({ ...context, tx }));
}

async function refunded(
  ...asked: [lineNo: number, qty: number, restock: boolean][]
): Promise<EventOf<typeof saleRefunded>> {
  const lines = asked.map(([lineNo, qty, restock]) => ({ lineNo, qty, restock }));
  const { refundId, ...refund } = await recordRefund(testing, shop, sale, lines);
  return saleRefunded.create({
    companyId: shop.companyId,
    storeId: shop.storeId,
    aggregateId: sale.saleId,
    data: {
      saleId: sale.saleId,
      refundId,
      lines: refund.lines,
      taxes: refund.taxes,
      totalYen: refund.totalYen,
    },
  });
}

const levels = () =>
  inCompany(testing.owner, shop.companyId, async (tx) => {
    const rows = await tx.selectFrom("stock_levels").selectAll().execute();
    return shop.products.map(({ productId }) => {
      const level = rows.find((row) => row.product_id === productId);
      return [level?.on_hand, level?.reserved];
    });
  });

const moves = (refundId: string) =>
  inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("stock_moves")
      .select(["product_id", "qty", "kind", "source_type", "line_no", "occurred_at"])
      .where("source_id", "=", refundId)
      .orderBy("line_no")
      .execute(),
  );

test("what can be sold again is back in the books under the refund's name; broken and free pieces move nothing", async () => {
  const event = await refunded([1, 2, true], [2, 1, false], [3, 1, true]);
  expect(await levels()).toEqual([
    [7, 0],
    [3, 0],
  ]);
  await handle(event);
  expect(await levels()).toEqual([
    [9, 0],
    [3, 0],
  ]);
  expect(await moves(event.data.refundId)).toEqual([
    {
      product_id: shop.productId,
      qty: 2,
      kind: "refund",
      source_type: "refund",
      line_no: 1,
      occurred_at: new Date("2026-11-25T03:00:00Z"),
    },
  ]);
});

test("five deliveries, two of them at once, restock once; a second refund of the same line restocks its own", async () => {
  const first = await refunded([1, 1, true]);
  const second = await refunded([1, 2, true]);
  await Promise.all([handle(first), handle(first)]);
  await handle(second);
  for (let again = 0; again < 3; again += 1) await handle(first);
  expect(await levels()).toEqual([
    [10, 0],
    [3, 0],
  ]);
});

test("a refund of which nothing goes back on sale changes no stock", async () => {
  const event = await refunded([1, 3, false]);
  await handle(event);
  expect(await levels()).toEqual([
    [7, 0],
    [3, 0],
  ]);
  expect(await moves(event.data.refundId)).toEqual([]);
});

test("a refund that is not there, or is another sale's, is parked, not tried again", async () => {
  const event = await refunded([1, 1, true]);
  for (const wrong of [{ refundId: newId() }, { saleId: newId() }])
    await expect(handle({ ...event, data: { ...event.data, ...wrong } })).rejects.toThrow(Unprocessable);
  expect(await levels()).toEqual([
    [7, 0],
    [3, 0],
  ]);
});
