import { handOver } from "@noren/consumer/testing";
import { type Database, inCompany, writeStock } from "@noren/database";
import { type Shop, openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type EventOf, newId, saleCompleted } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Unprocessable } from "worker";
import { postSale } from "./post-sale.ts";

let testing: TestDatabase;
let worker: Database;
let shop: Shop;

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_transaction");
});
afterAll(() => testing.drop());
beforeEach(async () => {
  shop = await openShop(testing, { stock: [10, 3] });
});

/** A sale as the API leaves it: the document and what it holds. Two of the first product, one of the second, a free line. */
async function sold(): Promise<EventOf<typeof saleCompleted>> {
  const { companyId, storeId, registerId, staffId, products } = shop;
  const [saleId, sessionId] = [newId(), newId()];
  const company = { company_id: companyId };
  const soldAt = new Date("2026-11-24T03:00:00Z");
  const lines = [
    { productId: products[0]?.productId ?? "", qty: 2 },
    { productId: products[1]?.productId ?? "", qty: 1 },
  ];
  await inCompany(testing.owner, companyId, async (tx) => {
    const session = {
      ...company,
      id: sessionId,
      store_id: storeId,
      register_id: registerId,
      opened_by: staffId,
    };
    await tx
      .insertInto("register_sessions")
      .values({ ...session, business_date: "2026-11-24", float_yen: 0, opened_at: soldAt })
      .execute();
    await tx
      .insertInto("sales")
      .values({
        ...company,
        id: saleId,
        store_id: storeId,
        session_id: sessionId,
        register_id: registerId,
        register_seq: 1,
        receipt_no: "honten-1-000001",
        business_date: "2026-11-24",
        staff_id: staffId,
        total_yen: 0,
        completed_at: soldAt,
      })
      .execute();
    await writeStock(tx, companyId, {
      cause: { type: "sale", id: saleId },
      reserve: {
        owner: { type: "sale", id: saleId },
        lines: lines.map((line, index) => ({ ...line, lineNo: index + 1 })),
        ifAvailable: false,
      },
    });
  });
  return saleCompleted.create({
    companyId,
    storeId,
    aggregateId: saleId,
    data: {
      saleId,
      storeId,
      sessionId,
      receiptNo: "honten-1-000001",
      businessDate: "2026-11-24",
      lines: [...lines, { qty: 4 }].map((line) => ({ ...line, amountYen: 0, ratePct: 10 })),
      taxes: [],
      payments: [],
      totalYen: 0,
    },
  });
}

const handle = (event: EventOf<typeof saleCompleted>) => handOver(postSale, worker, event);

const levels = () =>
  inCompany(testing.owner, shop.companyId, async (tx) => {
    const rows = await tx.selectFrom("stock_levels").selectAll().execute();
    return shop.products.map(({ productId }) => {
      const level = rows.find((row) => row.product_id === productId);
      return [level?.on_hand, level?.reserved, level?.available];
    });
  });

const moves = (saleId: string) =>
  inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("stock_moves")
      .select(["product_id", "qty", "kind", "line_no", "occurred_at"])
      .where("source_id", "=", saleId)
      .orderBy("line_no")
      .execute(),
  );

test("a sale leaves the books: its reservation is consumed, its lines are moves, what is available stays", async () => {
  const event = await sold();
  expect(await levels()).toEqual([
    [10, 2, 8],
    [3, 1, 2],
  ]);
  await handle(event);
  expect(await levels()).toEqual([
    [8, 0, 8],
    [2, 0, 2],
  ]);
  const occurred_at = new Date("2026-11-24T03:00:00Z");
  expect(await moves(event.data.saleId)).toEqual([
    { product_id: shop.products[0]?.productId, qty: -2, kind: "sale", line_no: 1, occurred_at },
    { product_id: shop.products[1]?.productId, qty: -1, kind: "sale", line_no: 2, occurred_at },
  ]);
});

test("five deliveries, two of them at once, post it once", async () => {
  const event = await sold();
  await Promise.all([handle(event), handle(event)]);
  for (let again = 0; again < 3; again += 1) await handle(event);
  expect(await levels()).toEqual([
    [8, 0, 8],
    [2, 0, 2],
  ]);
  expect(await moves(event.data.saleId)).toHaveLength(2);
});

test("a sale that was voided before it was posted is left to its void", async () => {
  const event = await sold();
  await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .updateTable("sales")
      .set({ state: "voided", voided_at: new Date(), voided_by: shop.staffId, void_reason: "打ち間違い" })
      .where("id", "=", event.data.saleId)
      .execute(),
  );
  await handle(event);
  expect(await moves(event.data.saleId)).toEqual([]);
});

test("a sale that is not there is parked, not tried again", async () => {
  const event = await sold();
  const unknown = { ...event, data: { ...event.data, saleId: newId() } };
  await expect(handle(unknown)).rejects.toThrow(Unprocessable);
});
