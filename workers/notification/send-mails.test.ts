import { type Database, type Tx, inCompany } from "@noren/database";
import { type Shop, openShop, recordRefund, recordSale } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import {
  type Envelope,
  newId,
  notificationFailed,
  notificationSent,
  orderExpired,
  orderPlaced,
  saleCompleted,
  saleRefunded,
  scheduleCameDue,
} from "@noren/events";
import { logger } from "@noren/service";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { handlers } from "./handlers.ts";
import { sesMailer } from "./mailer.ts";
import { sesEndpoint } from "./ses-endpoint.ts";

let testing: TestDatabase;
let worker: Database;
let everything: Database;
let endpoint: Awaited<ReturnType<typeof sesEndpoint>>;
let shop: Shop;
let handling: ReturnType<typeof handlers>;

beforeAll(async () => {
  [testing, endpoint] = await Promise.all([testDatabase(), sesEndpoint()]);
  worker = testing.connect("worker_notification");
  everything = testing.connect("postgres");
  const mailer = sesMailer({ ses: endpoint.ses, from: "noren@noren.example" });
  handling = handlers({ mailer, storefrontUrl: "https://shop.example" });
});
afterAll(() => Promise.all([testing.drop(), endpoint.close()]));
beforeEach(async () => {
  endpoint.reset();
  shop = await openShop(testing);
  const company = {
    name: "のれん堂",
    invoice_no: "T1234567890123",
    contact_email: "shop@noren-do.example",
    bank_account: "のれん銀行 本店 普通 1234567",
  };
  await inCompany(testing.owner, shop.companyId, (tx) => tx.updateTable("companies").set(company).execute());
  await everything.pool.query("delete from outbox");
});

/** Handles an event as the engine does: in one transaction of its company. */
async function handle(event: Envelope): Promise<void> {
  const handler = handling.find(({ type }) => type === event.type);
  if (!handler) throw new Error(`${event.type} has no handler.`);
  const context = { log: logger("test"), signal: new AbortController().signal, attempt: 1 };
  await inCompany(worker, event.companyId, (tx: Tx) => handler.prepare(event)({ ...context, tx }));
}

async function emitted(type: string): Promise<Envelope[]> {
  const text = "select payload from outbox where type = $1 order by id";
  const { rows } = await everything.pool.query<{ payload: string }>(text, [type]);
  return rows.map(({ payload }) => JSON.parse(payload) as Envelope);
}

const notifications = () =>
  inCompany(testing.owner, shop.companyId, (tx) =>
    tx.selectFrom("notifications").selectAll().orderBy("created_at").execute(),
  );

/** A sale of two books and a snack, for 2,000 yen in cash. */
async function sold(email?: string) {
  const { companyId, storeId, registerId, staffId, productId } = shop;
  const [saleId, sessionId] = [newId(), newId()];
  const company = { company_id: companyId };
  const at = new Date("2026-11-24T03:00:00Z");
  await inCompany(testing.owner, companyId, async (tx) => {
    const session = {
      ...company,
      id: sessionId,
      store_id: storeId,
      register_id: registerId,
      opened_by: staffId,
    };
    await tx
      .insertInto("register_sessions")
      .values({ ...session, business_date: "2026-11-24", float_yen: 0, opened_at: at })
      .execute();
    await tx
      .insertInto("sales")
      .values({
        ...company,
        id: saleId,
        store_id: storeId,
        session_id: sessionId,
        register_id: registerId,
        register_seq: 1,
        receipt_no: "honten-1-000001",
        business_date: "2026-11-24",
        staff_id: staffId,
        total_yen: 1_108,
        completed_at: at,
      })
      .execute();
    const line = { ...company, sale_id: saleId };
    await tx
      .insertInto("sale_lines")
      .values([
        {
          ...line,
          line_no: 1,
          product_id: productId,
          name: "本",
          condition: "A",
          tax_class: "standard",
          rate_pct: 10,
          unit_price_yen: 500,
          qty: 2,
        },
        {
          ...line,
          line_no: 2,
          product_id: null,
          name: "せんべい",
          tax_class: "reduced",
          rate_pct: 8,
          unit_price_yen: 108,
          qty: 1,
        },
      ])
      .execute();
    await tx
      .insertInto("sale_taxes")
      .values([
        { ...line, rate_pct: 10, gross_yen: 1_000, tax_yen: 90 },
        { ...line, rate_pct: 8, gross_yen: 108, tax_yen: 8 },
      ])
      .execute();
    const payment = { ...line, line_no: 1, method: "cash" as const, amount_yen: 1_108, tendered_yen: 2_000 };
    await tx.insertInto("sale_payments").values(payment).execute();
  });
  return saleCompleted.create({
    companyId,
    storeId,
    aggregateId: saleId,
    data: {
      saleId,
      storeId,
      sessionId,
      receiptNo: "honten-1-000001",
      businessDate: "2026-11-24",
      lines: [],
      taxes: [],
      payments: [],
      totalYen: 1_108,
      ...(email ? { email } : {}),
    },
  });
}

