import { newId } from "@noren/events";
import { inCompany } from "./tenant.ts";
import type { TestDatabase } from "./testing.ts";
import { writeStock } from "./stock.ts";

export type Shop = Awaited<ReturnType<typeof openShop>>;

/** The smallest company that can sell: one store, one register, one clerk, one item in one condition, with stock. */
export async function openShop({ owner }: Pick<TestDatabase, "owner">, options: { stock?: number[] } = {}) {
  const [companyId, storeId, staffId, registerId, categoryId] = [newId(), newId(), newId(), newId(), newId()];
  const code = companyId.slice(-12);
  const products = (options.stock ?? [10]).map((stock) => ({ stock, itemId: newId(), productId: newId() }));
  await inCompany(owner, companyId, async (tx) => {
    const company = { company_id: companyId };
    await tx
      .insertInto("companies")
      .values({ id: companyId, code: `c-${code}`, name: "会社" })
      .execute();
    await tx
      .insertInto("stores")
      .values({ ...company, id: storeId, code: "honten", name: "本店" })
      .execute();
    await tx
      .insertInto("staff")
      .values({ ...company, id: staffId, code: "101", name: "山田", role: "clerk", pin_hash: "none" })
      .execute();
    await tx
      .insertInto("registers")
      .values({ ...company, id: registerId, store_id: storeId, code: "1" })
      .execute();
    await tx
      .insertInto("categories")
      .values({ ...company, id: categoryId, code: "books", name: "本", tax_class: "standard" })
      .execute();
    await tx
      .insertInto("conditions")
      .values({ ...company, code: "A", name: "美品", rank: 1 })
      .execute();
    for (const [index, { itemId, productId, stock }] of products.entries()) {
      await tx
        .insertInto("items")
        .values({
          ...company,
          id: itemId,
          code: `20000000000${index}`,
          name: "本",
          category_id: categoryId,
          tax_class: "standard",
        })
        .execute();
      await tx
        .insertInto("item_conditions")
        .values({ ...company, item_id: itemId, condition: "A" })
        .execute();
      await tx
        .insertInto("products")
        .values({
          ...company,
          id: productId,
          store_id: storeId,
          item_id: itemId,
          condition: "A",
          price_yen: 500,
        })
        .execute();
      if (stock === 0) continue;
      const sourceId = newId();
      await writeStock(tx, companyId, {
        cause: { type: "opening", id: sourceId },
        moves: [
          {
            productId,
            qty: stock,
            kind: "opening",
            sourceType: "opening",
            sourceId,
            lineNo: 1,
            occurredAt: new Date(),
          },
        ],
      });
    }
  });
  const [first] = products;
  if (!first) throw new Error("A shop without a product was asked for.");
  return { companyId, storeId, staffId, registerId, categoryId, products, ...first };
}
