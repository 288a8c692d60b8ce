import { Alert, Document } from "@noren/web";
import { html } from "hono/html";
import type { Child } from "hono/jsx";
import { pieces, type ShopContext, type Storefront } from "./shop.ts";

type PageOptions = { title: string; description?: string; q?: string; category?: string };

/** A page of the storefront. */
export function page(c: ShopContext, options: PageOptions, children: Child): Response | Promise<Response> {
  const { session, shop } = c.var;
  const url = (name: string) => shop.files.url(name);
  const storefront = shop.known;
  const name = storefront?.company.name ?? "のれん";
  const flash = session?.takeFlash();
  return c.html(
    html`<!doctype html>${(
        <Document
          title={options.title === name ? `${name} オンライン` : `${options.title} | ${name}`}
          description={
            options.description ?? `${name}のオンラインショップ。本・ゲーム・CD・カード・ホビーの新品と中古。`
          }
          styles={[url("noren.css"), url("shop.css")]}
          font={url("font.css")}
        >
          <a class="skip" href="#main">
            本文へ
          </a>
          <header class="head">
            <div class="head-band on-ai">
              <div class="head-row">
                <a class="brand" href="/">
                  {name}
                </a>
                <form class="search" action="/" method="get" role="search">
                  <label for="q" class="visually-hidden">
                    商品を探す
                  </label>
                  <input
                    id="q"
                    type="search"
                    name="q"
                    value={options.q ?? ""}
                    placeholder="商品名・よみがな・JAN"
                    maxlength={100}
                  />
                  <button type="submit" aria-label="探す">
                    <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
                      <path
                        d="M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 21 21"
                        fill="none"
                        stroke="currentColor"
                        stroke-width="2.4"
                        stroke-linecap="round"
                      />
                    </svg>
                  </button>
                </form>
                <a class="cart-link" href="/cart">
                  <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
                    <path
                      d="M3 9h18l-2 11H5zM8 9l4-6 4 6"
                      fill="none"
                      stroke="currentColor"
                      stroke-width="2"
                      stroke-linejoin="round"
                    />
                  </svg>
                  <span>かご</span>
                  <strong aria-label={`${pieces(session?.data.cart)}点`}>{pieces(session?.data.cart)}</strong>
                </a>
              </div>
            </div>
            <div class="curtain" aria-hidden="true" />
            {storefront ? <Categories storefront={storefront} options={options} /> : null}
          </header>
          <main id="main">
            {flash ? <Alert kind={flash.kind}>{flash.text}</Alert> : null}
            {children}
          </main>
          {storefront ? <Foot storefront={storefront} /> : null}
        </Document>
      )}`,
  );
}

function Categories({ storefront, options }: { storefront: Storefront; options: PageOptions }) {
  return (
    <nav class="categories" aria-label="カテゴリー">
      <a href="/" aria-current={options.category === "" ? "page" : undefined}>
        すべて
      </a>
      {storefront.categories.map((category) => (
        <a
          href={`/?category=${category.id}`}
          aria-current={options.category === category.id ? "page" : undefined}
        >
          {category.name}
        </a>
      ))}
    </nav>
  );
}

function Foot({ storefront: { company } }: { storefront: Storefront }) {
  return (
    <footer class="foot on-ai">
      <div class="foot-row">
        <strong>{company.name}</strong>
        {company.antiquePermitNo ? (
          <p>
            古物商許可 {company.antiqueAuthority} {company.antiquePermitNo}
          </p>
        ) : null}
        {company.invoiceNo ? <p>適格請求書発行事業者 登録番号 {company.invoiceNo}</p> : null}
        <p>表示価格はすべて税込です。</p>
      </div>
    </footer>
  );
}
