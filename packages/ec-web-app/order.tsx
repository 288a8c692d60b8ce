import type { OrderState } from "@noren/api-contract";
import { Alert, dateJa, dateTimeJa, Money, Steps } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import { page } from "./layout.tsx";
import type { ShopEnv } from "./shop.ts";
import { states, texts } from "./texts.ts";

/** An order's status, for who holds its secret link. */
export const order = new Hono<ShopEnv>();

const way: OrderState[] = ["awaiting_payment", "paid", "picking", "shipped"];

order.get("/orders/:no", async (c) => {
  const token = z.string().min(1).max(200).safeParse(c.req.query("token"));
  if (!token.success) return c.notFound();
  const api = await c.var.shop.api();
  const found = await api.readOrder({ params: { no: c.req.param("no") }, query: { token: token.data } });
  const at = found.state === "completed" ? way.length : way.indexOf(found.state);
  const { shipTo } = found;
  return page(
    c,
    { title: `ご注文 ${found.no}` },
    <section class="sheet">
      <h1>ご注文 {found.no}</h1>
      {at >= 0 ? <Steps steps={way.map((state) => states[state])} at={at} /> : null}
      {found.state === "awaiting_payment" && found.deadline ? (
        <Alert kind="ok">
          <p>
            ご注文ありがとうございます。
            <strong>
              {dateTimeJa(found.deadline)}までに <Money yen={found.totalYen} />
            </strong>{" "}
            をお振込みください。お振込先は確認メールに記載しています。
          </p>
        </Alert>
      ) : null}
      {found.state === "expired" ? (
        <Alert kind="warning">
          <p>お支払いの期限を過ぎたため、ご注文は取り消されました。お取り置きの商品は販売に戻りました。</p>
        </Alert>
      ) : null}
      <div class="card">
        <dl class="facts">
          <dt>状態</dt>
          <dd>
            <span class={`badge ${at >= 0 ? "badge-ok" : "badge-none"}`}>{states[found.state]}</span>
          </dd>
          <dt>ご注文日</dt>
          <dd>{dateJa(found.placedAt)}</dd>
          <dt>お支払い</dt>
          <dd>{texts.payment}</dd>
          <dt>お届け先</dt>
          <dd>
            〒{shipTo.postalCode} {shipTo.prefecture}
            {shipTo.city}
            {shipTo.line1} {shipTo.line2}
            <br />
            {shipTo.name} 様
          </dd>
        </dl>
        <table class="table order-table">
          <thead>
            <tr>
              <th>商品</th>
              <th class="num">数量</th>
              <th class="num">金額</th>
            </tr>
          </thead>
          <tbody>
            {found.lines.map((line) => (
              <tr>
                <td>
                  {line.name}
                  <small>
                    {line.condition}・<Money yen={line.unitPriceYen} />
                  </small>
                </td>
                <td class="num">{line.qty}</td>
                <td class="num">
                  <Money yen={line.amountYen} />
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td colspan={2}>送料</td>
              <td class="num">
                <Money yen={found.shippingYen} />
              </td>
            </tr>
            <tr class="order-total">
              <td colspan={2}>合計(税込)</td>
              <td class="num">
                <Money yen={found.totalYen} />
              </td>
            </tr>
          </tfoot>
        </table>
        <a class="button button-wide" href="/">
          買い物を続ける
        </a>
      </div>
    </section>,
  );
});
