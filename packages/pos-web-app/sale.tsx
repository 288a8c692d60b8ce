import { ApiError, type TillProduct } from "@noren/api-contract";
import { normalizeCode } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import type { Product } from "./basket.ts";
import { Keypad } from "./keypad.tsx";
import { page } from "./layout.tsx";
import { signedIn, type TillEnv } from "./till.ts";

/** Ringing up. The page is drawn once; scanning and paying are its script's work (sale.browser.ts). */
export const sale = new Hono<TillEnv>();

sale.get("/sale", signedIn, async (c) => {
  const { till, session } = c.var;
  const { session: open } = await till.api(c).currentRegister();
  if (!open) return c.redirect(`${till.basePath}/register/open`, 303);
  return page(
    c,
    { title: "会計", script: "sale.browser.ts", class: "till" },
    <div id="till" data-base={till.basePath} data-csrf={session.csrf} data-register={open.id}>
      <h1 class="visually-hidden">会計</h1>
      <noscript>
        <div class="alert alert-error">
          <p>会計にはスクリプト(JavaScript)が必要です。ブラウザーの設定で有効にしてください。</p>
        </div>
      </noscript>
      <section class="lines" aria-label="明細">
        <form id="scan-form" class="scan" autocomplete="off">
          <label for="scan" class="visually-hidden">
            商品コードをスキャン、または2文字以上で検索
          </label>
          <svg width="34" height="24" viewBox="0 0 34 24" aria-hidden="true">
            <path
              d="M2 2v20M7 2v20M10 2v20M16 2v20M19 2v20M25 2v20M28 2v20M32 2v20"
              stroke="currentColor"
              stroke-width="2.4"
            />
          </svg>
          <input
            id="scan"
            name="scan"
            placeholder="商品をスキャン、または2文字以上で検索"
            enterkeyhint="search"
            autocapitalize="off"
            spellcheck={false}
            autofocus
          />
        </form>
        <div id="note" class="note" role="status" aria-live="polite" />
        <div id="choices" class="choices" hidden />
        <ol id="lines" class="line-list" aria-label="スキャンした商品" />
        <div id="empty" class="empty">
          <svg viewBox="0 0 120 76" width="150" height="95" aria-hidden="true">
            <rect width="120" height="7" rx="3.5" fill="#8a6a3b" />
            <path d="M6 7h34v62q-17 6-34 0zM43 7h34v62q-17 6-34 0zM80 7h34v62q-17 6-34 0z" fill="#c9d8ec" />
            <circle cx="60" cy="36" r="11" fill="#faf7f0" />
          </svg>
          <p>いらっしゃいませ。商品をスキャンすると、ここに並びます。</p>
        </div>
      </section>
      <section class="pay" aria-label="合計と支払い">
        <div class="due">
          <div class="due-pieces">
            <span id="pieces">0</span> 点
          </div>
          <div class="due-label">合計(税込)</div>
          <output id="total" class="due-total">
            ¥0
          </output>
        </div>
        <div id="ring" class="pay-panel">
          <button id="pay" class="button button-primary pay-button" type="button" disabled>
            お会計 <kbd>F9</kbd>
          </button>
          <ul class="keys">
            <li>
              <kbd>↑</kbd>
              <kbd>↓</kbd> 行を選ぶ
            </li>
            <li>
              <kbd>F4</kbd> 数量
            </li>
            <li>
              <kbd>Esc</kbd> 戻る
            </li>
          </ul>
        </div>
        <form id="cash" class="pay-panel" hidden autocomplete="off">
          <label for="tendered">お預かり(現金)</label>
          <input
            id="tendered"
            class="tendered"
            inputmode="none"
            placeholder="ちょうど"
            aria-describedby="change"
          />
          <div id="quick" class="quick" role="group" aria-label="よく使う金額" />
          <Keypad zeros />
          <div class="change-line">
            <span>おつり</span>
            <output id="change" class="money">
              ¥0
            </output>
          </div>
          <details id="mail">
            <summary>レシートをメールで送る</summary>
            <label for="email" class="visually-hidden">
              お客様のメールアドレス
            </label>
            <input
              id="email"
              type="email"
              placeholder="お客様のメールアドレス"
              autocomplete="off"
              maxlength={254}
            />
          </details>
          <div class="pay-actions">
            <button id="back" class="button" type="button">
              戻る <kbd>Esc</kbd>
            </button>
            <button id="settle" class="button button-primary" type="submit">
              現金で支払う <kbd>Enter</kbd>
            </button>
          </div>
        </form>
        <div id="waiting" class="pay-panel waiting" hidden role="status">
          <div class="spinner" aria-hidden="true" />
          <p id="waiting-text">会計を記録しています…</p>
        </div>
        <div id="done" class="pay-panel done" hidden role="status">
          <div class="done-label">おつり</div>
          <div id="done-change" class="done-change">
            ¥0
          </div>
          <dl id="done-text" class="done-text" />
          <a id="done-receipt" class="button button-wide" href={`${till.basePath}/sales`}>
            レシートを表示・印刷
          </a>
          <p class="done-next">次の商品をスキャンすると、新しい会計が始まります。</p>
        </div>
      </section>
    </div>,
  );
});