async function ordered() {
  const { companyId, itemId } = shop;
  const orderId = newId();
  const no = `EC-${orderId.slice(-4)}`;
  const deadline = new Date("2026-11-27T14:59:59Z");
  const company = { company_id: companyId };
  await inCompany(testing.owner, companyId, async (tx) => {
    await tx
      .insertInto("orders")
      .values({
        ...company,
        id: orderId,
        no,
        channel: "ec",
        state: "awaiting_payment",
        email: "hanako@example.com",
        method: "bank_transfer",
        shipping_yen: 550,
        total_yen: 1_550,
        deadline,
        token_hash: "hash",
        placed_at: new Date("2026-11-24T03:00:00Z"),
      })
      .execute();
    const line = { line_no: 1, item_id: itemId, condition: "A", name: "本", unit_price_yen: 500, qty: 2 };
    await tx
      .insertInto("order_lines")
      .values({ ...company, order_id: orderId, ...line, tax_class: "standard", rate_pct: 10 })
      .execute();
    const tax = { rate_pct: 10, gross_yen: 1_550, tax_yen: 140 };
    await tx
      .insertInto("order_taxes")
      .values({ ...company, order_id: orderId, ...tax })
      .execute();
  });
  const event = orderPlaced.create({
    companyId,
    aggregateId: orderId,
    data: {
      orderId,
      no,
      channel: "ec",
      lines: [],
      shippingYen: 550,
      taxes: [],
      totalYen: 1_550,
      method: "bank_transfer",
      deadline: deadline.toISOString(),
      email: "hanako@example.com",
      token: "the-secret-of-the-page",
    },
  });
  return { orderId, no, event };
}

test("who left an address at the till gets the receipt, with all that an invoice must say", async () => {
  const event = await sold("yamada@example.com");
  await handle(event);
  expect(endpoint.inbox).toHaveLength(1);
  const [mail] = endpoint.inbox;
  expect(mail).toMatchObject({
    to: [{ address: "yamada@example.com" }],
    subject: "【のれん堂】レシート honten-1-000001",
  });
  for (const part of [
    "登録番号 T1234567890123",
    "2026年11月24日(火) 12:00",
    "本(美品)",
    "せんべい ※",
    "¥500 × 2  ¥1,000",
    "合計(3点)  ¥1,108",
    "10%対象 ¥1,000(内消費税 ¥90)",
    "8%対象 ¥108(内消費税 ¥8)",
    "お預かり ¥2,000  お釣り ¥892",
    "※は軽減税率対象です。",
  ])
    expect(mail?.text).toContain(part);
  expect((await emitted("notification.sent")).map((sent) => notificationSent.parse(sent))).toMatchObject([
    { causationId: event.id, data: { kind: "receipt", channel: "email" } },
  ]);
});

/** Of two books and a cracker, a book and the cracker come back the next day. */
async function refunded(email?: string) {
  const { companyId, storeId, productId } = shop;
  const sale = await recordSale(testing, shop, {
    lines: [
      { productId, qty: 2, unitPriceYen: 500 },
      { qty: 1, unitPriceYen: 108, ratePct: 8, name: "せんべい" },
    ],
    ...(email ? { email } : {}),
  });
  const { refundId, lines, taxes, totalYen } = await recordRefund(testing, shop, sale, [
    { lineNo: 1, qty: 1, restock: true },
    { lineNo: 2, qty: 1, restock: false },
  ]);
  return saleRefunded.create({
    companyId,
    storeId,
    aggregateId: sale.saleId,
    data: { saleId: sale.saleId, refundId, lines, taxes, totalYen },
  });
}

test("who left an address gets the return receipt too, once, with both days and the tax by rate", async () => {
  const event = await refunded("yamada@example.com");
  await Promise.all([handle(event), handle(event)]);
  await handle(event);
  expect(endpoint.inbox).toHaveLength(1);
  const [mail] = endpoint.inbox;
  expect(mail).toMatchObject({
    to: [{ address: "yamada@example.com" }],
    subject: "【のれん堂】返品・返金のお控え honten-1-000001-R1",
  });
  for (const part of [
    "登録番号 T1234567890123",
    "返品・返金のお控え  honten-1-000001-R1",
    "2026年11月25日(水) 12:00  担当 山田",
    "もとの会計  honten-1-000001  2026年11月24日(火) 12:00",
    "理由  初期不良",
    "本(美品)\n  返品 1点  ¥500",
    "せんべい ※\n  返品 1点  ¥108",
    "返金合計(2点)  ¥608",
    "10%対象 ¥500(内消費税 ¥45)",
    "8%対象 ¥108(内消費税 ¥8)",
    "現金で返金  ¥608",
    "※は軽減税率対象です。",
  ])
    expect(mail?.text).toContain(part);
});

