import type { Tx } from "@noren/database";
import { type Offer, offersOf } from "./offers.ts";
import { operation } from "./operation.ts";
import { notFound } from "./refusal.ts";
import { matching } from "./search.ts";

const PAGE = 24;
/** Counting further costs more than it tells. */
const COUNTED = 1_000;

/** The items that the storefront sells, filtered and paged. */
export const catalogue = operation("catalogue", async ({ tx, query }) => {
  const found = listed(tx, query);
  const { n } = await tx
    .selectFrom(
      found
        .select("items.id")
        .limit(COUNTED + 1)
        .as("found"),
    )
    .select(({ fn }) => fn.countAll<number>().as("n"))
    .executeTakeFirstOrThrow();
  const rows = await found
    .leftJoin("categories", "categories.id", "items.category_id")
    .select([
      "items.id",
      "items.code",
      "items.name",
      "categories.id as categoryId",
      "categories.name as categoryName",
    ])
    .orderBy("items.name")
    .orderBy("items.id")
    .limit(PAGE)
    .offset((query.page - 1) * PAGE)
    .execute();
  const offers = Map.groupBy(
    await offersOf(
      tx,
      rows.map(({ id }) => id),
    ),
    ({ itemId }) => itemId,
  );
  const total = Math.min(n, COUNTED);
  return {
    items: rows.map((row) => entry(row, offers.get(row.id) ?? [])),
    page: query.page,
    pages: Math.max(Math.ceil(total / PAGE), 1),
    total,
    more: n > COUNTED,
  };
});

/** One item with each store's stock. */
export const catalogueItem = operation("catalogueItem", async ({ tx, params }) => {
  const row = await tx
    .selectFrom("items")
    .leftJoin("categories", "categories.id", "items.category_id")
    .select([
      "items.id",
      "items.code",
      "items.name",
      "items.maker",
      "items.released_on as releasedOn",
      "items.list_price_yen as listPriceYen",
      "categories.id as categoryId",
      "categories.name as categoryName",
    ])
    .where("items.id", "=", params.itemId)
    .where("items.retired_at", "is", null)
    .executeTakeFirst();
  const offers = row ? await offersOf(tx, [row.id]) : [];
  if (!row || offers.length === 0) throw notFound("この商品は見つかりませんでした。");
  const { maker, releasedOn, listPriceYen } = row;
  return { ...entry(row, offers), maker, releasedOn, listPriceYen, offers };
});

function listed(tx: Tx, { q, category }: { q?: string | undefined; category?: string | undefined }) {
  let items = tx
    .selectFrom("items")
    .where("items.retired_at", "is", null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("products")
          .innerJoin("stores", "stores.id", "products.store_id")
          .select("products.id")
          .whereRef("products.item_id", "=", "items.id")
          .where("products.closed_at", "is", null)
          .where("products.online", "=", true)
          .where("products.price_yen", ">", 0)
          .where("stores.ships_online", "=", true),
      ),
    );
  if (q) items = items.where(matching(q));
  if (category)
    items = items.where("items.category_id", "in", (in_) =>
      in_
        .selectFrom("categories")
        .select("categories.id")
        .where((eb) =>
          eb.or([eb("categories.id", "=", category), eb("categories.parent_id", "=", category)]),
        ),
    );
  return items;
}

type Row = { id: string; code: string; name: string; categoryId: string | null; categoryName: string | null };

function entry(row: Row, offers: Offer[]) {
  const available = offers.filter((offer) => offer.available > 0);
  return {
    itemId: row.id,
    code: row.code,
    name: row.name,
    category: row.categoryId && row.categoryName ? { id: row.categoryId, name: row.categoryName } : null,
    fromYen: Math.min(...(available.length > 0 ? available : offers).map(({ priceYen }) => priceYen)),
    available: offers.reduce((sum, offer) => sum + offer.available, 0),
    offers,
  };
}
