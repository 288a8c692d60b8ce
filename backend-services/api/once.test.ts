import { randomUUID } from "node:crypto";
import { routes, signServiceToken } from "@noren/api-contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openShop } from "@noren/database/fixture";
import { type Api, openApi, saleOf, tokenKey } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi({ stock: [100] });
  await api.till.openRegister({ body: { floatYen: 0 }, idempotencyKey: randomUUID() });
});
afterAll(() => api.close());

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const token = await signServiceToken(tokenKey, { app: "pos", ...api.shop });
  const json = { "content-type": "application/json", authorization: `Bearer ${token}` };
  return api.api.request(path, {
    method: "POST",
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
}
const receiving = () => ({ lines: [{ productId: api.shop.productId, qty: 1, unitCostYen: 100 }] });

test("a write without a key is refused", async () => {
  const response = await post("/receivings", receiving());
  expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "key_missing" } }]);
});

test("the same key and body is the same answer and one effect", async () => {
  const idempotencyKey = randomUUID();
  const first = await api.till.receiveStock({ body: receiving(), idempotencyKey });
  expect(await api.till.receiveStock({ body: receiving(), idempotencyKey })).toEqual(first);
  expect(await api.rows("select 1 from receivings")).toHaveLength(1);
});

test("the same key for another body, another route or another store is refused", async () => {
  const idempotencyKey = randomUUID();
  await api.till.receiveStock({ body: receiving(), idempotencyKey });
  const refused = { status: 422, code: "key_reused" };
  const other = { ...receiving(), supplierName: "問屋" };
  await expect(api.till.receiveStock({ body: other, idempotencyKey })).rejects.toMatchObject(refused);
  const item = { code: "2000000099999", name: "本", conditions: ["A"] };
  await expect(api.till.registerItem({ body: item, idempotencyKey })).rejects.toMatchObject(refused);
  const neighbour = api.as({ app: "pos", ...api.shop, storeId: randomUUID() });
  await expect(neighbour.receiveStock({ body: receiving(), idempotencyKey })).rejects.toMatchObject(refused);
});

test("a key means nothing in another company", async () => {
  const stranger = await openShop(api.testing);
  const idempotencyKey = randomUUID();
  await api.till.receiveStock({ body: receiving(), idempotencyKey });
  const theirs = { lines: [{ productId: stranger.productId, qty: 1, unitCostYen: 100 }] };
  await api.as({ app: "pos", ...stranger }).receiveStock({ body: theirs, idempotencyKey });
  expect(await api.rows("select 1 from receivings where company_id = $1", [stranger.companyId])).toHaveLength(
    1,
  );
});

test("while the first is being handled, the same again is 409 and says when to come back", async () => {
  const sale = saleOf(api.shop);
  const holder = await api.testing.connect("postgres").pool.connect();
  // Whoever sells on this register waits for its row.
  await holder.query("begin; select from registers for update");
  const first = post(routes.completeSale.path, sale);
  await api.testing.owner.pool.query("select 1");
  await expect
    .poll(async () => {
      const second = await post(routes.completeSale.path, sale);
      return [second.status, second.headers.get("retry-after")];
    })
    .toEqual([409, "1"]);
  await holder.query("commit");
  holder.release();
  expect((await first).status).toBe(201);
});

test("a sale's header may repeat its id but not contradict it", async () => {
  const sale = saleOf(api.shop);
  const path = routes.completeSale.path;
  expect((await post(path, sale, { "idempotency-key": randomUUID() })).status).toBe(422);
  expect((await post(path, sale, { "idempotency-key": sale.saleId })).status).toBe(201);
});

test("a refused write is forgotten, so the corrected one may use its key", async () => {
  const idempotencyKey = randomUUID();
  const unknown = { lines: [{ productId: randomUUID(), qty: 1, unitCostYen: 1 }] };
  await expect(api.till.receiveStock({ body: unknown, idempotencyKey })).rejects.toMatchObject({
    status: 404,
  });
  await api.till.receiveStock({ body: receiving(), idempotencyKey });
});

test("the relay is woken after each write, not after reads", async () => {
  const before = api.woken();
  await api.till.listSales({ query: {} });
  expect(api.woken()).toBe(before);
  await api.till.completeSale({ body: saleOf(api.shop) });
  expect(api.woken()).toBe(before + 1);
});
