import { type Database, inCompany, writeStock } from "@noren/database";
import { type Shop, openShop, recordBuyback, recordRefund, recordSale } from "@noren/database/fixture";
import { seed } from "@noren/database/seed";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { auditMismatchFound, newId, productStockChanged } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ensureConsistency } from "./ensure-consistency.ts";

let testing: TestDatabase;
let job: Database;
let everything: Database;
let shop: Shop;

beforeAll(async () => {
  testing = await testDatabase();
  job = testing.connect("job_ensure_consistency", { max: 2 });
  everything = testing.connect("postgres");
});
afterAll(() => testing.drop());
beforeEach(async () => {
  shop = await openShop(testing);
  await everything.pool.query("delete from outbox");
});

const clean = {
  "stock.on_hand": 0,
  "stock.reserved": 0,
  "reservation.dead_owner": 0,
  "sale.unposted": 0,
  "refund.unposted": 0,
  "buyback.unposted": 0,
  "order.reserved": 0,
  "sale.cash": 0,
  "refund.cash": 0,
  "buyback.cash": 0,
  "register.expected": 0,
};

async function emitted<T>(definition: { type: string; parse(envelope: unknown): T }): Promise<T[]> {
  const text = "select payload from outbox where type = $1 order by id";
  const { rows } = await everything.pool.query<{ payload: string }>(text, [definition.type]);
  return rows.map(({ payload }) => definition.parse(JSON.parse(payload)));
}

const level = async () => {
  const text = "select on_hand, reserved, seq::int from stock_levels where product_id = $1";
  return (await everything.pool.query(text, [shop.productId])).rows[0] as object;
};

const reserve = (owner: { type: "sale" | "order"; id: string }, qty: number) =>
  inCompany(testing.owner, shop.companyId, (tx) =>
    writeStock(tx, shop.companyId, {
      cause: owner,
      reserve: { owner, lines: [{ productId: shop.productId, lineNo: 1, qty }], ifAvailable: false },
    }),
  );

test("the demo shop and a fresh one are consistent", async () => {
  await seed(testing.owner);
  const report = await ensureConsistency(job);
  expect(report).toMatchObject({ found: clean, repaired: 0, outbox: { waiting: 0, late: false } });
  expect(report.companies).toBeGreaterThanOrEqual(3);
});

test("a level that is not its ledger's sum is set right, announced and told", async () => {
  await everything.pool.query("update stock_levels set on_hand = 7 where product_id = $1", [shop.productId]);
  const before = (await level()) as { seq: number };
  expect(await ensureConsistency(job)).toMatchObject({
    found: { ...clean, "stock.on_hand": 1 },
    repaired: 1,
  });
  expect(await level()).toEqual({ on_hand: 10, reserved: 0, seq: before.seq + 1 });
  expect((await emitted(auditMismatchFound)).map(({ data }) => data)).toEqual([
    { check: "stock.on_hand", subjectId: shop.productId, expected: 10, actual: 7, repaired: true },
  ]);
  expect(await emitted(productStockChanged)).toMatchObject([{ data: { onHand: 10, available: 10 } }]);
  expect(await ensureConsistency(job)).toMatchObject({ found: clean });
});

test("what is reserved and held by nobody is set right", async () => {
  await everything.pool.query("update stock_levels set reserved = 4 where product_id = $1", [shop.productId]);
  expect(await ensureConsistency(job)).toMatchObject({
    found: { ...clean, "stock.reserved": 1 },
    repaired: 1,
  });
  expect(await level()).toMatchObject({ reserved: 0 });
});

test("a reservation whose order has expired is reported and left for a person", async () => {
  const orderId = newId();
  await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .insertInto("orders")
      .values({
        company_id: shop.companyId,
        id: orderId,
        no: orderId,
        channel: "ec",
        state: "expired",
        email: "a@example.com",
        method: "bank_transfer",
        total_yen: 0,
        deadline: new Date(),
        token_hash: orderId,
        placed_at: new Date(),
      })
      .execute(),
  );
  await reserve({ type: "order", id: orderId }, 2);
  await reserve({ type: "sale", id: newId() }, 1);
  const report = await ensureConsistency(job);
  expect(report).toMatchObject({ found: { ...clean, "reservation.dead_owner": 2 }, repaired: 0 });
  expect((await emitted(auditMismatchFound)).map(({ data }) => [data.actual, data.repaired])).toEqual(
    expect.arrayContaining([
      ["expired", false],
      ["missing", false],
    ]),
  );
  expect(await level()).toMatchObject({ reserved: 3 });
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    await tx.updateTable("reservations").set({ state: "released", ended_at: new Date() }).execute();
    await tx.updateTable("stock_levels").set({ reserved: 0 }).execute();
  });
});

