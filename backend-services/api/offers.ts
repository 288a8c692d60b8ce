import { type StoreStock, sellable, wanted } from "@noren/commerce";
import { type Tx, storeStock } from "@noren/database";

export type Offer = {
  itemId: string;
  condition: { code: string; name: string };
  priceYen: number;
  available: number;
  stores: { name: string; available: number }[];
};

/**
 * The offers of some items, best condition first: one price for an item in a condition, the stock of all shipping stores
 * together. An item without any is not for sale online.
 */
export async function offersOf(tx: Tx, itemIds: string[]): Promise<Offer[]> {
  const stock = await storeStock(tx, itemIds);
  if (stock.length === 0) return [];
  const conditions = await tx.selectFrom("conditions").select(["code", "name"]).orderBy("rank").execute();
  const stores = await tx.selectFrom("stores").select(["id", "name"]).orderBy("allocation_rank").execute();
  const byOffer = Map.groupBy(stock, ({ itemId, condition }) => `${itemId} ${condition}`);
  return [...new Set(stock.map(({ itemId }) => itemId))].flatMap((itemId) =>
    conditions.flatMap((condition) => {
      const products = byOffer.get(`${itemId} ${condition.code}`) ?? [];
      const offer = wanted(products);
      if (!offer) return [];
      const { qty: available, priceYen } = offer;
      return [{ itemId, condition, priceYen, available, stores: stores.flatMap(having(products)) }];
    }),
  );
}

const having = (products: StoreStock[]) => (store: { id: string; name: string }) =>
  products
    .filter(({ storeId }) => storeId === store.id)
    .map((product) => ({ name: store.name, available: sellable(product) }));