test("a refund of a sale without an address sends nothing", async () => {
  await handle(await refunded());
  expect(endpoint.inbox).toEqual([]);
  expect(await notifications()).toEqual([]);
});

test("a sale without an address sends nothing", async () => {
  await handle(await sold());
  expect(endpoint.inbox).toEqual([]);
  expect(await notifications()).toEqual([]);
});

test("five deliveries, some of them at once, are one mail", async () => {
  const event = await sold("yamada@example.com");
  await Promise.all([handle(event), handle(event), handle(event)]);
  await handle(event);
  await handle(event);
  expect(endpoint.inbox).toHaveLength(1);
  expect(await notifications()).toMatchObject([{ state: "sent", attempts: 1, provider_ref: "ses-1" }]);
});

test("an order's mail has the six items of the law, where to pay by when, and the link of its page", async () => {
  const { no, event } = await ordered();
  await handle(event);
  const [mail] = endpoint.inbox;
  expect(mail).toMatchObject({
    to: [{ address: "hanako@example.com" }],
    replyTo: [{ address: "shop@noren-do.example" }],
  });
  for (const part of [
    "■ 商品と数量",
    "・本(美品) × 2  ¥1,000",
    "■ 代金",
    "送料: ¥550",
    "合計: ¥1,550(税込)",
    "■ お支払いの時期と方法",
    "2026年11月27日(金) 23:59 までに",
    "のれん銀行 本店 普通 1234567",
    "■ お届けの時期",
    "■ お申し込みの撤回・返品",
    "■ 販売期間",
    `https://shop.example/orders/${no}?token=the-secret-of-the-page`,
  ])
    expect(mail?.text).toContain(part);
  expect(JSON.stringify(await notifications())).not.toContain("the-secret-of-the-page");
});

test("an expired order's buyer is told once; a mall's buyer is the mall's to tell", async () => {
  const { orderId, no } = await ordered();
  const expired = (id: string) =>
    orderExpired.create({
      companyId: shop.companyId,
      aggregateId: id,
      data: { orderId: id, reason: "deadline" },
    });
  await handle(expired(orderId));
  await handle(expired(orderId));
  expect(endpoint.inbox.map(({ subject }) => subject)).toEqual([`【のれん堂】ご注文を取り消しました(${no})`]);

  const account = { company_id: shop.companyId, id: newId(), code: "mall-a", name: "モールA" };
  await inCompany(testing.owner, shop.companyId, async (tx) => {
    await tx
      .insertInto("mall_accounts")
      .values({ ...account, mail_key: account.id, secret_name: "KEY" })
      .execute();
    const mall = { channel: "mall" as const, mall_account_id: account.id, mall_order_no: "MA-1" };
    await tx.updateTable("orders").set(mall).where("id", "=", orderId).execute();
    await tx.deleteFrom("notifications").execute();
  });
  await handle(expired(orderId));
  expect(endpoint.inbox).toHaveLength(1);
});

test("while SES is down nothing is recorded and nothing is lost: the next delivery sends", async () => {
  const event = await sold("yamada@example.com");
  endpoint.answer({ status: 500, error: "InternalServiceErrorException" });
  await expect(handle(event)).rejects.toThrow("refused by the test");
  expect(await notifications()).toEqual([]);
  await handle(event);
  expect(endpoint.inbox).toHaveLength(1);
});

test("what SES refuses is recorded and told, and sent when its retry comes due", async () => {
  const event = await sold("yamada@example.com");
  endpoint.answer({ status: 400, error: "SendingPausedException" });
  await handle(event);
  const [row] = await notifications();
  expect(row).toMatchObject({ state: "failed", attempts: 1, error: "SendingPausedException" });
  expect(
    (await emitted("notification.failed")).map((failed) => notificationFailed.parse(failed).data),
  ).toEqual([{ notificationId: row?.id, kind: "receipt", channel: "email", code: "SendingPausedException" }]);

  const due = (kind: "notification.retry" | "order.deadline") =>
    scheduleCameDue.create({
      companyId: shop.companyId,
      aggregateId: row?.id ?? "",
      data: { kind, subjectId: row?.id ?? "", dueAt: "2026-11-24T04:00:00Z", attempt: 1 },
    });
  await handle(due("order.deadline"));
  expect(endpoint.inbox).toEqual([]);
  await handle(due("notification.retry"));
  await handle(due("notification.retry"));
  expect(endpoint.inbox.map(({ subject }) => subject)).toEqual(["【のれん堂】レシート honten-1-000001"]);
  expect(await notifications()).toMatchObject([{ state: "sent", attempts: 2, error: null }]);
});

test("the group of an event about a mail does not show the address", async () => {
  await handle(await sold("yamada@example.com"));
  const { rows } = await everything.pool.query("select group_id from outbox");
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain("yamada");
});
