import type { Yen } from "./money.ts";

export type Ask = { lineNo: number; itemId: string; condition: string; qty: number };

/** One store's product, as far as a channel may use it. */
export type StoreStock = {
  productId: string;
  storeId: string;
  itemId: string;
  condition: string;
  priceYen: Yen;
  available: number;
  /** Kept for the counter: channels see `available` less this. */
  safetyQty: number;
  /** Lower goes first. */
  allocationRank: number;
};

export type Shipment = { storeId: string; lines: { lineNo: number; productId: string; qty: number }[] };
export type Allocation = { shipments: Shipment[] };
export type Shortage = { missing: { itemId: string; condition: string; qty: number }[] };

/** What a channel may sell of a product. */
export function sellable({ available, safetyQty }: Pick<StoreStock, "available" | "safetyQty">): number {
  return Math.max(0, available - safetyQty);
}

/**
 * What a channel shows for one item in one condition: all that its stores can give, at the lowest price among those
 * that have some (else among all). undefined when no store offers it.
 */
export function wanted(stock: readonly StoreStock[]): { qty: number; priceYen: Yen } | undefined {
  if (stock.length === 0) return undefined;
  const having = stock.filter((product) => sellable(product) > 0);
  return {
    qty: stock.reduce((sum, product) => sum + sellable(product), 0),
    priceYen: Math.min(...(having.length > 0 ? having : stock).map(({ priceYen }) => priceYen)),
  };
}

/** Above this many stores the search for the fewest shipments is greedy: 2^12 sets are cheap, 2^40 are not. */
const exactUpTo = 12;

/**
 * Chooses the stores that ship an order: one that has everything, else the fewest; among equals the lower rank, then
 * the most stock, then the store's id. The same input gives the same answer.
 */
export function allocate(asks: readonly Ask[], stock: readonly StoreStock[]): Allocation | Shortage {
  const key = ({ itemId, condition }: { itemId: string; condition: string }) => `${itemId} ${condition}`;
  const need = new Map<string, number>();
  for (const ask of asks) need.set(key(ask), (need.get(key(ask)) ?? 0) + ask.qty);

  const stores = [
    ...Map.groupBy(
      stock.filter((product) => need.has(key(product)) && sellable(product) > 0),
      ({ storeId }) => storeId,
    ),
  ]
    .map(([storeId, products]) => ({
      storeId,
      products,
      rank: Math.min(...products.map(({ allocationRank }) => allocationRank)),
      units: products.reduce(
        (sum, product) => sum + Math.min(sellable(product), need.get(key(product)) ?? 0),
        0,
      ),
    }))
    .sort((a, b) => a.rank - b.rank || b.units - a.units || (a.storeId < b.storeId ? -1 : 1));
  type Store = (typeof stores)[number];

  const missingWith = (chosen: readonly Store[]) => {
    const left = new Map(need);
    for (const product of chosen.flatMap(({ products }) => products)) {
      left.set(key(product), (left.get(key(product)) ?? 0) - sellable(product));
    }
    return [...left].filter(([, qty]) => qty > 0);
  };

  const lacking = missingWith(stores);
  if (lacking.length > 0) {
    return {
      missing: lacking.map(([name, qty]) => {
        const ask = asks.find((candidate) => key(candidate) === name) as Ask;
        return { itemId: ask.itemId, condition: ask.condition, qty };
      }),
    };
  }

  const enough = (chosen: readonly Store[]) => missingWith(chosen).length === 0;
  const chosen = stores.length <= exactUpTo ? fewest(stores, enough) : greedy(stores, enough);
  return { shipments: fill(asks, chosen) };
}

/** The first smallest sufficient set in the stores' order, sizes ascending. */
function fewest<Store>(stores: readonly Store[], enough: (chosen: readonly Store[]) => boolean): Store[] {
  const pick = (from: number, size: number, chosen: Store[]): Store[] | undefined => {
    if (size === 0) return enough(chosen) ? chosen : undefined;
    for (let next = from; next <= stores.length - size; next += 1) {
      const found = pick(next + 1, size - 1, [...chosen, stores[next] as Store]);
      if (found) return found;
    }
    return undefined;
  };
  for (let size = 0; size <= stores.length; size += 1) {
    const found = pick(0, size, []);
    if (found) return found;
  }
  return [...stores];
}

/** One store if one is enough, else the richest stores until it is enough, without those that then prove needless. */
function greedy<Store extends { units: number }>(
  stores: readonly Store[],
  enough: (chosen: readonly Store[]) => boolean,
): Store[] {
  const single = stores.find((store) => enough([store]));
  if (single) return [single];
  const chosen: Store[] = [];
  for (const store of [...stores].sort((a, b) => b.units - a.units)) {
    if (enough(chosen)) break;
    chosen.push(store);
  }
  return chosen.reduceRight<Store[]>((kept, store) => {
    const without = kept.filter((other) => other !== store);
    return enough(without) ? without : kept;
  }, chosen);
}

function fill(
  asks: readonly Ask[],
  chosen: readonly { storeId: string; products: StoreStock[] }[],
): Shipment[] {
  const left = new Map<string, number>();
  const shipments = chosen.map(({ storeId }) => ({ storeId, lines: [] as Shipment["lines"] }));
  for (const { lineNo, itemId, condition, qty } of asks) {
    let open = qty;
    for (const [index, { products }] of chosen.entries()) {
      const product = products.find((p) => p.itemId === itemId && p.condition === condition);
      if (!product || open === 0) continue;
      const have = left.get(product.productId) ?? sellable(product);
      const taken = Math.min(have, open);
      if (taken === 0) continue;
      left.set(product.productId, have - taken);
      shipments[index]?.lines.push({ lineNo, productId: product.productId, qty: taken });
      open -= taken;
    }
  }
  return shipments.filter(({ lines }) => lines.length > 0);
}
