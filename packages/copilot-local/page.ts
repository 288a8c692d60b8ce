import { readFileSync } from "node:fs";
import { html, raw } from "hono/html";
import type { State } from "./state.ts";

const styles = readFileSync(new URL("dashboard.css", import.meta.url), "utf8");
const script = readFileSync(new URL("dashboard.browser.js", import.meta.url), "utf8");

/** What the page loads from `/dashboard.css` and `/dashboard.js`. */
export const assets = {
  "dashboard.css": { type: "text/css; charset=utf-8", body: styles },
  "dashboard.js": { type: "text/javascript; charset=utf-8", body: script },
};

/** The page's frame with the state of this moment; its script fills it and keeps it fresh. */
export function page(state: State) {
  // As data, not as script: whatever a log line or a mail says cannot end the block.
  const data = raw(JSON.stringify(state).replaceAll("<", "\\u003c"));
  return html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${state.application} · ${state.environment}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/dashboard.css" />
        <script id="state" type="application/json">
          ${data}
        </script>
        <script type="module" src="/dashboard.js"></script>
      </head>
      <body>
        <header>
          <h1>${state.application}<span class="environment">${state.environment}</span></h1>
          <p id="status" role="status"></p>
          <p id="addresses"></p>
        </header>
        <div id="attention" role="status"></div>
        <nav id="links" aria-label="開く"></nav>
        <main>
          <section id="workloads-section" aria-labelledby="workloads-title">
            <h2 id="workloads-title">ワークロード</h2>
            <div id="workloads"></div>
          </section>
          <section id="notes-section" aria-labelledby="notes-title">
            <h2 id="notes-title">手がかり</h2>
            <div id="notes"></div>
          </section>
          <section id="jobs-section" aria-labelledby="jobs-title">
            <h2 id="jobs-title">ジョブ</h2>
            <div id="jobs"></div>
          </section>
          <section id="mail-section" aria-labelledby="mail-title">
            <h2 id="mail-title">受信箱</h2>
            <div id="mail"></div>
          </section>
          <section id="queues-section" aria-labelledby="queues-title">
            <h2 id="queues-title">キュー</h2>
            <div id="queues"></div>
          </section>
          <section id="logs-section" aria-labelledby="logs-title">
            <h2 id="logs-title">ログ</h2>
            <form id="logs-form">
              <label
                >対象
                <select id="logs-name"></select
              ></label>
              <label>検索 <input id="logs-search" type="search" placeholder="語を含む行だけ" /></label>
              <label class="check"><input id="logs-follow" type="checkbox" checked />最新を追う</label>
            </form>
            <div id="logs" role="log" aria-live="off" tabindex="0"></div>
          </section>
        </main>
        <dialog id="letter" aria-labelledby="letter-subject"></dialog>
        <noscript>このページには JavaScript が必要です。同じ内容は /api/state にあります。</noscript>
      </body>
    </html>`;
}
