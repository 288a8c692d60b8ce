import { timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import { csrf } from "hono/csrf";
import { z } from "zod";
import { Bucket } from "./bucket.ts";
import { type Mail, type MailKind, orderMail } from "./mail.ts";
import { type Order, Orders } from "./orders.ts";
import { type Draft, page } from "./page.ts";

export type MallOptions = {
  apiKey: string;
  /** The shop's address for order mails. */
  mailTo: string;
  send: (mail: Mail) => Promise<void>;
  /** Calls per second and at once; what is above gets 429. */
  rate: number;
  burst: number;
};

const draft = z.object({
  itemCode: z.string().trim().min(1).max(64),
  condition: z.string().trim().min(1).max(16),
  qty: z.coerce.number().int().min(1).max(99),
  unitYen: z.coerce.number().int().min(0).max(9_999_999),
  name: z.string().trim().min(1).max(100),
  email: z.email(),
  paid: z.literal("on").optional(),
});

/** A mall as the shop meets it: an API with a key and a limit, mails in ISO-2022-JP, and a page on which buyers order. */
export function mallApp(options: MallOptions): Hono {
  const orders = new Orders();
  const mails = new Map<string, Mail[]>();
  const bucket = new Bucket(options.rate, options.burst);
  let failures = 0;

  const mail = async (order: Order, kind: MailKind) => {
    const made = orderMail(options.mailTo, order, kind);
    mails.set(order.no, [...(mails.get(order.no) ?? []), made]);
    await options.send(made);
  };

  const app = new Hono();
  app.get("/health", (c) => c.json({ ok: true }));

  app.get("/api/orders/:no", (c) => {
    if (!sameKey(c.req.header("x-api-key") ?? "", options.apiKey))
      return c.json({ error: "unknown api key" }, 401);
    const wait = bucket.take();
    if (wait > 0) return c.json({ error: "too many requests" }, 429, { "retry-after": String(wait) });
    if (failures > 0) {
      failures--;
      return c.json({ error: "internal error" }, 500);
    }
    const order = orders.get(c.req.param("no"));
    return order ? c.json(order) : c.json({ error: "no such order" }, 404);
  });

  app.use(csrf());
  app.get("/", (c) => c.html(page({ orders: orders.list(), failures, done: c.req.query("done") })));

  app.post("/orders", async (c) => {
    const body = await c.req.parseBody();
    const asked = draft.safeParse(body);
    if (!asked.success) {
      const wrong = asked.error.issues.map((issue) => String(issue.path[0]));
      return c.html(page({ orders: orders.list(), failures, draft: body as Draft, wrong }), 422);
    }
    const { itemCode, condition, qty, unitYen, name, email, paid } = asked.data;
    const order = orders.place({
      buyer: { name, email },
      lines: [{ itemCode, condition, qty, unitYen }],
      paid: paid === "on",
    });
    await mail(order, "order");
    return c.redirect(`/?done=${order.no}`, 303);
  });

  app.post("/orders/:no/cancel", async (c) => {
    const order = orders.cancel(c.req.param("no"));
    if (!order) return c.notFound();
    await mail(order, "cancel");
    return c.redirect(`/?done=${order.no}`, 303);
  });

  // Malls do send a mail twice: the very same one, Message-ID and date included.
  app.post("/orders/:no/mail", async (c) => {
    const sent = mails.get(c.req.param("no"))?.at(-1);
    if (!sent) return c.notFound();
    await options.send(sent);
    return c.redirect(`/?done=${c.req.param("no")}`, 303);
  });

  app.post("/failures", async (c) => {
    const asked = z.coerce
      .number()
      .int()
      .min(0)
      .max(100)
      .safeParse((await c.req.parseBody())["count"]);
    if (asked.success) failures = asked.data;
    return c.redirect("/", 303);
  });
  return app;
}

function sameKey(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
