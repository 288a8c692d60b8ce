import { Cover, CoverPatterns, CsrfField, dateJa, Money } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import { page } from "./layout.tsx";
import type { ShopEnv } from "./shop.ts";
import { StockBadge } from "./stock.tsx";

/** One item: its conditions with their prices, and which stores have it. */
export const item = new Hono<ShopEnv>();

item.get("/p/:itemId", async (c) => {
  const id = z.uuid().safeParse(c.req.param("itemId"));
  if (!id.success) return c.notFound();
  const api = await c.var.shop.api();
  const found = await api.catalogueItem({ params: { itemId: id.data } });
  const first = found.offers.find((offer) => offer.available > 0);
  return page(
    c,
    { title: found.name, description: `${found.name}の価格と在庫`, category: found.category?.id ?? "" },
    <>
      <CoverPatterns />
      <article class="product">
        <div class="product-cover">
          <Cover code={found.code} name={found.name} category={found.category?.name ?? ""} />
        </div>
        <div>
          {found.category ? (
            <a class="product-category" href={`/?category=${found.category.id}`}>
              {found.category.name}
            </a>
          ) : null}
          <h1>{found.name}</h1>
          <form method="post" action="/cart">
            <CsrfField session={c.var.session} />
            <input type="hidden" name="itemId" value={found.itemId} />
            <fieldset class="offers">
              <legend>状態と価格(税込)</legend>
              {found.offers.map((offer) => (
                <label class={offer.available > 0 ? "offer" : "offer offer-none"}>
                  <input
                    type="radio"
                    name="condition"
                    value={offer.condition.code}
                    checked={offer === first}
                    disabled={offer.available <= 0}
                    required
                  />
                  <span class="offer-name">
                    {offer.condition.name}
                    {offer.available > 0 ? (
                      <small>
                        {offer.stores
                          .filter((store) => store.available > 0)
                          .map((store) => `${store.name} ${store.available}点`)
                          .join("、")}
                      </small>
                    ) : null}
                  </span>
                  <StockBadge available={offer.available} />
                  <Money yen={offer.priceYen} class="offer-price" />
                </label>
              ))}
              {found.offers.length === 0 ? <p>ただいまお取り扱いがありません。</p> : null}
            </fieldset>
            {first ? (
              <div class="buy">
                <label for="qty">数量</label>
                <input id="qty" type="number" name="qty" value="1" min="1" max="99" required />
                <button class="button button-primary" type="submit">
                  かごに入れる
                </button>
              </div>
            ) : (
              <p class="sold-out">ただいま在庫がありません。入荷をお待ちください。</p>
            )}
          </form>
          <dl class="facts">
            {found.maker ? (
              <>
                <dt>メーカー・出版社</dt>
                <dd>{found.maker}</dd>
              </>
            ) : null}
            {found.releasedOn ? (
              <>
                <dt>発売日</dt>
                <dd>{dateJa(found.releasedOn)}</dd>
              </>
            ) : null}
            <dt>商品コード</dt>
            <dd>{found.code}</dd>
          </dl>
        </div>
      </article>
    </>,
  );
});
