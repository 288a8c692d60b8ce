import { definitionOf, newId, type Envelope } from "@noren/events";
import * as fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openShop, type Shop } from "./fixture.ts";
import { writeStock, type StockWrite } from "./stock.ts";
import { inCompany } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const write = (shop: Shop, change: StockWrite, user = "worker_transaction") =>
  inCompany(connected(user), shop.companyId, (tx) => writeStock(tx, shop.companyId, change));

const connections = new Map<string, ReturnType<TestDatabase["connect"]>>();
function connected(user: string) {
  const known = connections.get(user) ?? database.connect(user, { max: 16 });
  connections.set(user, known);
  return known;
}

async function level(shop: Shop, productId = shop.productId) {
  return inCompany(database.owner, shop.companyId, async (tx) => {
    const row = await tx
      .selectFrom("stock_levels")
      .select(["on_hand", "reserved", "available", "seq"])
      .where("product_id", "=", productId)
      .executeTakeFirstOrThrow();
    return row;
  });
}

/** What the outbox holds for a product, oldest first, read by the relay's role. */
async function outbox(productId: string): Promise<Envelope[]> {
  const { rows } = await connected("backend_outbox").pool.query<{
    payload: string;
    topic: string;
    tenant: string;
  }>("select payload, topic, tenant from outbox where group_id = $1 order by id", [productId]);
  return rows.map(({ payload, topic, tenant }) => {
    const envelope = JSON.parse(payload) as Envelope;
    const definition = definitionOf(envelope);
    expect(definition.parse(envelope)).toEqual(envelope);
    expect(topic).toBe(definition.topic);
    expect(tenant).toBe(envelope.storeId);
    return envelope;
  });
}

const sell = (shop: Shop, qty: number, saleId = newId()) => {
  const owner = { type: "sale", id: saleId } as const;
  const lines = [{ productId: shop.productId, lineNo: 1, qty }];
  return {
    owner,
    reserve: { cause: owner, reserve: { owner, lines, ifAvailable: false } } satisfies StockWrite,
    post: {
      cause: owner,
      consume: owner,
      moves: [
        {
          productId: shop.productId,
          qty: -qty,
          kind: "sale",
          sourceType: "sale",
          sourceId: saleId,
          lineNo: 1,
          occurredAt: new Date(),
        },
      ],
    } satisfies StockWrite,
  };
};

const order = (shop: Shop, qty: number[], orderId = newId()): StockWrite => ({
  cause: { type: "order", id: orderId },
  reserve: {
    owner: { type: "order", id: orderId },
    lines: qty.map((wanted, index) => ({
      productId: shop.products[index]?.productId as string,
      lineNo: index + 1,
      qty: wanted,
    })),
    ifAvailable: true,
  },
});

describe("a sale", () => {
  test("lowers what is available when it is reserved, and what is on hand when it is posted", async () => {
    const shop = await openShop(database);
    const { reserve, post } = sell(shop, 3);
    await write(shop, reserve, "backend_api");
    expect(await level(shop)).toEqual({ on_hand: 10, reserved: 3, available: 7, seq: 2 });
    await write(shop, post);
    expect(await level(shop)).toEqual({ on_hand: 7, reserved: 0, available: 7, seq: 3 });
  });

  test("posted twice is posted once", async () => {
    const shop = await openShop(database);
    const { reserve, post } = sell(shop, 3);
    await write(shop, reserve);
    await write(shop, reserve);
    await write(shop, post);
    await write(shop, post);
    expect(await level(shop)).toEqual({ on_hand: 7, reserved: 0, available: 7, seq: 3 });
  });

  test("tells the world only when available changes, with the level and its seq", async () => {
    const shop = await openShop(database);
    const { owner, reserve, post } = sell(shop, 3);
    await write(shop, reserve);
    await write(shop, post);
    const events = await outbox(shop.productId);
    expect(events.map(({ type, aggregate, data }) => ({ type, seq: aggregate.seq, data }))).toEqual([
      expect.objectContaining({ type: "product.stock_changed", seq: 1 }),
      {
        type: "product.stock_changed",
        seq: 2,
        data: { productId: shop.productId, onHand: 10, reserved: 3, available: 7, seq: 2, cause: owner },
      },
    ]);
  });

  test("of more than there is goes through, and says how many are missing", async () => {
    const shop = await openShop(database, { stock: [2] });
    const { owner, reserve } = sell(shop, 5);
    expect(await write(shop, reserve)).toMatchObject({ ok: true });
    expect(await level(shop)).toMatchObject({ available: -3 });
    expect((await outbox(shop.productId)).at(-1)).toMatchObject({
      type: "product.shortage_found",
      data: { productId: shop.productId, missingQty: 3, cause: owner },
    });
  });

  test("called off gives the stock back", async () => {
    const shop = await openShop(database);
    const { owner, reserve } = sell(shop, 4);
    await write(shop, reserve);
    await write(shop, { cause: owner, release: owner });
    await write(shop, { cause: owner, release: owner });
    expect(await level(shop)).toEqual({ on_hand: 10, reserved: 0, available: 10, seq: 3 });
  });
});

