import { ApiError, type TillProduct } from "@noren/api-contract";
import { Alert, CsrfField, Money, normalizeCode, textOf } from "@noren/web";
import { Hono } from "hono";
import { page } from "./layout.tsx";
import { qtyOf, yenOf } from "./numbers.ts";
import { signedIn, type TillContext, type TillEnv } from "./till.ts";

/** Stock-in by code: how many of each condition came, and what one cost. worker-product writes the ledger. */
export const receiving = new Hono<TillEnv>();

receiving.get("/receiving", signedIn, async (c) => {
  const code = normalizeCode(c.req.query("code") ?? "");
  return form(c, code, await productsFor(c, code), {});
});

receiving.post("/receiving", signedIn, async (c) => {
  const body = await c.req.parseBody();
  const text = (name: string) => textOf(body, name);
  const code = normalizeCode(text("code"));
  const products = await productsFor(c, code);
  const lines: { productId: string; qty: number; unitCostYen: number }[] = [];
  for (const product of products) {
    const [qtyText, costText] = [text(`qty-${product.productId}`), text(`cost-${product.productId}`)];
    if (qtyText === "") continue;
    const [qty, unitCostYen] = [qtyOf(qtyText), yenOf(costText || "0")];
    if (qty === undefined || unitCostYen === undefined)
      return form(c, code, products, {
        typed: text,
        error: `「${product.condition.name}」の数量(1〜9,999)と原価を数字で入力してください。`,
      });
    lines.push({ productId: product.productId, qty, unitCostYen });
  }
  if (lines.length === 0)
    return form(c, code, products, { typed: text, error: "入荷した数量を入力してください。" });
  try {
    await c.var.till.api(c).receiveStock({
      body: { ...(text("supplierName") ? { supplierName: text("supplierName") } : {}), lines },
      idempotencyKey: text("key"),
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) throw error;
    // Refused means not recorded: what is sent after the correction is another request and needs another key.
    return form(c, code, products, {
      typed: (name) => (name === "key" ? "" : text(name)),
      error: error.message,
    });
  }
  const pieces = lines.reduce((sum, line) => sum + line.qty, 0);
  c.var.session.flash("ok", `${pieces}点の入荷を受け付けました。在庫には数秒で入ります。`);
  return c.redirect(`${c.var.till.basePath}/receiving?code=${encodeURIComponent(code)}`, 303);
});

async function productsFor(c: TillContext, code: string): Promise<TillProduct[]> {
  if (!code || code.length > 64) return [];
  const api = c.var.till.api(c);
  return api.scanProduct({ params: { code } }).then(
    (found) => found.products,
    (error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return [];
      throw error;
    },
  );
}

type Typed = { typed?: (name: string) => string; error?: string };

function form(c: TillContext, code: string, products: TillProduct[], { typed, error }: Typed) {
  if (error) c.status(422);
  const here = `${c.var.till.basePath}/receiving`;
  const [first] = products;
  return page(
    c,
    { title: "入荷", narrow: true },
    <section class="card">
      <h1>入荷</h1>
      <form method="get" action={here} class="find">
        <label for="code">商品コード</label>
        <div class="find-row">
          <input id="code" name="code" value={code} autofocus={!first} autocomplete="off" maxlength={64} />
          <button class="button" type="submit">
            探す
          </button>
        </div>
      </form>
      {code && !first ? (
        <Alert kind="warning">
          「{code}」の店頭商品はまだありません。登録したばかりなら、数秒待ってもう一度探してください。
        </Alert>
      ) : null}
      {error ? <Alert kind="error">{error}</Alert> : null}
      {first ? (
        <form method="post" action={here}>
          <CsrfField session={c.var.session} />
          <input type="hidden" name="code" value={code} />
          <input type="hidden" name="key" value={typed?.("key") || crypto.randomUUID()} />
          <h2>{first.name}</h2>
          <table class="table receiving">
            <thead>
              <tr>
                <th>状態</th>
                <th class="num">売価</th>
                <th class="num">在庫</th>
                <th>入荷数</th>
                <th>原価(1点・円)</th>
              </tr>
            </thead>
            <tbody>
              {products.map((product) => (
                <tr>
                  <td data-label="状態">{product.condition.name}</td>
                  <td class="num" data-label="売価">
                    <Money yen={product.priceYen} />
                  </td>
                  <td class="num" data-label="在庫">
                    {product.available}
                  </td>
                  <td data-label="入荷数">
                    <input
                      name={`qty-${product.productId}`}
                      aria-label={`${product.condition.name}の入荷数`}
                      inputmode="numeric"
                      maxlength={4}
                      value={typed?.(`qty-${product.productId}`) ?? ""}
                    />
                  </td>
                  <td data-label="原価(1点)">
                    <input
                      name={`cost-${product.productId}`}
                      aria-label={`${product.condition.name}の原価`}
                      inputmode="numeric"
                      maxlength={9}
                      value={typed?.(`cost-${product.productId}`) ?? ""}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <div class="field">
            <label for="supplierName">
              仕入先<span class="optional">任意</span>
            </label>
            <input
              id="supplierName"
              name="supplierName"
              maxlength={200}
              value={typed?.("supplierName") ?? ""}
            />
          </div>
          <button class="button button-primary button-wide" type="submit">
            入荷を記録する
          </button>
        </form>
      ) : null}
    </section>,
  );
}
