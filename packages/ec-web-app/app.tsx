import { ApiError } from "@noren/api-contract";
import type { Logger } from "@noren/service";
import { assets, type ErrorPage, fileAsset, fontAssets, norenStyle, webApp } from "@noren/web";
import type { Hono } from "hono";
import { cart } from "./cart.tsx";
import { catalogue } from "./catalogue.tsx";
import { checkout } from "./checkout.tsx";
import { confirm } from "./confirm.tsx";
import { item } from "./item.tsx";
import { page } from "./layout.tsx";
import { order } from "./order.tsx";
import { Shop, type ShopContext, type ShopData, type ShopEnv, type ShopOptions } from "./shop.ts";

const day = 86_400;

/** The storefront of one company. It carries no script at all. */
export function shopApp(options: ShopOptions & { sessionKey: string; log: Logger }): Hono<ShopEnv> {
  const files = assets("", [
    norenStyle(),
    fileAsset(new URL("./shop.css", import.meta.url)),
    ...fontAssets(),
  ]);
  const shop = new Shop(options, files);

  const app = webApp<ShopData>({
    sessionKey: options.sessionKey,
    cookie: { name: "noren-ec", idleSeconds: 30 * day, lifeSeconds: 90 * day, persistent: true },
    script: false,
    explain,
    errorPage: (c, error) => errorPage(c as unknown as ShopContext, error),
    log: options.log,
  }) as unknown as Hono<ShopEnv>;

  app.use(async (c, next) => {
    c.set("shop", shop);
    await next();
  });
  app.get(files.route, (c) => files.serve(c));
  for (const feature of [catalogue, item, cart, checkout, confirm, order]) app.route("/", feature);
  return app;

  function errorPage(c: ShopContext, error: ErrorPage): Response | Promise<Response> {
    c.set("shop", shop);
    c.status(error.status as 400);
    return page(
      c,
      { title: error.title },
      <section class="card message">
        <h1>{error.title}</h1>
        <p>{error.text}</p>
        <a class="button button-primary" href="/">
          商品を見る
        </a>
      </section>,
    );
  }
}

/** What the API answered, as a page; its messages are written for people. */
function explain(error: Error): ErrorPage | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 404)
    return {
      status: 404,
      title: "ページが見つかりません",
      text: "商品の公開が終わったか、アドレスが正しくありません。商品一覧からお探しください。",
    };
  // 401 is between our own services: nothing that a shopper could mend.
  if (error.status === 0 || error.status === 401 || error.status >= 500)
    return {
      status: 503,
      title: "ただいま混み合っています",
      text: "しばらくしてからもう一度お試しください。買い物かごの中身は残っています。",
    };
  return { status: error.status, title: "この操作はできません", text: error.message };
}