describe("an order", () => {
  test("reserves all of its lines or none", async () => {
    const shop = await openShop(database, { stock: [5, 1] });
    const refused = await write(shop, order(shop, [2, 3]), "backend_api");
    expect(refused).toEqual({
      ok: false,
      missing: [{ productId: shop.products[1]?.productId, missingQty: 2 }],
    });
    expect(await level(shop)).toMatchObject({ reserved: 0, seq: 1 });
    expect(await outbox(shop.productId)).toHaveLength(1);
    expect(await write(shop, order(shop, [2, 1]), "backend_api")).toMatchObject({ ok: true });
    expect(await level(shop)).toMatchObject({ reserved: 2, seq: 2 });
  });

  test("sums equal products before it looks", async () => {
    const shop = await openShop(database, { stock: [5] });
    const change = order(shop, [3]);
    change.reserve?.lines.push({ productId: shop.productId, lineNo: 2, qty: 3 });
    expect(await write(shop, change)).toMatchObject({ ok: false, missing: [{ missingQty: 1 }] });
  });

  test("leaves the safety stock to the counter", async () => {
    const shop = await openShop(database, { stock: [5] });
    await inCompany(database.owner, shop.companyId, (tx) =>
      tx.updateTable("products").set({ safety_qty: 2 }).execute(),
    );
    expect(await write(shop, order(shop, [4]))).toMatchObject({ ok: false, missing: [{ missingQty: 1 }] });
    expect(await write(shop, order(shop, [3]))).toMatchObject({ ok: true });
  });

  test("can move to another product in one step, counting what it gives back", async () => {
    const shop = await openShop(database, { stock: [3] });
    const id = newId();
    await write(shop, order(shop, [3], id));
    const again = { ...order(shop, [2], id), release: { type: "order", id } as const };
    expect(await write(shop, again)).toMatchObject({ ok: true });
    expect(await level(shop)).toMatchObject({ reserved: 2, available: 1 });
  });

  test("of 40 buyers for 10 units at once, exactly 10 get one", async () => {
    const shop = await openShop(database, { stock: [10] });
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => write(shop, order(shop, [1]), "backend_api")),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(10);
    expect(await level(shop)).toEqual({ on_hand: 10, reserved: 10, available: 0, seq: 11 });
    const seqs = (await outbox(shop.productId)).map(({ aggregate }) => aggregate.seq);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("with the same products in opposite order never deadlocks another", async () => {
    const shop = await openShop(database, { stock: [100, 100] });
    const changes = Array.from({ length: 30 }, (_, index) => {
      const change = order(shop, [1, 1]);
      if (index % 2 === 1) change.reserve?.lines.reverse();
      return write(shop, change, "backend_api");
    });
    expect((await Promise.all(changes)).every(({ ok }) => ok)).toBe(true);
    expect(await level(shop)).toMatchObject({ reserved: 30 });
  });
});

test("a product of another company is unknown", async () => {
  const [mine, other] = [await openShop(database), await openShop(database)];
  await expect(write(mine, sell(other, 1).reserve)).rejects.toThrow(
    `No such product in this company: ${other.productId}`,
  );
});

test("when the transaction fails, neither stock nor event remains", async () => {
  const shop = await openShop(database);
  const failing = inCompany(connected("worker_transaction"), shop.companyId, async (tx) => {
    await writeStock(tx, shop.companyId, sell(shop, 3).reserve);
    throw new Error("power cut");
  });
  await expect(failing).rejects.toThrow("power cut");
  expect(await level(shop)).toMatchObject({ reserved: 0, seq: 1 });
  expect(await outbox(shop.productId)).toHaveLength(1);
});

test("after any mix of sales, voids, orders and deliveries at once, levels are the sums of the books", async () => {
  const shop = await openShop(database, { stock: [6, 6] });
  const [first, second] = shop.products.map(({ productId }) => productId) as [string, string];
  const step = fc.record({
    kind: fc.constantFrom("sell", "post", "call off", "order", "cancel", "deliver"),
    // Few documents, so that steps meet on the same one.
    document: fc.integer({ min: 0, max: 3 }),
    productId: fc.constantFrom(first, second),
    qty: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const documents = Array.from({ length: 4 }, () => newId());
      const run = ({ kind, document, productId, qty }: (typeof steps)[number]): StockWrite => {
        const id = documents[document] as string;
        const sale = { type: "sale", id } as const;
        const order = { type: "order", id } as const;
        const lines = [{ productId, lineNo: 1, qty }];
        const move = { productId, sourceId: id, lineNo: 1, occurredAt: new Date() };
        switch (kind) {
          case "sell":
            return { cause: sale, reserve: { owner: sale, lines, ifAvailable: false } };
          case "post":
            return {
              cause: sale,
              consume: sale,
              moves: [{ ...move, qty: -qty, kind: "sale", sourceType: "sale" }],
            };
          case "call off":
            return { cause: sale, release: sale };
          case "order":
            return { cause: order, reserve: { owner: order, lines, ifAvailable: true } };
          case "cancel":
            return { cause: order, release: order };
          default:
            return { cause: sale, moves: [{ ...move, qty, kind: "receive", sourceType: "receiving" }] };
        }
      };
      // As the callers do: whoever writes for a document holds its lock.
      await Promise.all(
        steps.map((one) =>
          inCompany(connected("worker_transaction"), shop.companyId, async (tx) => {
            await sql`select pg_advisory_xact_lock(${one.document})`.execute(tx);
            return writeStock(tx, shop.companyId, run(one));
          }),
        ),
      );
      const wrong = await inCompany(database.owner, shop.companyId, (tx) =>
        sql`select product_id, on_hand, reserved from stock_levels l where
          on_hand <> (select coalesce(sum(qty), 0) from stock_moves m where m.product_id = l.product_id)
          or reserved <> (select coalesce(sum(qty), 0) from reservations r
            where r.product_id = l.product_id and r.state = 'held')`.execute(tx),
      );
      expect(wrong.rows).toEqual([]);
    }),
    { numRuns: 25 },
  );
  for (const productId of [first, second]) {
    const changed = (await outbox(productId)).filter(({ type }) => type === "product.stock_changed");
    const seqs = changed.map(({ aggregate }) => aggregate.seq as number);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    // What was last told is what there is.
    const told = changed.at(-1) as Envelope<string, { available: number }>;
    expect(told.data.available).toBe((await level(shop, productId)).available);
  }
});
