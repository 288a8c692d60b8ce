import { openingPrice, post } from "@noren/commerce";
import { type Tx, emit, writeStock } from "@noren/database";
import { type EventOf, buybackPaidOut, newId, productOpened } from "@noren/events";
import { type Context, Unprocessable, on } from "worker";

type Goods = { itemId: string; condition: string };

/**
 * Puts bought goods on the shelf: finds or opens this store's product of each item and condition, and posts the pieces to
 * the stock ledger at what they cost.
 *
 * Once: the ledger says whether this buy-back was posted, asked under the document's lock, so a replay of any age changes
 * nothing, not even a product that was closed since.
 */
export const stockBuyback = on(buybackPaidOut, async (event, { tx, log }: Context<Tx>) => {
  const { buybackId, lines } = event.data;
  // The document first, then the stock: the order in which every writer locks.
  const buyback = await tx
    .selectFrom("buybacks")
    .select("id")
    .where("id", "=", buybackId)
    .forUpdate()
    .executeTakeFirst();
  if (!buyback)
    throw new Unprocessable(`Buy-back ${buybackId} is not in the database that its event came from.`);
  const posted = await tx
    .selectFrom("stock_moves")
    .select("id")
    .where("source_type", "=", "buyback")
    .where("source_id", "=", buybackId)
    .limit(1)
    .executeTakeFirst();
  if (posted) return log.info({ buybackId }, "buy-back is in the ledger already");

  const productOf = await openProducts(tx, event, lines);
  await writeStock(tx, event.companyId, {
    cause: { type: "buyback", id: buybackId },
    causation: event,
    moves: post({
      kind: "buyback",
      buybackId,
      occurredAt: new Date(event.occurredAt),
      lines: lines.map((line, index) => ({
        productId: productOf.get(keyOf(line)),
        lineNo: index + 1,
        qty: line.qty,
        unitCostYen: line.unitYen,
      })),
    }),
  });
});

const keyOf = ({ itemId, condition }: Goods) => `${itemId} ${condition}`;

/**
 * The store's product of each of the goods, opened where there is none yet and opened again where it was closed. Of two
 * buy-backs that open the same one at once the second waits for the first, and finds its product.
 */
async function openProducts(
  tx: Tx,
  event: EventOf<typeof buybackPaidOut>,
  goods: readonly Goods[],
): Promise<Map<string, string>> {
  const { companyId, storeId = "" } = event;
  // In one order, so that two with the same goods wait for each other instead of for ever.
  const wanted = [...new Map(goods.map((one) => [keyOf(one), one]))].sort(([a], [b]) => (a < b ? -1 : 1));
  const itemIds = [...new Set(goods.map(({ itemId }) => itemId))];
  const items = await tx
    .selectFrom("items")
    .select(["id", "list_price_yen as listPriceYen"])
    .where("id", "in", itemIds)
    .execute();
  const listPrice = new Map(items.map(({ id, listPriceYen }) => [id, listPriceYen]));
  const opened = await tx
    .insertInto("products")
    .values(
      wanted.map(([, { itemId, condition }]) => ({
        company_id: companyId,
        id: newId(),
        store_id: storeId,
        item_id: itemId,
        condition,
        // Without a list price nobody has priced it: then neither till nor storefront sells it yet.
        price_yen: openingPrice(listPrice.get(itemId) ?? 0, condition),
        online: listPrice.get(itemId) != null,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(["company_id", "store_id", "item_id", "condition"])
        .doUpdateSet({ closed_at: null })
        .where("products.closed_at", "is not", null),
    )
    .returning(["id", "item_id", "condition", "price_yen"])
    .execute();
  const events = opened.map(({ id, item_id, condition, price_yen }) =>
    productOpened.create({
      companyId,
      storeId,
      aggregateId: id,
      causation: event,
      data: { productId: id, itemId: item_id, storeId, condition, priceYen: price_yen },
    }),
  );
  await emit(tx, ...events);
  const products = await tx
    .selectFrom("products")
    .select(["id", "item_id as itemId", "condition"])
    .where("store_id", "=", storeId)
    .where("item_id", "in", itemIds)
    .execute();
  return new Map(products.map((product) => [keyOf(product), product.id]));
}
