import { shipTo as shipToSchema } from "@noren/api-contract";
import { Alert, CsrfField, Field, normalizeCode, Steps, textOf } from "@noren/web";
import { Hono } from "hono";
import { z } from "zod";
import { page } from "./layout.tsx";
import type { ShopContext, ShopEnv } from "./shop.ts";
import { prefectures } from "./texts.ts";

/** Where the order goes. What was typed right stays typed. */
export const checkout = new Hono<ShopEnv>();

export const steps = ["お届け先", "確認", "完了"];

const messages = {
  name: "お名前を入力してください。",
  postalCode: "郵便番号を7桁で入力してください。例: 100-0001",
  prefecture: "都道府県を選んでください。",
  city: "市区町村を入力してください。",
  line1: "番地まで入力してください。",
  line2: "建物名は200文字までです。",
  phone: "電話番号を0から始まる番号で入力してください。例: 03-1234-5678",
  email: "メールアドレスの形を確かめてください。例: hanako@example.com",
} as const;
type FieldName = keyof typeof messages;
type Typed = Partial<Record<FieldName, string>>;

const entry = shipToSchema.extend({ prefecture: z.enum(prefectures), email: z.email().max(254) });

checkout.get("/checkout", async (c) => {
  if (!c.var.session.data.cart?.length) return c.redirect("/cart", 303);
  await c.var.shop.storefront();
  const { address } = c.var.session.data;
  return form(c, address ? { ...address.shipTo, email: address.email } : {}, new Set());
});

checkout.post("/checkout", async (c) => {
  const { session, shop } = c.var;
  if (!session.data.cart?.length) return c.redirect("/cart", 303);
  const body = await c.req.parseBody();
  const text = (name: FieldName) => textOf(body, name);
  const typed = {
    name: text("name"),
    postalCode: normalizeCode(text("postalCode")).replaceAll(/[‐−ー―]/g, "-"),
    prefecture: text("prefecture"),
    city: text("city"),
    line1: text("line1"),
    ...(text("line2") ? { line2: text("line2") } : {}),
    phone: normalizeCode(text("phone"))
      .replaceAll(/[‐−ー―]/g, "-")
      .replaceAll(/\s/g, ""),
    email: normalizeCode(text("email")),
  };
  const parsed = entry.safeParse(typed);
  if (!parsed.success) {
    await shop.storefront();
    return form(c, typed, new Set(parsed.error.issues.map((issue) => issue.path[0] as FieldName)));
  }
  const { email, ...shipTo } = parsed.data;
  const { confirm: _, ...rest } = session.data;
  session.data = { ...rest, address: { shipTo, email } };
  return c.redirect("/checkout/confirm", 303);
});

function form(c: ShopContext, typed: Typed, wrong: Set<FieldName>) {
  if (wrong.size > 0) c.status(422);
  const field = (name: FieldName) => ({
    name,
    value: typed[name],
    error: wrong.has(name) ? messages[name] : undefined,
  });
  return page(
    c,
    { title: "お届け先" },
    <section class="sheet">
      <Steps steps={steps} at={0} />
      <h1>お届け先</h1>
      {wrong.size > 0 ? <Alert kind="error">{wrong.size}か所の入力を確かめてください。</Alert> : null}
      <form method="post" action="/checkout" class="card">
        <CsrfField session={c.var.session} />
        <Field label="お名前" {...field("name")} autocomplete="name" maxlength={200} />
        <div class="two">
          <Field
            label="郵便番号"
            {...field("postalCode")}
            autocomplete="postal-code"
            inputmode="numeric"
            maxlength={8}
          />
          <Field label="都道府県" {...field("prefecture")}>
            <select id="prefecture" name="prefecture" required autocomplete="address-level1">
              <option value="">選んでください</option>
              {prefectures.map((each) => (
                <option value={each} selected={typed.prefecture === each}>
                  {each}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <Field label="市区町村" {...field("city")} autocomplete="address-level2" maxlength={100} />
        <Field label="町名・番地" {...field("line1")} autocomplete="address-line1" maxlength={200} />
        <Field
          label="建物名・部屋番号"
          {...field("line2")}
          autocomplete="address-line2"
          required={false}
          maxlength={200}
        />
        <div class="two">
          <Field label="電話番号" {...field("phone")} type="tel" autocomplete="tel" maxlength={16} />
          <Field
            label="メールアドレス"
            {...field("email")}
            type="email"
            autocomplete="email"
            maxlength={254}
          />
        </div>
        <p class="hint">ご注文の確認とお振込先をメールでお送りします。</p>
        <button class="button button-primary button-wide" type="submit">
          確認へ進む
        </button>
      </form>
    </section>,
  );
}