test("cash that is not in the drawer's book, and a drawer closed with another sum, are told and left", async () => {
  const client = await everything.pool.connect();
  // The books refuse such rows: only somebody who went round the triggers could have made them.
  const forge = async (text: string, values: unknown[] = []) => {
    await client.query("set session_replication_role = replica");
    const { rows } = await client.query<{ id: string; sale: string; session: string }>(text, values);
    await client.query("set session_replication_role = origin");
    return rows[0];
  };
  try {
    const move = await forge(
      `update cash_moves set amount_yen = amount_yen + 100
       where id = (select id from cash_moves where kind = 'sale' limit 1)
       returning id, source_id as sale, session_id as session`,
    );
    expect(move).toBeDefined();
    await forge(
      `update register_sessions set closed_at = now(), closed_by = opened_by, counted = '{}', counted_yen = 0,
         expected_yen = float_yen where id = $1`,
      [move?.session],
    );
    const report = await ensureConsistency(job);
    expect(report).toMatchObject({
      found: { ...clean, "sale.cash": 1, "register.expected": 1 },
      repaired: 0,
    });
    expect((await emitted(auditMismatchFound)).map(({ data }) => [data.check, data.subjectId])).toEqual([
      ["sale.cash", move?.sale],
      ["register.expected", move?.session],
    ]);
    await forge("update cash_moves set amount_yen = amount_yen - 100 where id = $1", [move?.id]);
    await forge(
      `update register_sessions set closed_at = null, closed_by = null, counted = null, counted_yen = null,
         expected_yen = null where id = $1`,
      [move?.session],
    );
  } finally {
    client.release();
  }
});

test("a refund whose goods are not in the ledger after five minutes, or whose cash did not leave the drawer, is told", async () => {
  const { productId } = shop;
  const sale = await recordSale(testing, shop, { lines: [{ productId, qty: 3, unitPriceYen: 500 }] });
  const moved = (source: { sourceType: "sale" | "refund"; sourceId: string; qty: number }) =>
    inCompany(testing.owner, shop.companyId, (tx) =>
      writeStock(tx, shop.companyId, {
        cause: { type: source.sourceType, id: source.sourceId },
        ...(source.sourceType === "sale" ? { consume: { type: "sale" as const, id: source.sourceId } } : {}),
        moves: [{ ...source, productId, kind: source.sourceType, lineNo: 1, occurredAt: new Date() }],
      }),
    );
  await moved({ sourceType: "sale", sourceId: sale.saleId, qty: -3 });
  const kept = [{ lineNo: 1, qty: 1, restock: false }];
  await recordRefund(testing, shop, sale, kept);
  const young = await recordRefund(testing, shop, sale, [{ lineNo: 1, qty: 1, restock: true }], {
    at: new Date(Date.now() + 3_600_000),
  });
  expect(await ensureConsistency(job)).toMatchObject({ found: clean });
  const old = await recordRefund(testing, shop, sale, [{ lineNo: 1, qty: 1, restock: true }], {
    at: new Date(Date.now() - 360_000),
  });
  expect(await ensureConsistency(job)).toMatchObject({ found: { ...clean, "refund.unposted": 1 } });
  await moved({ sourceType: "refund", sourceId: old.refundId, qty: 1 });
  await moved({ sourceType: "refund", sourceId: young.refundId, qty: 1 });
  expect(await ensureConsistency(job)).toMatchObject({ found: clean });

  // The books refuse such a change: only somebody who went round the trigger could have made it.
  const client = await everything.pool.connect();
  const wrong = async (yen: number) => {
    await client.query("set session_replication_role = replica");
    const text = "update cash_moves set amount_yen = amount_yen + $1 where source_id = $2";
    await client.query(text, [yen, old.refundId]);
    await client.query("set session_replication_role = origin");
  };
  try {
    await wrong(100);
    expect(await ensureConsistency(job)).toMatchObject({ found: { ...clean, "refund.cash": 1 } });
    await wrong(-100);
  } finally {
    client.release();
  }
});