/** Products for what was scanned or typed: by code first, then, from two characters on, by name. */
sale.get("/sale/lookup", signedIn, async (c) => {
  const code = normalizeCode(c.req.query("code") ?? "");
  if (!code || code.length > 64) return c.json({ by: "code", products: [] });
  const api = c.var.till.api(c);
  const scanned = await api.scanProduct({ params: { code } }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return { products: [] };
    throw error;
  });
  if (scanned.products.length > 0) return c.json({ by: "code", products: scanned.products.map(slim) });
  if (code.length < 2 || /^\d{8,}$/.test(code)) return c.json({ by: "code", products: [] });
  const found = await api.searchProducts({ query: { q: code } });
  return c.json({ by: "search", products: found.products.slice(0, 20).map(slim) });
});

const payment = z.object({
  saleId: z.uuid(),
  lines: z.array(z.object({ productId: z.uuid(), qty: z.int().min(1) })).min(1),
  tenderedYen: z.int().min(0),
  email: z.union([z.literal(""), z.email()]),
});

/**
 * Settles a basket. Prices are not read from the browser, only products and quantities; the sale id is the key under
 * which the API records it once, so the browser may send this as often as it must.
 */
sale.post("/sale", signedIn, async (c) => {
  const asked = payment.safeParse(await c.req.json().catch(() => undefined));
  if (!asked.success) {
    const email = asked.error.issues.some((issue) => issue.path[0] === "email");
    const message = email
      ? "メールアドレスの形を確かめてください。"
      : "会計の内容を読み取れませんでした。画面を開き直してください。";
    return c.json({ error: { code: "invalid", message } }, 422);
  }
  const { saleId, lines, tenderedYen, email } = asked.data;
  const receipt = await c.var.till.api(c).completeSale({
    body: { saleId, lines, payments: [{ method: "cash", tenderedYen }], ...(email ? { email } : {}) },
  });
  return c.json(
    {
      saleId: receipt.saleId,
      receiptNo: receipt.receiptNo,
      totalYen: receipt.totalYen,
      tenderedYen: receipt.totalYen + receipt.changeYen,
      changeYen: receipt.changeYen,
      email,
    },
    201,
  );
});

/** The API's own words and status for the till's script; no answer is a 503, which the script repeats. */
sale.onError((error, c) => {
  if (!(error instanceof ApiError) || c.req.header("accept") !== "application/json") throw error;
  const status = error.status === 0 ? 503 : error.status;
  return c.json({ error: { code: error.code, message: error.message } }, status as 400);
});

/** What the till's script needs of a product. */
function slim({ productId, code, name, condition, priceYen, ratePct, available }: TillProduct): Product {
  return { productId, code, name, condition, priceYen, ratePct, available };
}
