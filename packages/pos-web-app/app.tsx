import { ApiError } from "@noren/api-contract";
import type { Logger } from "@noren/service";
import { assets, type ErrorPage, fileAsset, fontAssets, norenStyle, scriptAsset, webApp } from "@noren/web";
import type { Hono } from "hono";
import { enrol } from "./enrol.tsx";
import { items } from "./items.tsx";
import { page } from "./layout.tsx";
import { receiving } from "./receiving.tsx";
import { register } from "./register.tsx";
import { sale } from "./sale.tsx";
import { sales } from "./sales.tsx";
import { signIn } from "./sign-in.tsx";
import { type TillContext, type TillData, type TillEnv, till, type TillOptions } from "./till.ts";

const year = 365 * 86_400;

/** The till, everything below `basePath`; `/` alone leads there. */
export function tillApp(options: TillOptions & { sessionKey: string; log: Logger }): Hono<TillEnv> {
  const { basePath } = options;
  const files = assets(basePath, [
    norenStyle(),
    fileAsset(new URL("./till.css", import.meta.url)),
    scriptAsset(new URL("./basket.ts", import.meta.url)),
    scriptAsset(new URL("./settle.ts", import.meta.url)),
    scriptAsset(new URL("./sale.browser.ts", import.meta.url)),
    scriptAsset(new URL("./keypad.browser.ts", import.meta.url)),
    scriptAsset(new URL("./receipt.browser.ts", import.meta.url)),
    ...fontAssets(),
  ]);
  const shared = till(options, files);

  const app = webApp<TillData>({
    basePath,
    sessionKey: options.sessionKey,
    // The device stays enrolled for a year; who stands at it is limited separately, in `signedIn`.
    cookie: { name: "noren-pos", idleSeconds: year, lifeSeconds: year, persistent: true },
    script: true,
    explain,
    errorPage: (c, error) => errorPage(c as unknown as TillContext, error),
    log: options.log,
  }) as unknown as Hono<TillEnv>;

  app.use(async (c, next) => {
    c.set("till", shared);
    await next();
  });
  app.get("/", (c) => c.redirect(`${basePath}/`, 302));
  app.get(files.route, (c) => files.serve(c));
  app.get(basePath, (c) => c.redirect(`${basePath}/sale`, 303));
  app.get(`${basePath}/`, (c) => c.redirect(`${basePath}/sale`, 303));
  for (const feature of [enrol, signIn, register, sale, sales, items, receiving])
    app.route(basePath, feature);
  return app;

  function errorPage(c: TillContext, error: ErrorPage): Response | Promise<Response> {
    c.set("till", shared);
    if (c.req.header("accept") === "application/json")
      return c.json({ error: { code: "refused", message: error.text } }, error.status as 400);
    c.status(error.status as 400);
    return page(
      c,
      { title: error.title, narrow: true },
      <section class="card">
        <h1>{error.title}</h1>
        <p>{error.text}</p>
        <a class="button button-primary" href={`${basePath}/`}>
          会計の画面へ
        </a>
      </section>,
    );
  }
}

/** What the API answered, as a page; its messages are written for people. */
function explain(error: Error): ErrorPage | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 0 || error.status >= 500)
    return { status: 503, title: "サーバーに接続できません", text: error.message };
  if (error.status === 401)
    return {
      status: 401,
      title: "サインインし直してください",
      text: "端末の登録かサインインの期限が切れました。",
    };
  return { status: error.status, title: "この操作はできません", text: error.message };
}
