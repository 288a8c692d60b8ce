import { ApiError, type Quote } from "@noren/api-contract";
import { Alert, CsrfField, dateTimeJa, Money, Steps, textOf } from "@noren/web";
import { Hono } from "hono";
import { v7 as uuidv7 } from "uuid";
import { steps } from "./checkout.tsx";
import { page } from "./layout.tsx";
import type { ShopContext, ShopEnv } from "./shop.ts";
import { texts } from "./texts.ts";

/**
 * The last look before ordering, with the six items that the law wants there, and the order itself.
 * The order's id is made when this page is first shown and stays in the sealed cookie: whatever is clicked twice,
 * reloaded or gone back to, it is the same order.
 */
export const confirm = new Hono<ShopEnv>();

confirm.get("/checkout/confirm", (c) => show(c));

confirm.post("/checkout/confirm", async (c) => {
  const { session, shop } = c.var;
  const { cart, address, confirm: prepared, last } = session.data;
  const orderId = textOf(await c.req.parseBody(), "orderId");
  if (last && orderId === last.orderId) return c.redirect(statusPath(last), 303);
  if (!cart?.length || !address) return c.redirect("/cart", 303);
  if (!prepared || orderId !== prepared.orderId)
    return show(c, "別の画面で内容が変わりました。もう一度ご確認ください。");
  try {
    const api = await shop.api();
    const placed = await api.placeOrder({
      body: {
        orderId: prepared.orderId,
        lines: cart,
        shipTo: address.shipTo,
        email: address.email,
        method: "bank_transfer",
        shownTotalYen: prepared.shownTotalYen,
      },
    });
    const order = { orderId: placed.orderId, no: placed.no, token: placed.token };
    session.data = { address, last: order };
    return c.redirect(statusPath(order), 303);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // No answer does not mean no order: the id stays, and sending it again finds the order if there is one.
    if (error.status === 0 || error.status >= 500) return uncertain(c, prepared.orderId);
    if (error.status === 401) throw error;
    const { confirm: _, ...rest } = session.data;
    session.data = rest;
    return show(c, error.message);
  }
});

function statusPath({ no, token }: { no: string; token: string }): string {
  return `/orders/${encodeURIComponent(no)}?token=${encodeURIComponent(token)}`;
}

async function show(c: ShopContext, problem?: string) {
  const { session, shop } = c.var;
  const { cart, address, last } = session.data;
  if (!cart?.length) return c.redirect(last ? statusPath(last) : "/cart", 303);
  if (!address) return c.redirect("/checkout", 303);
  const api = await shop.api();
  const quote = await api.quoteOrder({ body: { lines: cart } });
  if (!quote.orderable) {
    session.flash("warning", problem ?? "在庫が足りない商品があります。数量を確かめてください。");
    return c.redirect("/cart", 303);
  }
  // Same basket, same total: the same order. A price that changed in between makes it another one.
  const known = session.data.confirm;
  const orderId = known?.shownTotalYen === quote.totalYen ? known.orderId : uuidv7();
  session.data = { ...session.data, confirm: { orderId, shownTotalYen: quote.totalYen } };
  if (problem) c.status(409);
  const { shipTo, email } = address;
  return page(
    c,
    { title: "ご注文内容の確認" },
    <section class="sheet">
      <Steps steps={steps} at={1} />
      <h1>ご注文内容の確認</h1>
      {problem ? <Alert kind="error">{problem}</Alert> : null}
      <div class="card">
        <h2>商品・数量・価格</h2>
        <OrderTable quote={quote} />
        <h2>お届け先</h2>
        <p>
          〒{shipTo.postalCode} {shipTo.prefecture}
          {shipTo.city}
          {shipTo.line1} {shipTo.line2}
          <br />
          {shipTo.name} 様・{shipTo.phone}
          <br />
          {email} <a href="/checkout">変更する</a>
        </p>
        <h2>お支払い・お届け・返品</h2>
        <dl class="facts">
          <dt>支払方法</dt>
          <dd>{texts.payment}</dd>
          <dt>支払期限</dt>
          <dd>
            <strong>{dateTimeJa(quote.deadline)}</strong> まで
          </dd>
          <dt>お届け時期</dt>
          <dd>{texts.delivery}</dd>
          <dt>取消・返品</dt>
          <dd>{texts.withdrawal}</dd>
          <dt>申込期間</dt>
          <dd>{texts.period}</dd>
        </dl>
        <form method="post" action="/checkout/confirm" class="order-form">
          <CsrfField session={session} />
          <input type="hidden" name="orderId" value={orderId} />
          <button class="button button-primary button-wide order-button" type="submit">
            <span>注文を確定する</span>
            <Money yen={quote.totalYen} />
          </button>
          <a class="button button-quiet button-wide" href="/cart">
            かごに戻る
          </a>
        </form>
      </div>
    </section>,
  );
}

function OrderTable({ quote }: { quote: Quote }) {
  return (
    <table class="table order-table">
      <thead>
        <tr>
          <th>商品</th>
          <th class="num">数量</th>
          <th class="num">金額</th>
        </tr>
      </thead>
      <tbody>
        {quote.lines.map((line) => (
          <tr>
            <td>
              {line.name}
              {line.ratePct === 8 ? "※" : ""}
              <small>
                {line.condition.name}・<Money yen={line.unitPriceYen} />
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
            <Money yen={quote.shippingYen} />
          </td>
        </tr>
        {quote.taxes.map((tax) => (
          <tr class="tax">
            <td colspan={2}>
              {tax.ratePct}%対象 <Money yen={tax.grossYen} />
            </td>
            <td class="num">
              内消費税 <Money yen={tax.taxYen} />
            </td>
          </tr>
        ))}
        <tr class="order-total">
          <td colspan={2}>合計(税込)</td>
          <td class="num">
            <Money yen={quote.totalYen} />
          </td>
        </tr>
      </tfoot>
    </table>
  );
}

/** The API did not answer: the shopper asks again with one button, and cannot order twice by it. */
async function uncertain(c: ShopContext, orderId: string) {
  c.status(503);
  return page(
    c,
    { title: "ご注文を確かめています" },
    <section class="card message">
      <h1>ご注文が届いたか、まだ確かめられません</h1>
      <p>通信が途切れました。下のボタンでもう一度確かめてください。二重のご注文にはなりません。</p>
      <form method="post" action="/checkout/confirm">
        <CsrfField session={c.var.session} />
        <input type="hidden" name="orderId" value={orderId} />
        <button class="button button-primary" type="submit">
          もう一度確かめる
        </button>
      </form>
    </section>,
  );
}
