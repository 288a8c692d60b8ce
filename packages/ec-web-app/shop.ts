import {
  type Answer,
  type ApiClient,
  apiClient,
  type Routes,
  type ShipTo,
  signServiceToken,
} from "@noren/api-contract";
import { tracedFetch } from "@noren/service";
import type { Assets, WebEnv } from "@noren/web";
import type { Context } from "hono";

export type CartLine = { itemId: string; condition: string; qty: number };

/** What the shopper's sealed cookie holds. Never a price: those are the API's, asked anew for each page. */
export type ShopData = {
  cart: CartLine[];
  address: { shipTo: ShipTo; email: string };
  /** The order about to be placed: its id is the key under which the API records it once, whatever is reloaded. */
  confirm: { orderId: string; shownTotalYen: number };
  /** The order placed last, for who comes back to the confirm page. */
  last: { orderId: string; no: string; token: string };
};

export type ShopEnv = WebEnv<ShopData> & { Variables: { shop: Shop } };
export type ShopContext = Context<ShopEnv>;
export type Storefront = Answer<Routes["storefront"]>;

export type ShopOptions = { apiUrl: string; companyCode: string; serviceTokenKey: string };

/** A cookie holds 4 kB; thirty lines and an address fit. */
export const maxLines = 30;
export const maxQty = 99;

export type Shelf = Pick<Answer<Routes["catalogue"]>, "items" | "total" | "more"> & {
  category: Storefront["categories"][number];
};

const freshMs = 60_000;
const shelvesMs = 10_000;

/** The storefront's company and a client that calls in its name. */
export class Shop {
  readonly files: Assets;
  readonly #options: ShopOptions;
  #shelves: { found: Promise<Shelf[]>; until: number } | undefined;
  #known: { storefront: Storefront; until: number } | undefined;

  constructor(options: ShopOptions, files: Assets) {
    this.#options = options;
    this.files = files;
  }

  /** Name, permit and categories; asked at most once a minute, and the last known answer outlives a restart of the API. */
  async storefront(): Promise<Storefront> {
    if (this.#known && this.#known.until > Date.now()) return this.#known.storefront;
    try {
      const storefront = await this.#client({}).storefront({
        query: { companyCode: this.#options.companyCode },
      });
      this.#known = { storefront, until: Date.now() + freshMs };
      return storefront;
    } catch (error) {
      if (this.#known) return this.#known.storefront;
      throw error;
    }
  }

  /**
   * The beginning of each category, for the front door. Eight questions, so the answer is kept for ten seconds; it may
   * show a piece that has just gone, which the item's own page and the cart never do.
   */
  async shelves(): Promise<Shelf[]> {
    if (this.#shelves && this.#shelves.until > Date.now()) return this.#shelves.found;
    const [{ categories }, api] = [await this.storefront(), await this.api()];
    const found = Promise.all(
      categories.map(async (category) => {
        const { items, total, more } = await api.catalogue({ query: { category: category.id } });
        return { category, items, total, more };
      }),
    );
    // Kept before it is answered: a rush asks once.
    this.#shelves = { found, until: Date.now() + shelvesMs };
    found.catch(() => (this.#shelves = undefined));
    return found;
  }

  /** What is known of the company without asking: for error pages. */
  get known(): Storefront | undefined {
    return this.#known?.storefront;
  }

  async api(): Promise<ApiClient> {
    const { company } = await this.storefront();
    return this.#client({ companyId: company.id });
  }

  #client(claims: { companyId?: string }): ApiClient {
    const { apiUrl, serviceTokenKey } = this.#options;
    return apiClient({
      baseUrl: apiUrl,
      token: () => signServiceToken(serviceTokenKey, { app: "ec", ...claims }),
      fetch: tracedFetch,
    });
  }
}

export function pieces(cart: CartLine[] = []): number {
  return cart.reduce((sum, line) => sum + line.qty, 0);
}
