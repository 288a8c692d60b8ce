import { ApiError } from "@noren/api-contract";
import { Alert, CsrfField, Field, normalizeCode, textOf } from "@noren/web";
import { Hono } from "hono";
import { Keypad } from "./keypad.tsx";
import { Mark, page } from "./layout.tsx";
import type { TillContext, TillEnv } from "./till.ts";

export const signIn = new Hono<TillEnv>();

signIn.get("/sign-in", (c) =>
  c.var.session.data.device ? form(c, {}) : c.redirect(`${c.var.till.basePath}/enrol`, 303),
);

signIn.post("/sign-in", async (c) => {
  const { session, till } = c.var;
  const { device } = session.data;
  if (!device) return c.redirect(`${till.basePath}/enrol`, 303);
  const body = await c.req.parseBody();
  const staffCode = normalizeCode(textOf(body, "staffCode"));
  const pin = normalizeCode(textOf(body, "pin"));
  if (!staffCode || pin.length < 4)
    return form(c, { staffCode, error: "担当者コードとPIN(4桁以上)を入力してください。" });
  try {
    const who = await till.api(c).signIn({ body: { deviceToken: device.token, staffCode, pin } });
    const now = Date.now();
    session.renew({
      device: { ...device, company: who.company.name, store: who.store.name, register: who.register.code },
      staff: {
        name: who.staff.name,
        role: who.staff.role,
        claims: {
          companyId: who.company.id,
          storeId: who.store.id,
          registerId: who.register.id,
          staffId: who.staff.id,
        },
        since: now,
        seen: now,
      },
    });
    return c.redirect(`${till.basePath}${who.session ? "/sale" : "/register/open"}`, 303);
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500)
      return form(c, { staffCode, error: error.message });
    throw error;
  }
});

signIn.post("/sign-out", (c) => {
  const { session, till } = c.var;
  session.renew(session.data.device ? { device: session.data.device } : {});
  return c.redirect(`${till.basePath}/sign-in`, 303);
});

function form(c: TillContext, { staffCode, error }: { staffCode?: string; error?: string }) {
  const { device } = c.var.session.data;
  if (error) c.status(422);
  return page(
    c,
    { title: "サインイン", bar: false, class: "door", script: "keypad.browser.ts", narrow: true },
    <section class="card door-card door-split">
      <div class="door-mark on-ai">
        <Mark />
        <span>{device?.company}</span>
      </div>
      <form method="post" class="door-form">
        <h1>
          {device?.store} <small>レジ {device?.register}</small>
        </h1>
        {error ? <Alert kind="error">{error}</Alert> : null}
        <CsrfField session={c.var.session} />
        <Field
          label="担当者コード"
          name="staffCode"
          value={staffCode}
          autocomplete="username"
          inputmode="numeric"
          maxlength={32}
          autofocus={!staffCode}
        />
        <Field
          label="PIN"
          name="pin"
          type="password"
          autocomplete="current-password"
          inputmode="numeric"
          maxlength={12}
          autofocus={Boolean(staffCode)}
        />
        <button class="button button-primary button-wide" type="submit">
          サインイン
        </button>
      </form>
      <Keypad />
    </section>,
  );
}
