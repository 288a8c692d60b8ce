import { ApiError } from "@noren/api-contract";
import { Alert, CsrfField, Field, normalizeCode, textOf } from "@noren/web";
import { Hono } from "hono";
import { Mark, page } from "./layout.tsx";
import type { TillContext, TillEnv } from "./till.ts";

/** A device becomes a register's till once, with a code that a manager hands out. */
export const enrol = new Hono<TillEnv>();

enrol.get("/enrol", (c) => form(c, {}));

enrol.post("/enrol", async (c) => {
  const body = await c.req.parseBody();
  const code = normalizeCode(textOf(body, "code"));
  if (code.length < 4) return form(c, { code, error: "登録コードを入力してください。" });
  try {
    const device = await c.var.till.api(c).enrolDevice({ body: { code } });
    c.var.session.renew({
      device: {
        token: device.deviceToken,
        company: device.company.name,
        store: device.store.name,
        register: device.register.code,
      },
    });
    return c.redirect(`${c.var.till.basePath}/sign-in`, 303);
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500)
      return form(c, { code, error: error.message });
    throw error;
  }
});

function form(c: TillContext, { code, error }: { code?: string; error?: string }) {
  const { device } = c.var.session.data;
  if (error) c.status(422);
  return page(
    c,
    { title: "端末の登録", narrow: true, bar: false, class: "door" },
    <section class="card door-card">
      <div class="door-mark on-ai">
        <Mark />
        <span>のれん レジ</span>
      </div>
      <h1>この端末を登録します</h1>
      <p>店長から受け取った登録コードを入力してください。登録は端末ごとに1回だけです。</p>
      {device ? (
        <Alert kind="warning">
          この端末は {device.store} のレジ {device.register} として登録済みです。続けると登録し直します。
          <a href={`${c.var.till.basePath}/sign-in`}>サインインへ戻る</a>
        </Alert>
      ) : null}
      <form method="post">
        <CsrfField session={c.var.session} />
        <Field label="登録コード" name="code" value={code} error={error} autofocus maxlength={64} />
        <button class="button button-primary button-wide" type="submit">
          登録する
        </button>
      </form>
    </section>,
  );
}
