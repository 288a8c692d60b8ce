import { type Database, type Tx, inCompany, writeStock } from "@noren/database";
import { type Shop, openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type Envelope, newId } from "@noren/events";
import { logger } from "@noren/service";
import type { Handler } from "worker";

export type Orders = Awaited<ReturnType<typeof openOrders>>;

/** For tests: a real database as this worker's own role, and a shop that ships online. */
export async function openOrders() {
  const testing: TestDatabase = await testDatabase();
  const worker: Database = testing.connect("worker_ec_order");
  const everything = testing.connect("postgres");
  return {
    testing,
    async openShop(stock: number[]): Promise<Shop> {
      const shop = await openShop(testing, { stock });
      await inCompany(testing.owner, shop.companyId, (tx) =>
        tx.updateTable("stores").set({ ships_online: true }).execute(),
      );
      await everything.pool.query("delete from outbox");
      return shop;
    },
    /** Handles an event as the engine does: in one transaction of its company. */
    handle: (handler: Handler<Tx>, event: Envelope) =>
      inCompany(worker, event.companyId, (tx) =>
        handler.prepare(event)({ tx, log: logger("test"), signal: new AbortController().signal, attempt: 1 }),
      ),
    read: <T>(shop: Shop, ask: (tx: Tx) => Promise<T>) => inCompany(testing.owner, shop.companyId, ask),
    async events(type: string): Promise<Envelope[]> {
      const { rows } = await everything.pool.query<{ payload: string }>(
        "select payload from outbox where type = $1 order by id",
        [type],
      );
      return rows.map(({ payload }) => JSON.parse(payload) as Envelope);
    },
    close: () => testing.drop(),
  };
}

const deadline = new Date("2026-11-27T14:59:59Z");

/** An order of the storefront as the API leaves it: two pieces reserved, its payment awaited. */
export async function placed({ testing }: Orders, shop: Shop, captured = 0): Promise<string> {
  const orderId = newId();
  const company = { company_id: shop.companyId };
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    await tx
      .insertInto("orders")
      .values({
        ...company,
        id: orderId,
        no: `EC-${orderId}`,
        channel: "ec",
        state: "awaiting_payment",
        email: "hanako@example.com",
        method: "bank_transfer",
        total_yen: 1_000,
        deadline,
        token_hash: orderId,
        placed_at: new Date("2026-11-24T03:00:00Z"),
      })
      .execute();
    await lines(tx, shop, orderId, 2);
    await tx
      .insertInto("payments")
      .values({
        ...company,
        id: newId(),
        order_id: orderId,
        method: "bank_transfer",
        amount_yen: 1_000,
        captured_yen: captured,
        state: captured > 0 ? "captured" : "pending",
        provider: "bank",
        idempotency_key: `order/${orderId}`,
      })
      .execute();
    await writeStock(tx, shop.companyId, {
      cause: { type: "order", id: orderId },
      reserve: {
        owner: { type: "order", id: orderId },
        lines: [{ productId: shop.productId, lineNo: 1, qty: 2 }],
        ifAvailable: true,
      },
    });
  });
  return orderId;
}

/** A mall's order as worker-external-ec leaves it: stored, nothing reserved. An item of null is one that we do not sell. */
export async function importedOrder(
  { testing }: Orders,
  shop: Shop,
  options: { qty?: number; paid?: boolean; unknownItem?: boolean } = {},
): Promise<string> {
  const { qty = 2, paid = true, unknownItem = false } = options;
  const [orderId, mallAccountId] = [newId(), newId()];
  const company = { company_id: shop.companyId };
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    const code = `mall-${mallAccountId.slice(-8)}`;
    const account = {
      ...company,
      id: mallAccountId,
      code,
      name: "モールA",
      mail_key: mallAccountId,
      secret_name: "KEY",
    };
    await tx.insertInto("mall_accounts").values(account).execute();
    await tx
      .insertInto("orders")
      .values({
        ...company,
        id: orderId,
        no: `MA-${orderId}`,
        channel: "mall",
        state: paid ? "paid" : "awaiting_payment",
        method: "mall",
        total_yen: 500 * qty,
        mall_account_id: mallAccountId,
        mall_order_no: "MA-1",
        placed_at: new Date("2026-11-24T03:00:00Z"),
      })
      .execute();
    await lines(tx, shop, orderId, qty, unknownItem);
  });
  return orderId;
}

async function lines(tx: Tx, shop: Shop, orderId: string, qty: number, unknownItem = false): Promise<void> {
  const company = { company_id: shop.companyId };
  await tx
    .insertInto("order_lines")
    .values({
      ...company,
      order_id: orderId,
      line_no: 1,
      item_id: unknownItem ? null : shop.itemId,
      condition: unknownItem ? null : "A",
      name: "本",
      tax_class: "standard",
      rate_pct: 10,
      unit_price_yen: 500,
      qty,
    })
    .execute();
  await tx
    .insertInto("order_taxes")
    .values({
      ...company,
      order_id: orderId,
      rate_pct: 10,
      gross_yen: 500 * qty,
      tax_yen: Math.floor((500 * qty) / 11),
    })
    .execute();
}
