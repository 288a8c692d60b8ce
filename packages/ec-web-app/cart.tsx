import { ApiError, type Quote } from "@noren/api-contract";
import { Alert, CsrfField, Money, normalizeCode, textOf } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import { page } from "./layout.tsx";
import { type CartLine, maxLines, maxQty, type ShopContext, type ShopEnv } from "./shop.ts";

/** The basket. It lives in the shopper's sealed cookie; names, prices and stock are asked of the API each time. */
export const cart = new Hono<ShopEnv>();

const addition = z.object({
  itemId: z.uuid(),
  condition: z.string().min(1).max(16),
  qty: z
    .string()
    .transform((text) => Number(normalizeCode(text)))
    .pipe(z.int().min(1).max(maxQty)),
});

cart.get("/cart", (c) => show(c));

cart.post("/cart", async (c) => {
  const { session } = c.var;
  const added = addition.safeParse(await c.req.parseBody());
  if (!added.success) {
    session.flash("error", `状態を選び、数量を1〜${maxQty}で入力してください。`);
    return c.redirect("/cart", 303);
  }
  const lines = session.data.cart ?? [];
  const same = lines.find(
    (line) => line.itemId === added.data.itemId && line.condition === added.data.condition,
  );
  if (!same && lines.length >= maxLines) {
    session.flash("error", `かごに入るのは${maxLines}種類までです。先に購入手続きをお済ませください。`);
    return c.redirect("/cart", 303);
  }
  keep(
    c,
    same
      ? lines.map((line) =>
          line === same ? { ...line, qty: Math.min(line.qty + added.data.qty, maxQty) } : line,
        )
      : [...lines, added.data],
  );
  session.flash("ok", "かごに入れました。");
  return c.redirect("/cart", 303);
});

cart.post("/cart/update", async (c) => {
  const body = await c.req.parseBody();
  const removed = body["remove"];
  const lines = (c.var.session.data.cart ?? []).flatMap((line, index) => {
    if (removed === String(index) || removed === "all") return [];
    const typed = normalizeCode(textOf(body, `qty-${index}`));
    if (!/^\d{1,4}$/.test(typed)) return [line];
    const qty = Number(typed);
    return qty === 0 ? [] : [{ ...line, qty: Math.min(qty, maxQty) }];
  });
  keep(c, lines);
  return c.redirect("/cart", 303);
});

/** Another basket is another order: the id prepared for the old one is thrown away with it. */
function keep(c: ShopContext, lines: CartLine[]): void {
  const { confirm: _, ...rest } = c.var.session.data;
  c.var.session.data = { ...rest, cart: lines };
}

async function show(c: ShopContext) {
  const lines = c.var.session.data.cart ?? [];
  const api = await c.var.shop.api();
  if (lines.length === 0)
    return page(
      c,
      { title: "買い物かご" },
      <section class="card message">
        <h1>買い物かご</h1>
        <p>かごは空です。</p>
        <a class="button button-primary" href="/">
          商品を見る
        </a>
      </section>,
    );
  let quote: Quote | undefined;
  let problem: string | undefined;
  try {
    quote = await api.quoteOrder({ body: { lines } });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500 || error.status === 401)
      throw error;
    problem = error.message;
  }
  return page(
    c,
    { title: "買い物かご" },
    <section class="cart">
      <h1>買い物かご</h1>
      {problem ? (
        <Alert kind="error">
          <p>{problem}</p>
        </Alert>
      ) : null}
      <form method="post" action="/cart/update">
        <CsrfField session={c.var.session} />
        {quote ? <Lines quote={quote} /> : null}
        <div class="cart-tools">
          {quote ? (
            <button class="button" type="submit">
              数量を更新
            </button>
          ) : null}
          <button class="button button-quiet" type="submit" name="remove" value="all">
            かごを空にする
          </button>
        </div>
      </form>
      {quote ? (
        <div class="card cart-sum">
          <dl class="sums">
            <div>
              <dt>送料</dt>
              <dd>
                <Money yen={quote.shippingYen} />
              </dd>
            </div>
            <div class="sums-total">
              <dt>合計(税込)</dt>
              <dd>
                <Money yen={quote.totalYen} />
              </dd>
            </div>
          </dl>
          {quote.orderable ? (
            <a class="button button-primary button-wide" href="/checkout">
              購入手続きへ
            </a>
          ) : (
            <Alert kind="warning">在庫が足りない商品があります。数量を減らすか、削除してください。</Alert>
          )}
          <a class="button button-quiet button-wide" href="/">
            買い物を続ける
          </a>
        </div>
      ) : null}
    </section>,
  );
}

function Lines({ quote }: { quote: Quote }) {
  return (
    <ul class="cart-lines">
      {quote.lines.map((line, index) => (
        <li class="cart-line">
          <div>
            <a href={`/p/${line.itemId}`}>{line.name}</a>
            <p class="hint">
              {line.condition.name}・<Money yen={line.unitPriceYen} />
              {line.ratePct === 8 ? "・軽減税率 8%" : ""}
            </p>
            {line.available < line.qty ? (
              <p class="field-error">
                {line.available > 0 ? `在庫は残り${line.available}点です。` : "在庫がなくなりました。"}
              </p>
            ) : null}
          </div>
          <div class="cart-qty">
            <label for={`qty-${index}`} class="visually-hidden">
              {line.name}の数量
            </label>
            <input
              id={`qty-${index}`}
              type="number"
              name={`qty-${index}`}
              value={String(line.qty)}
              min="0"
              max={maxQty}
              required
            />
            <button
              class="button button-quiet"
              type="submit"
              name="remove"
              value={String(index)}
              aria-label={`${line.name}を削除`}
            >
              削除
            </button>
          </div>
          <Money yen={line.amountYen} class="cart-amount" />
        </li>
      ))}
    </ul>
  );
}
