import { openingPrice, searchText } from "@noren/commerce";
import { type Tx, emit } from "@noren/database";
import { itemRegistered, newId, productOpened } from "@noren/events";
import { type Context, Unprocessable, on } from "worker";

/**
 * Opens the products of a new item: one for each store and condition, priced from the list price, and makes its search text.
 *
 * Once: a product is unique by store, item and condition, and only what was inserted here is announced. An item without a
 * list price opens at 0 yen and offline: neither till nor storefront sells a product that nobody has priced.
 */
export const openProducts = on(itemRegistered, async (event, { tx }: Context<Tx>) => {
  const { companyId } = event;
  const { itemId, conditions, listPriceYen } = event.data;
  const item = await tx
    .selectFrom("items")
    .select(["code", "name", "kana", "maker"])
    .where("id", "=", itemId)
    .forUpdate()
    .executeTakeFirst();
  if (!item)
    throw new Unprocessable(`Item ${itemId} is not in the database of the company that its event names.`);
  await tx
    .updateTable("items")
    .set({ search_text: searchText(item) })
    .where("id", "=", itemId)
    .execute();

  const stores = await tx.selectFrom("stores").select("id").orderBy("id").execute();
  const ranked = await tx
    .selectFrom("conditions")
    .select(["code", "rank"])
    .where("code", "in", conditions)
    .orderBy("rank")
    .execute();
  const products = stores.flatMap((store) =>
    ranked.map(({ code }) => ({
      company_id: companyId,
      id: newId(),
      store_id: store.id,
      item_id: itemId,
      condition: code,
      price_yen: openingPrice(listPriceYen ?? 0, code),
      online: listPriceYen !== undefined,
    })),
  );
  if (products.length === 0) return;
  const opened = await tx
    .insertInto("products")
    .values(products)
    .onConflict((conflict) =>
      conflict.columns(["company_id", "store_id", "item_id", "condition"]).doNothing(),
    )
    .returning(["id", "store_id", "condition", "price_yen"])
    .execute();
  const events = opened.map((product) =>
    productOpened.create({
      companyId,
      storeId: product.store_id,
      aggregateId: product.id,
      causation: event,
      data: {
        productId: product.id,
        itemId,
        storeId: product.store_id,
        condition: product.condition,
        priceYen: product.price_yen,
      },
    }),
  );
  await emit(tx, ...events);
});
