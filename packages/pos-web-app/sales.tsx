import { dateJa, dateTimeJa, Money } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import { page } from "./layout.tsx";
import { Receipt } from "./receipt.tsx";
import { signedIn, type TillEnv } from "./till.ts";

/** The sales of a business day, and each as its receipt. Both work without script. */
export const sales = new Hono<TillEnv>();

sales.get("/sales", signedIn, async (c) => {
  const date = z.iso.date().safeParse(c.req.query("date"));
  const day = await c.var.till.api(c).listSales({ query: date.success ? { date: date.data } : {} });
  return page(
    c,
    { title: "売上一覧" },
    <section class="card">
      <div class="heading">
        <h1>
          売上一覧 <small>{dateJa(day.businessDate)}</small>
        </h1>
        <form class="day" method="get">
          <label for="date">営業日</label>
          <input id="date" type="date" name="date" value={day.businessDate} />
          <button class="button" type="submit">
            表示
          </button>
        </form>
      </div>
      <dl class="totals">
        <div>
          <dt>会計</dt>
          <dd>{day.sales.filter((sale) => sale.state === "completed").length}件</dd>
        </div>
        <div>
          <dt>合計(税込)</dt>
          <dd>
            <Money yen={day.totalYen} />
          </dd>
        </div>
      </dl>
      {day.sales.length === 0 ? (
        <p>この日の会計はまだありません。</p>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th>時刻</th>
              <th>レシート番号</th>
              <th>担当</th>
              <th class="num">点数</th>
              <th class="num">合計</th>
            </tr>
          </thead>
          <tbody>
            {day.sales.map((sale) => (
              <tr>
                <td class="when">{dateTimeJa(sale.soldAt).slice(-5)}</td>
                <td>
                  <a class="row-link" href={`${c.var.till.basePath}/sales/${sale.saleId}`}>
                    {sale.receiptNo}
                  </a>{" "}
                  {sale.state === "voided" ? <span class="badge badge-none">取消済</span> : null}
                </td>
                <td>{sale.staffName}</td>
                <td class="num">{sale.pieces}</td>
                <td class="num">
                  <Money yen={sale.totalYen} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>,
  );
});

sales.get("/sales/:id", signedIn, async (c) => {
  const id = z.uuid().safeParse(c.req.param("id"));
  if (!id.success) return c.notFound();
  const receipt = await c.var.till.api(c).readSale({ params: { id: id.data } });
  const base = c.var.till.basePath;
  return page(
    c,
    { title: `レシート ${receipt.receiptNo}`, class: "receipt-page", script: "receipt.browser.ts" },
    <div class="receipt-layout">
      <h1 class="visually-hidden">レシート {receipt.receiptNo}</h1>
      <Receipt receipt={receipt} />
      <aside class="receipt-actions">
        <div class="change-card">
          <span>おつり</span>
          <strong>
            <Money yen={receipt.changeYen} />
          </strong>
        </div>
        <button id="print" class="button button-primary button-wide" type="button">
          印刷する
        </button>
        <a class="button button-wide" href={`${base}/sale`}>
          次の会計へ
        </a>
        <a class="button button-quiet button-wide" href={`${base}/sales`}>
          売上一覧
        </a>
      </aside>
    </div>,
  );
});
