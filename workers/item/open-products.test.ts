import { handOver } from "@noren/consumer/testing";
import { type Database, inCompany } from "@noren/database";
import { type Shop, openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { type EventOf, itemRegistered, newId, productOpened } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openProducts } from "./open-products.ts";

let testing: TestDatabase;
let worker: Database;
let everything: Database;
let shop: Shop;

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_item");
  everything = testing.connect("postgres");
});
afterAll(() => testing.drop());
beforeEach(async () => {
  shop = await openShop(testing);
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    const company = { company_id: shop.companyId };
    await tx
      .insertInto("stores")
      .values({ ...company, id: newId(), code: "ekimae", name: "駅前店" })
      .execute();
    await tx
      .insertInto("conditions")
      .values({ ...company, code: "new", name: "新品", rank: 0 })
      .execute();
  });
  await everything.pool.query("delete from outbox");
});

async function registered(listPriceYen?: number): Promise<EventOf<typeof itemRegistered>> {
  const { companyId, categoryId } = shop;
  const item = { code: "2000000054321", name: "ぼくの本 第１巻", taxClass: "standard" as const };
  const itemId = newId();
  await inCompany(testing.owner, companyId, async (tx) => {
    const company = { company_id: companyId };
    const row = {
      id: itemId,
      code: item.code,
      name: item.name,
      category_id: categoryId,
      tax_class: item.taxClass,
    };
    await tx
      .insertInto("items")
      .values({ ...company, ...row })
      .execute();
    for (const condition of ["new", "A"])
      await tx
        .insertInto("item_conditions")
        .values({ ...company, item_id: itemId, condition })
        .execute();
  });
  const data = {
    itemId,
    ...item,
    categoryId,
    conditions: ["A", "new"],
    ...(listPriceYen ? { listPriceYen } : {}),
  };
  return itemRegistered.create({ companyId, aggregateId: itemId, data });
}

const handle = (event: EventOf<typeof itemRegistered>) => handOver(openProducts, worker, event);

const products = (itemId: string) =>
  inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("products")
      .innerJoin("stores", "stores.id", "products.store_id")
      .innerJoin("stock_levels", "stock_levels.product_id", "products.id")
      .select(["stores.code as store", "condition", "price_yen", "online", "on_hand"])
      .where("item_id", "=", itemId)
      .orderBy("stores.code")
      .orderBy("condition")
      .execute(),
  );

const announced = async () => {
  const { rows } = await everything.pool.query<{ payload: string }>("select payload from outbox order by id");
  return rows.map(({ payload }) => productOpened.parse(JSON.parse(payload)));
};

test("a new item opens a product in each store and condition, priced by its condition, with no stock yet", async () => {
  const event = await registered(1_980);
  await handle(event);
  expect(await products(event.data.itemId)).toEqual(
    ["ekimae", "honten"].flatMap((store) => [
      { store, condition: "A", price_yen: 1_380, online: true, on_hand: 0 },
      { store, condition: "new", price_yen: 1_980, online: true, on_hand: 0 },
    ]),
  );
  const told = (await announced()).map(
    ({ data, causationId }) => `${data.condition} ${data.priceYen} ${causationId}`,
  );
  expect(told.toSorted()).toEqual([
    `A 1380 ${event.id}`,
    `A 1380 ${event.id}`,
    `new 1980 ${event.id}`,
    `new 1980 ${event.id}`,
  ]);
});

test("the item can be searched by its normalised words", async () => {
  const event = await registered(1_980);
  await handle(event);
  const item = await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .selectFrom("items")
      .select("search_text")
      .where("id", "=", event.data.itemId)
      .executeTakeFirstOrThrow(),
  );
  expect(item.search_text).toBe("ボクノ本 第1巻 2000000054321");
});

test("without a list price its products open at no price, and not online", async () => {
  const event = await registered();
  await handle(event);
  for (const product of await products(event.data.itemId))
    expect(product).toMatchObject({ price_yen: 0, online: false });
});

test("delivered again, or with some products there already, only what is missing is opened and told", async () => {
  const event = await registered(1_980);
  await inCompany(testing.owner, shop.companyId, (tx) =>
    tx
      .insertInto("products")
      .values({
        company_id: shop.companyId,
        id: newId(),
        store_id: shop.storeId,
        item_id: event.data.itemId,
        condition: "A",
        price_yen: 999,
      })
      .execute(),
  );
  await handle(event);
  await handle(event);
  expect(await products(event.data.itemId)).toHaveLength(4);
  expect((await products(event.data.itemId)).map(({ price_yen }) => price_yen)).toContain(999);
  expect(await announced()).toHaveLength(3);
});
