import type { CatalogueEntry } from "@noren/api-contract";
import { Cover, CoverPatterns, Money } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import { page } from "./layout.tsx";
import type { ShopContext, ShopEnv } from "./shop.ts";
import { StockBadge } from "./stock.tsx";

/** The catalogue: what is searched and filtered stands in the address, so that it can be shared and gone back to. */
export const catalogue = new Hono<ShopEnv>();

const asked = z.object({
  q: z.string().trim().max(100).catch(""),
  category: z.union([z.literal(""), z.uuid()]).catch(""),
  page: z.coerce.number().int().min(1).max(1_000).catch(1),
});

catalogue.get("/", async (c) => {
  const { q, category, page: at } = asked.parse({ q: "", category: "", page: 1, ...c.req.query() });
  const { shop } = c.var;
  const { company, categories } = await shop.storefront();
  if (!q && !category && at === 1 && categories.length > 0) return door(c);
  const api = await shop.api();
  const found = await api.catalogue({
    query: { page: at, ...(q ? { q } : {}), ...(category ? { category } : {}) },
  });
  const name = categories.find((each) => each.id === category)?.name;
  const title = q ? `「${q}」の検索結果` : (name ?? company.name);
  const link = (to: number) => {
    const query = new URLSearchParams({ ...(q ? { q } : {}), ...(category ? { category } : {}) });
    if (to > 1) query.set("page", String(to));
    return query.size > 0 ? `/?${query.toString()}` : "/";
  };
  return page(
    c,
    { title, q, category },
    <>
      <CoverPatterns />
      <div class="list-head">
        <h1>{q || name ? title : "すべての商品"}</h1>
        <p>
          {found.total.toLocaleString("ja-JP")}
          {found.more ? "点以上" : "点"}
          {found.pages > 1 ? `・${found.page} / ${found.pages} ページ` : ""}
        </p>
      </div>
      {found.items.length === 0 ? (
        <section class="card message">
          <p>見つかりませんでした。言葉を短くするか、ひらがなでもお試しください。</p>
          <a class="button" href="/">
            すべての商品を見る
          </a>
        </section>
      ) : (
        <ul class="grid">
          {found.items.map((entry) => (
            <Card entry={entry} />
          ))}
        </ul>
      )}
      {found.pages > 1 ? (
        <nav class="pager" aria-label="ページ">
          {found.page > 1 ? (
            <a class="button" href={link(found.page - 1)} rel="prev">
              ← 前へ
            </a>
          ) : (
            <span />
          )}
          <span>
            {found.page} / {found.pages}
          </span>
          {found.page < found.pages ? (
            <a class="button" href={link(found.page + 1)} rel="next">
              次へ →
            </a>
          ) : (
            <span />
          )}
        </nav>
      ) : null}
    </>,
  );
});

const shelfLength = 5;

/** The front door: the beginning of every shelf, so that one sees at once what kind of shop this is. */
async function door(c: ShopContext) {
  const { company } = await c.var.shop.storefront();
  const shelves = await c.var.shop.shelves();
  return page(
    c,
    { title: company.name, category: "" },
    <>
      <CoverPatterns />
      <div class="list-head">
        <h1>本も、ゲームも、次の持ち主へ。</h1>
      </div>
      {shelves
        .filter(({ items }) => items.length > 0)
        .map(({ category, items, total, more }) => (
          <section class="shelf" aria-labelledby={`shelf-${category.id}`}>
            <div class="list-head">
              <h2 id={`shelf-${category.id}`}>{category.name}</h2>
              <a href={`/?category=${category.id}`}>
                {category.name}をすべて見る({total.toLocaleString("ja-JP")}
                {more ? "点以上" : "点"})
              </a>
            </div>
            <ul class="grid">
              {items.slice(0, shelfLength).map((entry) => (
                <Card entry={entry} />
              ))}
            </ul>
          </section>
        ))}
    </>,
  );
}

function Card({ entry }: { entry: CatalogueEntry }) {
  return (
    <li class="item">
      <a href={`/p/${entry.itemId}`}>
        <Cover code={entry.code} name={entry.name} category={entry.category?.name ?? ""} />
        <span class="item-name">{entry.name}</span>
      </a>
      <div class="item-foot">
        <span class="item-price">
          <Money yen={entry.fromYen} />
          {entry.offers.length > 1 ? <small>から</small> : null}
        </span>
        <StockBadge available={entry.available} />
      </div>
    </li>
  );
}
