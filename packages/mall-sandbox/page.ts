import { html } from "hono/html";
import type { Order } from "./orders.ts";

export type Draft = Record<string, string | undefined>;
type State = {
  orders: Order[];
  failures: number;
  done?: string | undefined;
  draft?: Draft;
  wrong?: string[];
};

const fields: [name: string, label: string, type: string, value: string][] = [
  ["itemCode", "商品コード(のれん堂の商品ページにあります)", "text", ""],
  ["condition", "状態(new, S, A, B, C)", "text", "new"],
  ["qty", "数量", "number", "1"],
  ["unitYen", "単価(円)", "number", "1000"],
  ["name", "お名前", "text", "森 一郎"],
  ["email", "メールアドレス", "email", "ichiro@example.com"],
];

/** The mall's only page: order something, cancel it, send its mail again, and let the API fail. */
export function page({ orders, failures, done, draft = {}, wrong = [] }: State) {
  return html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>モールA(開発用)</title>
        <style>
          body {
            margin: 0;
            font:
              16px/1.7 "Hiragino Sans",
              "Yu Gothic UI",
              "Noto Sans CJK JP",
              sans-serif;
            background: #f4f6f5;
            color: #1d2421;
          }
          header {
            background: #14532d;
            color: #fff;
            padding: 14px 20px;
            font-weight: 700;
            font-size: 1.2rem;
          }
          header small {
            font-weight: 400;
            font-size: 0.85rem;
            margin-left: 1em;
          }
          main {
            max-width: 960px;
            margin: 20px auto;
            padding: 0 16px;
            display: grid;
            gap: 20px;
            grid-template-columns: minmax(0, 1fr) minmax(0, 1.4fr);
            align-items: start;
          }
          section {
            background: #fff;
            border: 1px solid #d5ddd8;
            border-radius: 10px;
            padding: 18px 20px;
          }
          h1,
          h2 {
            font-size: 1.1rem;
            margin: 0 0 12px;
          }
          label {
            display: block;
            font-weight: 600;
            font-size: 0.9rem;
            margin-bottom: 10px;
          }
          label.check {
            display: flex;
            gap: 0.5em;
            align-items: center;
            min-height: 32px;
          }
          input:not([type="checkbox"]) {
            display: block;
            width: 100%;
            box-sizing: border-box;
            min-height: 42px;
            padding: 4px 10px;
            border: 1px solid #78857e;
            border-radius: 6px;
            font: inherit;
          }
          input.wrong {
            border-color: #b3341f;
            background: #fdf0ec;
          }
          button {
            min-height: 42px;
            padding: 4px 16px;
            border: 1px solid #14532d;
            border-radius: 6px;
            background: #fff;
            color: #14532d;
            font: inherit;
            font-weight: 600;
            cursor: pointer;
          }
          button.main {
            background: #14532d;
            color: #fff;
            width: 100%;
          }
          .done {
            grid-column: 1 / -1;
            background: #e7f5ec;
            border-color: #14532d;
          }
          .wrong-text {
            color: #b3341f;
            font-weight: 600;
          }
          li {
            border-top: 1px solid #e4e9e6;
            padding: 10px 0;
          }
          ul {
            list-style: none;
            margin: 0;
            padding: 0;
          }
          form.inline {
            display: inline-flex;
            gap: 8px;
            align-items: center;
          }
          form.inline input:not([type="checkbox"]) {
            width: 5em;
          }
          @media (width <= 700px) {
            main {
              grid-template-columns: minmax(0, 1fr);
            }
          }
        </style>
      </head>
      <body>
        <header>モールA<small>開発用のモール。実在の店ではありません</small></header>
        <main>
          ${
            done
              ? html`<section class="done" role="status">
                  注文番号 <strong id="order-no">${done}</strong> のメールを店に送りました。
                </section>`
              : ""
          }
          <section>
            <h1>のれん堂の商品を注文する</h1>
            ${wrong.length > 0 ? html`<p class="wrong-text" role="alert">赤い欄を確かめてください。</p>` : ""}
            <form method="post" action="/orders">
              ${fields.map(
                ([name, label, type, value]) =>
                  html`<label
                    >${label}<input
                      class="${wrong.includes(name) ? "wrong" : ""}"
                      name="${name}"
                      type="${type}"
                      value="${draft[name] ?? value}"
                      required
                  /></label>`,
              )}
              <label class="check"><input type="checkbox" name="paid" checked />支払済み</label>
              <button class="main" type="submit">注文する</button>
            </form>
          </section>
          <section>
            <h2>注文</h2>
            <ul>
              ${orders.map(
                (order) =>
                  html`<li>
                    <strong>${order.no}</strong>
                    ${order.status === "cancelled" ? "取消済" : "注文済"}・¥${order.totalYen.toLocaleString("ja-JP")}<br />
                    ${order.lines.map((line) => `${line.itemCode}(${line.condition}) × ${line.qty}`).join("、")}<br />
                    ${
                      order.status === "placed"
                        ? html`<form class="inline" method="post" action="/orders/${order.no}/cancel">
                            <button type="submit">取り消す</button>
                          </form>`
                        : ""
                    }
                    <form class="inline" method="post" action="/orders/${order.no}/mail">
                      <button type="submit">同じメールをもう一度送る</button>
                    </form>
                  </li>`,
              )}
            </ul>
            ${orders.length === 0 ? html`<p>まだありません。</p>` : ""}
            <h2>障害</h2>
            <form class="inline" method="post" action="/failures">
              <label for="count" style="margin:0">APIを次の</label>
              <input id="count" name="count" type="number" min="0" max="100" value="${failures}" />
              回だけ500にする
              <button type="submit">設定</button>
            </form>
          </section>
        </main>
      </body>
    </html>`;
}