test("bought goods that are not in the ledger after five minutes, or whose cash did not leave the drawer, are told", async () => {
  const minutesAgo = (minutes: number) => ({ at: new Date(Date.now() - minutes * 60_000) });
  const old = await recordBuyback(testing, shop, [{ qty: 2, unitPriceYen: 300 }], minutesAgo(6));
  const young = await recordBuyback(testing, shop, [{ qty: 1, unitPriceYen: 300 }], minutesAgo(1));
  expect(await ensureConsistency(job)).toMatchObject({ found: { ...clean, "buyback.unposted": 1 } });
  expect((await emitted(auditMismatchFound)).map(({ data }) => data)).toEqual([
    { check: "buyback.unposted", subjectId: old.buybackId, expected: 2, actual: 0, repaired: false },
  ]);
  const posted = { kind: "buyback", sourceType: "buyback", lineNo: 1, occurredAt: new Date() } as const;
  for (const [{ buybackId }, qty] of [[old, 2] as const, [young, 1] as const])
    await inCompany(testing.owner, shop.companyId, (tx) =>
      writeStock(tx, shop.companyId, {
        cause: { type: "buyback", id: buybackId },
        moves: [{ ...posted, productId: shop.productId, sourceId: buybackId, qty }],
      }),
    );
  expect(await ensureConsistency(job)).toMatchObject({ found: clean });

  // The books refuse such a change: only somebody who went round the trigger could have made it.
  const client = await everything.pool.connect();
  const wrong = async (yen: number) => {
    await client.query("set session_replication_role = replica");
    const text = "update cash_moves set amount_yen = amount_yen + $1 where source_id = $2";
    await client.query(text, [yen, old.buybackId]);
    await client.query("set session_replication_role = origin");
  };
  try {
    await wrong(100);
    expect(await ensureConsistency(job)).toMatchObject({ found: { ...clean, "buyback.cash": 1 } });
    await wrong(-100);
  } finally {
    client.release();
  }
});

test("an event that has waited for five minutes, or is blocked, makes the outbox late", async () => {
  expect((await ensureConsistency(job)).outbox).toMatchObject({ late: false });
  await everything.pool.query("update stock_levels set on_hand = 7 where product_id = $1", [shop.productId]);
  expect((await ensureConsistency(job)).outbox).toMatchObject({ waiting: 2, blocked: 0, late: false });
  await everything.pool.query("update outbox set created_at = now() - interval '6 minutes'");
  expect((await ensureConsistency(job)).outbox).toMatchObject({ late: true });
  await everything.pool.query("update outbox set created_at = now(), blocked_at = now()");
  expect((await ensureConsistency(job)).outbox).toMatchObject({ blocked: 2, late: true });
});

test("a level is counted again under its lock, so a sale in between is not undone", async () => {
  await everything.pool.query("update stock_levels set on_hand = 7 where product_id = $1", [shop.productId]);
  const holder = await everything.pool.connect();
  await holder.query("begin");
  await holder.query("select from stock_levels where product_id = $1 for update", [shop.productId]);
  const running = ensureConsistency(job);
  await expect
    .poll(
      async () => {
        const text =
          "select 1 from pg_stat_activity where usename = 'job_ensure_consistency' and wait_event_type = 'Lock'";
        return (await everything.pool.query(text)).rowCount;
      },
      { timeout: 20_000 },
    )
    .toBe(1);
  // Somebody sets it right while the job waits.
  await holder.query("update stock_levels set on_hand = 10 where product_id = $1", [shop.productId]);
  await holder.query("commit");
  holder.release();
  expect(await running).toMatchObject({ found: { "stock.on_hand": 1 }, repaired: 0 });
});

test("what cannot be checked is an error, not a clean report", async () => {
  await everything.pool.query("revoke select on stock_moves from noren_app");
  try {
    await expect(ensureConsistency(job)).rejects.toThrow("permission denied");
  } finally {
    await everything.pool.query("grant select on stock_moves to noren_app");
  }
});
