import { randomUUID } from "node:crypto";
import { type ServiceClaims, apiClient, signServiceToken } from "@noren/api-contract";
import { type Database, hashEnrolmentCode, hashPin, hashToken, inCompany } from "@noren/database";
import { type Shop, openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type Envelope, newId } from "@noren/events";
import { logger } from "@noren/service";
import { app } from "./app.ts";

export const tokenKey = "the key of the tests, longer than 32 bytes";
export const enrolmentCode = "HONT-1234";
export const deviceToken = "a device token of the tests";
export const pin = "2468";

export type Api = Awaited<ReturnType<typeof openApi>>;

/** The app on a real database as its own role, one smallest shop, and clients that call it as till and storefront. */
export async function openApi(options: { stock?: number[] } = {}) {
  const testing: TestDatabase = await testDatabase();
  const shop = await openShop(testing, options);
  const pin_hash = await hashPin(pin);
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    await tx.updateTable("staff").set({ pin_hash }).where("id", "=", shop.staffId).execute();
    await tx
      .updateTable("registers")
      .set({ device_hash: hashToken(deviceToken), enrolment_hash: hashEnrolmentCode(enrolmentCode) })
      .where("id", "=", shop.registerId)
      .execute();
    await tx.updateTable("stores").set({ ships_online: true }).where("id", "=", shop.storeId).execute();
    await tx.updateTable("items").set({ search_text: "本" }).execute();
  });
  const database: Database = testing.connect("backend_api", { max: 16 });
  const everything = testing.connect("postgres");
  const clock = { now: new Date() };
  let woken = 0;
  const api = app({
    database,
    log: logger("test"),
    tokenKey,
    now: () => clock.now,
    wake: () => (woken += 1),
  });
  const fetch = (request: Request) => api.fetch(request);
  const as = (claims: ServiceClaims) =>
    apiClient({ baseUrl: "http://backend-api:8010", fetch, token: () => signServiceToken(tokenKey, claims) });
  const { companyId, storeId, registerId, staffId } = shop;

  return {
    testing,
    shop,
    api,
    /** The clock of the app. */
    clock,
    woken: () => woken,
    as,
    till: as({ app: "pos", companyId, storeId, registerId, staffId }),
    storefront: as({ app: "ec", companyId }),
    /** Rows as the owner of everything sees them, whatever the policies say. */
    async rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
      return (await everything.pool.query<Row>(text, values)).rows;
    },
    /** The events that were written and not yet relayed, oldest first. */
    async events(type?: string): Promise<Envelope[]> {
      const { rows } = await everything.pool.query<{ payload: string }>(
        "select payload from outbox order by id",
      );
      const all = rows.map(({ payload }) => JSON.parse(payload) as Envelope);
      return type === undefined ? all : all.filter((event) => event.type === type);
    },
    async level(productId: string = shop.productId) {
      const { rows } = await everything.pool.query<{ on_hand: number; reserved: number; available: number }>(
        "select on_hand, reserved, available from stock_levels where product_id = $1",
        [productId],
      );
      return rows[0];
    },
    close: () => testing.drop(),
  };
}

/** A sale of some products for cash, as the till sends it. */
export const saleOf = (
  shop: Shop,
  options: { qty?: number; tenderedYen?: number; saleId?: string; email?: string } = {},
) => ({
  saleId: options.saleId ?? newId(),
  lines: [{ productId: shop.productId, qty: options.qty ?? 1 }],
  payments: [{ method: "cash" as const, tenderedYen: options.tenderedYen ?? 1_000 }],
  ...(options.email ? { email: options.email } : {}),
});

export const key = () => ({ idempotencyKey: randomUUID() });
