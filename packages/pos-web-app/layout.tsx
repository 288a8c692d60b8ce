import { Alert, Document } from "@noren/web";
import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { TillContext } from "./till.ts";

type PageOptions = {
  title: string;
  /** One column in the middle, for forms. */
  narrow?: boolean;
  /** A browser module of this package. */
  script?: "sale.browser.ts" | "keypad.browser.ts" | "receipt.browser.ts";
  /** Whether the bar with store, staff and menu is shown. Default: when somebody is signed in. */
  bar?: boolean;
  class?: string;
};

/** A page of the till. */
export function page(c: TillContext, options: PageOptions, children: Child): Response | Promise<Response> {
  const { session, till } = c.var;
  const url = (name: string) => till.files.url(name);
  // Error pages of static files have no session.
  const data = session?.data ?? {};
  const flash = session?.takeFlash();
  const bar = options.bar ?? data.staff !== undefined;
  return c.html(
    html`<!doctype html>${(
        <Document
          title={`${options.title} | のれん レジ`}
          styles={[url("noren.css"), url("till.css")]}
          font={url("font.css")}
          {...(options.script ? { script: { src: url(options.script), nonce: c.var.nonce } } : {})}
          class={options.class ?? ""}
        >
          <a class="skip" href="#main">
            本文へ
          </a>
          {bar ? <Bar c={c} /> : null}
          <main id="main" class={options.narrow ? "narrow" : "wide"}>
            {flash ? <Alert kind={flash.kind}>{flash.text}</Alert> : null}
            {children}
          </main>
        </Document>
      )}`,
  );
}

function Bar({ c }: { c: TillContext }) {
  const { session, till } = c.var;
  const { device, staff } = session.data;
  const base = till.basePath;
  const links: [string, string][] = [
    ["/sale", "会計"],
    ["/sales", "売上一覧"],
    ...(staff && staff.role !== "clerk"
      ? ([
          ["/receiving", "入荷"],
          ["/items/new", "商品登録"],
        ] as [string, string][])
      : []),
  ];
  return (
    <header class="bar on-ai">
      <a class="mark" href={`${base}/sale`}>
        <Mark />
        <span>
          {device?.company} <small>{device?.store}</small>
        </span>
      </a>
      <nav aria-label="メニュー">
        {links.map(([path, label]) => (
          <a
            href={base + path}
            aria-current={c.req.path.startsWith(base + path) && isHere(c, base + path) ? "page" : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <div class="bar-who">
        <span>
          レジ {device?.register}・{staff?.name}
        </span>
        <form method="post" action={`${base}/sign-out`}>
          <input type="hidden" name="_csrf" value={session.csrf} />
          <button class="bar-button" type="submit">
            サインアウト
          </button>
        </form>
      </div>
    </header>
  );
}

/** `/sale` is not where one is on `/sales/…`. */
function isHere(c: TillContext, path: string): boolean {
  return c.req.path === path || c.req.path.startsWith(`${path}/`);
}

/** The curtain. */
export function Mark() {
  return (
    <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
      <rect y="3" width="32" height="4" rx="2" fill="#c79a56" />
      <path d="M2 7h9v20H2zm10 0h8v20h-8zm9 0h9v20h-9z" fill="#fff" />
      <circle cx="16" cy="16" r="4.5" fill="#1f3d68" />
    </svg>
  );
}
