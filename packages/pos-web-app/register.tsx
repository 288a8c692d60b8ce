import { ApiError } from "@noren/api-contract";
import { CsrfField, Field, textOf } from "@noren/web";
import { Hono } from "hono";
import { Keypad } from "./keypad.tsx";
import { page } from "./layout.tsx";
import { yenOf } from "./numbers.ts";
import { signedIn, type TillContext, type TillEnv } from "./till.ts";

/** Opening the register with its float. */
export const register = new Hono<TillEnv>();

register.get("/register/open", signedIn, async (c) => {
  const { session } = await c.var.till.api(c).currentRegister();
  return session ? c.redirect(`${c.var.till.basePath}/sale`, 303) : form(c, { key: crypto.randomUUID() });
});

register.post("/register/open", signedIn, async (c) => {
  const body = await c.req.parseBody();
  const text = textOf(body, "floatYen");
  const key = textOf(body, "key");
  const floatYen = yenOf(text);
  if (floatYen === undefined) return form(c, { key, text, error: "金額を数字で入力してください。例: 50000" });
  try {
    await c.var.till.api(c).openRegister({ body: { floatYen }, idempotencyKey: key });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) throw error;
    return form(c, { key: crypto.randomUUID(), text, error: error.message });
  }
  return c.redirect(`${c.var.till.basePath}/sale`, 303);
});

function form(c: TillContext, { key, text, error }: { key: string; text?: string; error?: string }) {
  if (error) c.status(422);
  return page(
    c,
    { title: "レジ開け", narrow: true, script: "keypad.browser.ts" },
    <section class="card door-split">
      <form method="post" class="door-form">
        <h1>レジを開けます</h1>
        <p>引き出しの中の釣銭準備金を数えて入力してください。</p>
        <CsrfField session={c.var.session} />
        <input type="hidden" name="key" value={key} />
        <Field
          label="釣銭準備金(円)"
          name="floatYen"
          value={text}
          error={error}
          inputmode="numeric"
          maxlength={11}
          class="field-amount"
          autofocus
        />
        <div class="quick" role="group" aria-label="よく使う金額">
          {["30000", "50000", "100000"].map((amount) => (
            <button class="button" type="button" data-fill={amount}>
              {Number(amount).toLocaleString("ja-JP")}円
            </button>
          ))}
        </div>
        <button class="button button-primary button-wide" type="submit">
          レジを開ける
        </button>
      </form>
      <Keypad zeros />
    </section>,
  );
}
