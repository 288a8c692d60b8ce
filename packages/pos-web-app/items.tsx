import { ApiError } from "@noren/api-contract";
import { Alert, CsrfField, Field, normalizeCode, textOf } from "@noren/web";
import { Hono } from "hono";
import { page } from "./layout.tsx";
import { yenOf } from "./numbers.ts";
import { signedIn, type TillContext, type TillEnv } from "./till.ts";

/** Registering an item of the catalogue; worker-item opens its products in each store a moment later. */
export const items = new Hono<TillEnv>();

const conditions: [code: string, name: string][] = [
  ["new", "新品"],
  ["S", "S 未使用に近い"],
  ["A", "A 美品"],
  ["B", "B 良い"],
  ["C", "C 難あり"],
];
const taxClasses = { standard: "標準税率", reduced: "軽減税率", exempt: "非課税" } as const;
type TaxClass = keyof typeof taxClasses;

type Entry = {
  key: string;
  code: string;
  name: string;
  kana: string;
  taxClass: TaxClass;
  conditions: string[];
  listPrice: string;
};
type Wrong = { [K in keyof Entry]?: string } & { form?: string };

items.get("/items/new", signedIn, (c) =>
  form(c, {
    key: crypto.randomUUID(),
    code: "",
    name: "",
    kana: "",
    taxClass: "standard",
    conditions: ["new"],
    listPrice: "",
  }),
);

items.post("/items/new", signedIn, async (c) => {
  const body = await c.req.parseBody({ all: true });
  const text = (name: string) => textOf(body, name);
  const taxClass = text("taxClass");
  const entry: Entry = {
    key: text("key"),
    code: normalizeCode(text("code")),
    name: text("name"),
    kana: text("kana"),
    taxClass: taxClass in taxClasses ? (taxClass as TaxClass) : "standard",
    conditions: [body["conditions"] ?? []].flat().filter((each) => typeof each === "string"),
    listPrice: text("listPrice"),
  };
  const listPriceYen = yenOf(entry.listPrice);
  const wrong: Wrong = {
    ...(entry.code ? {} : { code: "商品コードを入力してください。" }),
    ...(entry.name ? {} : { name: "商品名を入力してください。" }),
    ...(entry.conditions.length > 0 ? {} : { conditions: "取り扱う状態を1つ以上選んでください。" }),
    ...(listPriceYen === undefined ? { listPrice: "販売価格を数字で入力してください。例: 1980" } : {}),
  };
  if (Object.keys(wrong).length > 0) return form(c, entry, wrong);
  try {
    const item = await c.var.till.api(c).registerItem({
      body: {
        code: entry.code,
        name: entry.name,
        ...(entry.kana ? { kana: entry.kana } : {}),
        taxClass: entry.taxClass,
        conditions: entry.conditions,
        listPriceYen: listPriceYen!,
      },
      idempotencyKey: entry.key,
    });
    c.var.session.flash(
      "ok",
      `「${entry.name}」(${item.code})を登録しました。数秒で各店舗の店頭商品になります。続けて入荷できます。`,
    );
    return c.redirect(`${c.var.till.basePath}/receiving?code=${encodeURIComponent(item.code)}`, 303);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) throw error;
    return form(c, { ...entry, key: crypto.randomUUID() }, { form: error.message });
  }
});

function form(c: TillContext, entry: Entry, wrong: Wrong = {}) {
  if (Object.keys(wrong).length > 0) c.status(422);
  return page(
    c,
    { title: "商品登録", narrow: true },
    <section class="card">
      <h1>商品マスタの登録</h1>
      <p>すべての店舗に、選んだ状態ごとの店頭商品が開かれます。</p>
      {wrong.form ? <Alert kind="error">{wrong.form}</Alert> : null}
      <form method="post">
        <CsrfField session={c.var.session} />
        <input type="hidden" name="key" value={entry.key} />
        <Field
          label="商品コード"
          name="code"
          value={entry.code}
          error={wrong.code}
          hint="JANコード、または自店のコード(20〜29で始まる13桁)"
          maxlength={32}
          autofocus
        />
        <Field label="商品名" name="name" value={entry.name} error={wrong.name} maxlength={200} />
        <Field label="よみがな" name="kana" value={entry.kana} required={false} maxlength={200} />
        <fieldset class="field">
          <legend>取り扱う状態</legend>
          <div class="checks">
            {conditions.map(([code, name]) => (
              <label>
                <input
                  type="checkbox"
                  name="conditions"
                  value={code}
                  checked={entry.conditions.includes(code)}
                />
                {name}
              </label>
            ))}
          </div>
          {wrong.conditions ? <p class="field-error">{wrong.conditions}</p> : null}
        </fieldset>
        <div class="two">
          <Field
            label="販売価格(税込・円)"
            name="listPrice"
            value={entry.listPrice}
            error={wrong.listPrice}
            inputmode="numeric"
            maxlength={11}
          />
          <Field label="税区分" name="taxClass">
            <select id="taxClass" name="taxClass">
              {Object.entries(taxClasses).map(([code, name]) => (
                <option value={code} selected={entry.taxClass === code}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <button class="button button-primary button-wide" type="submit">
          登録する
        </button>
      </form>
    </section>,
  );
}
