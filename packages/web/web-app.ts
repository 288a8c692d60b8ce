import { randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { keysOf } from "./seal.ts";
import { keepSession, openSession, type Session, type SessionRules } from "./session.ts";

export type WebEnv<Data extends object> = { Variables: { nonce: string; session: Session<Data> } };

/** What an error page tells: what happened and what to do next. */
export type ErrorPage = { status: number; title: string; text: string };

export type WebOptions<Data extends object> = {
  /** Where the app lives, without a slash at the end: `/pos`, or empty for the root. */
  basePath?: string;
  /** `SESSION_KEY`: one key or several, newest first, separated by commas. */
  sessionKey: string;
  cookie: Omit<SessionRules, "keys">;
  /** Whether pages carry the app's own script. Without, the browser is told to run none at all. */
  script: boolean;
  /** Draws an error as a page of the app. */
  errorPage: (c: Context<WebEnv<Data>>, error: ErrorPage) => Response | Promise<Response>;
  /** Turns an error that the app knows (the API said no, the API is away) into a page; undefined = not known. */
  explain?: (error: Error) => ErrorPage | undefined;
  log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
};

const maxBody = 64 * 1024;
const unsafe = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * A Hono app that cannot forget the rules: security headers on every answer (errors and 404 too), a sealed session,
 * and on every unsafe request both a same-origin check and the session's token. `/health` answers without any of it.
 */
export function webApp<Data extends object>(options: WebOptions<Data>): Hono<WebEnv<Data>> {
  const base = options.basePath ?? "";
  const rules: SessionRules = { ...options.cookie, keys: keysOf(options.sessionKey, options.cookie.name) };
  const app = new Hono<WebEnv<Data>>();

  app.get(`${base}/health`, (c) => c.json({ ok: true }));

  app.use(async (c, next) => {
    c.set("nonce", randomBytes(16).toString("base64"));
    await next();
    headers(c, options.script);
  });
  app.use(bodyLimit({ maxSize: maxBody, onError: (c) => options.errorPage(c as never, tooLarge) }));
  app.use(async (c, next) => {
    // Static files are the same for everybody: no session is opened and no cookie is set on a cacheable answer.
    if (c.req.path.startsWith(`${base}/assets/`)) return next();
    const session = openSession<Data>(c, rules);
    c.set("session", session);
    if (unsafe.has(c.req.method)) {
      const why = await refusal(c, session);
      if (why) {
        options.log.warn({ path: c.req.path, why }, "request refused");
        c.res = await options.errorPage(c, forbidden);
        return;
      }
    }
    await next();
    keepSession(c, session, rules);
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });

  app.notFound((c) => options.errorPage(c, notFound));
  app.onError((error, c) => {
    const known = options.explain?.(error);
    if (known) return options.errorPage(c, known);
    if (error instanceof HTTPException && error.status < 500)
      return options.errorPage(c, { ...badRequest, status: error.status });
    options.log.error({ err: error, path: c.req.path }, "request failed");
    return options.errorPage(c, broken);
  });
  return app;
}

function headers(c: Context, script: boolean): void {
  const h = c.res.headers;
  const scripts = script ? `'nonce-${c.get("nonce") as string}' 'strict-dynamic'` : "'none'";
  h.set(
    "content-security-policy",
    `default-src 'none'; script-src ${scripts}; style-src 'self'; font-src 'self'; img-src 'self' data:; ` +
      `connect-src ${script ? "'self'" : "'none'"}; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'`,
  );
  h.set("strict-transport-security", "max-age=63072000; includeSubDomains");
  h.set("x-content-type-options", "nosniff");
  // same-origin, not no-referrer: with no-referrer browsers send `Origin: null` on our own forms.
  h.set("referrer-policy", "same-origin");
  h.set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  h.set("cross-origin-opener-policy", "same-origin");
  h.set("cross-origin-resource-policy", "same-origin");
}

/** Why an unsafe request is not ours, or undefined. Both must hold: it comes from our own page, and carries its token. */
async function refusal(c: Context, session: Session<object>): Promise<string | undefined> {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  if (site === undefined && origin === undefined) return "no Origin and no Sec-Fetch-Site";
  if (site !== undefined && site !== "same-origin") return `Sec-Fetch-Site is ${site}`;
  if (origin !== undefined && hostOf(origin) !== new URL(c.req.url).host) return `Origin is ${origin}`;
  const header = c.req.header("x-csrf-token");
  const token = header ?? (await c.req.parseBody())["_csrf"];
  if (typeof token !== "string") return "no token";
  return session.owns(token) ? undefined : "token of another session";
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const notFound: ErrorPage = {
  status: 404,
  title: "ページが見つかりません",
  text: "アドレスが変わったか、公開が終わりました。最初の画面からお進みください。",
};
const forbidden: ErrorPage = {
  status: 403,
  title: "操作を受け付けられませんでした",
  text: "画面を開いてから時間がたったか、別の画面から送られました。前の画面を開き直して、もう一度お試しください。",
};
const badRequest: ErrorPage = {
  status: 400,
  title: "送られた内容を読み取れませんでした",
  text: "前の画面に戻り、入力を確かめてもう一度お試しください。",
};
const tooLarge: ErrorPage = {
  status: 413,
  title: "送られた内容が大きすぎます",
  text: "前の画面に戻り、入力を短くしてもう一度お試しください。",
};
const broken: ErrorPage = {
  status: 500,
  title: "うまく処理できませんでした",
  text: "少し待ってからもう一度お試しください。続くときはお店までご連絡ください。",
};
