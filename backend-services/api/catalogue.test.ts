import { inCompany } from "@noren/database";
import { openShop } from "@noren/database/fixture";
import { searchText } from "@noren/commerce";
import { newId } from "@noren/events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, openApi } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi({ stock: [3] });
  const { companyId, storeId, categoryId } = api.shop;
  await inCompany(api.testing.owner, companyId, async (tx) => {
    const company = { company_id: companyId };
    const manga = { ...company, id: newId(), code: "manga", name: "まんが", parent_id: categoryId };
    await tx
      .insertInto("categories")
      .values({ ...manga, tax_class: "standard", position: 1 })
      .execute();
    for (let n = 1; n <= 30; n += 1) {
      const item = { id: newId(), code: `21${String(n).padStart(11, "0")}`, name: `まんが 第${n}巻 100%` };
      const search_text = searchText({ ...item, kana: "マンガ" });
      await tx
        .insertInto("items")
        .values({ ...company, ...item, category_id: manga.id, tax_class: "standard", search_text })
        .execute();
      await tx
        .insertInto("item_conditions")
        .values({ ...company, item_id: item.id, condition: "A" })
        .execute();
      const product = { ...company, store_id: storeId, item_id: item.id, condition: "A", price_yen: 100 * n };
      await tx
        .insertInto("products")
        .values({ ...product, id: newId() })
        .execute();
    }
  });
});
afterAll(() => api.close());

test("the catalogue is paged, and each item says its price and stock", async () => {
  const first = await api.storefront.catalogue({ query: {} });
  expect(first).toMatchObject({ total: 31, page: 1, pages: 2, more: false });
  expect(first.items).toHaveLength(24);
  const second = await api.storefront.catalogue({ query: { page: 2 } });
  const names = [...first.items, ...second.items].map(({ name }) => name);
  expect(new Set(names).size).toBe(31);
  expect([...first.items, ...second.items].find(({ name }) => name === "本")).toMatchObject({
    fromYen: 500,
    available: 3,
    offers: [{ condition: { code: "A", name: "美品" }, priceYen: 500, available: 3 }],
  });
});

test.each([
  ["マンガ", 30],
  ["まんが　第２巻", 1],
  ["ﾏﾝｶﾞ", 30],
  ["巻 まんが", 30],
  ["100%", 30],
  ["10_%", 0],
  ["存在しない", 0],
])("searching for %s finds %i items", async (q, total) => {
  expect((await api.storefront.catalogue({ query: { q } })).total).toBe(total);
});

test("a category shows its own items and those of its children", async () => {
  const { categories } = await api
    .as({ app: "ec" })
    .storefront({ query: { companyCode: await companyCode() } });
  const of = async (name: string) => {
    const category = categories.find((category) => category.name === name)?.id ?? "";
    return (await api.storefront.catalogue({ query: { category } })).total;
  };
  expect([await of("本"), await of("まんが")]).toEqual([31, 30]);
});

const companyCode = async () => {
  const [company] = await api.rows<{ code: string }>("select code from companies where id = $1", [
    api.shop.companyId,
  ]);
  return company?.code ?? "";
};

test("a storefront is found by its code or its host, and another is not", async () => {
  await api.rows("update companies set storefront_host = 'shop.example' where id = $1", [api.shop.companyId]);
  const anyone = api.as({ app: "ec" });
  const byCode = await anyone.storefront({ query: { companyCode: await companyCode() } });
  expect(byCode.company).toMatchObject({ id: api.shop.companyId, name: "会社" });
  expect(await anyone.storefront({ query: { host: "shop.example" } })).toEqual(byCode);
  for (const query of [{ host: "other.example" }, { companyCode: "nobody" }, {}])
    await expect(anyone.storefront({ query })).rejects.toMatchObject({ status: 404 });
});

test("an item says which stores have it", async () => {
  const item = await api.storefront.catalogueItem({ params: { itemId: api.shop.itemId } });
  expect(item).toMatchObject({
    name: "本",
    offers: [{ priceYen: 500, stores: [{ name: "本店", available: 3 }] }],
  });
});

test("what is closed, offline, without a price or of another company is not shown", async () => {
  const { productId, itemId } = api.shop;
  const shown = async () => (await api.storefront.catalogue({ query: { q: "本" } })).total;
  expect(await shown()).toBe(1);
  for (const [hide, show] of [
    ["online = false", "online = true"],
    ["price_yen = 0", "price_yen = 500"],
    ["closed_at = now()", "closed_at = null"],
  ]) {
    await api.rows(`update products set ${hide} where id = $1`, [productId]);
    expect(await shown()).toBe(0);
    await expect(api.storefront.catalogueItem({ params: { itemId } })).rejects.toMatchObject({ status: 404 });
    await api.rows(`update products set ${show} where id = $1`, [productId]);
  }
  const stranger = await openShop(api.testing);
  await expect(api.storefront.catalogueItem({ params: { itemId: stranger.itemId } })).rejects.toMatchObject({
    status: 404,
  });
});

test("the till finds a product by its code in any width, and by words, with rate and stock", async () => {
  const product = { productId: api.shop.productId, name: "本", priceYen: 500, ratePct: 10, available: 3 };
  expect(await api.till.scanProduct({ params: { code: "２００００００００００0" } })).toMatchObject({
    products: [product],
  });
  expect(await api.till.scanProduct({ params: { code: "unknown" } })).toEqual({ products: [] });
  expect(await api.till.searchProducts({ query: { q: "本" } })).toMatchObject({ products: [product] });
  expect((await api.till.searchProducts({ query: { q: "まんが" } })).products).toHaveLength(30);
});
