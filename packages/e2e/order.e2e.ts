import { demo } from "@noren/database/seed";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { launch } from "./browser.ts";
import { eventually, Site, someone } from "./site.ts";

const site = new Site(inject("dashboard"));
const { snack } = demo.scan;

let browser: Browser;
let context: BrowserContext;
let page: Page;
let shop: string;
beforeAll(async () => {
  browser = await launch();
  shop = await site.url("ec-web-app");
});
afterAll(() => browser.close());
beforeEach(async () => {
  // The storefront works for everybody, script or not.
  context = await browser.newContext({ viewport: { width: 320, height: 700 }, javaScriptEnabled: false });
  page = await context.newPage();
});
afterEach(() => context.close());

async function toTheConfirmPage(email: string): Promise<void> {
  await page.goto(`${shop}/?q=${encodeURIComponent("のれん煎餅 醤油味")}`);
  await page.click(`a[href="/p/${snack.itemId}"]`);
  await page.click("text=かごに入れる");
  await page.click("text=購入手続きへ");
  await page.fill("#name", "山田 太郎");
  await page.fill("#postalCode", "１００-０００１");
  await page.selectOption("#prefecture", "東京都");
  await page.fill("#city", "千代田区");
  await page.fill("#line1", "千代田1-1");
  await page.fill("#phone", "03-1234-5678");
  await page.fill("#email", email);
  await page.click("text=確認へ進む");
  await page.waitForURL("**/checkout/confirm");
}

const ordersOf = (email: string) =>
  site.rows<{ id: string; state: string; no: string }>("select id, state, no from orders where email = $1", [
    email,
  ]);

test("an order by bank transfer reserves at once, is confirmed by mail, and is released when its deadline has passed", async () => {
  const email = someone("taro");
  const before = await site.stock(snack);
  await toTheConfirmPage(email);
  const text = await page.textContent("main");
  for (const item of ["数量", "送料", "支払方法", "支払期限", "お届け時期", "取消・返品", "申込期間"])
    expect(text).toContain(item);
  await page.click("text=注文を確定する");
  await page.waitForURL("**/orders/**");
  expect(await page.textContent("main")).toContain("入金待ち");
  const [order, ...more] = await ordersOf(email);
  expect(more).toEqual([]);
  expect(await site.stock(snack)).toEqual({ ...before, reserved: before.reserved + 1 });

  const [placed] = await site.mails(email);
  expect(placed!.subject).toContain(order!.no);
  // The mail's link opens the same page, for whoever reads the mail and nobody else.
  const link = /https?:\/\/\S+\/orders\/\S+/.exec(placed!.text)![0];
  await page.goto(link);
  expect(await page.textContent("h1")).toContain(order!.no);
  expect((await page.goto(link.replace(/token=.*/, "token=x")))!.status()).toBe(404);

  // Three days pass: the deadline and its half hour of grace are over, and the due row comes due.
  await site.rows("update orders set deadline = now() - interval '31 minutes' where id = $1", [order!.id]);
  await site.rows("update schedules set due_at = now() where subject_id = $1", [order!.id]);
  await eventually("the order to expire", async () => (await ordersOf(email))[0]?.state === "expired");
  await eventually("the reservation to be released", async () => {
    const { onHand, reserved } = await site.stock(snack);
    return onHand === before.onHand && reserved === before.reserved;
  });
  const mails = await site.mails(email, 2);
  expect(mails.map(({ subject }) => subject)[0]).toContain("取り消しました");
  await page.goto(link);
  expect(await page.textContent("main")).toContain("期限切れ");
});

test("two clicks, a reload and going back are one order", async () => {
  const email = someone("jiro");
  await toTheConfirmPage(email);
  // The same form sent twice at once, as an impatient finger does.
  const form = new URLSearchParams(
    await page
      .locator(".order-form input[type=hidden]")
      .evaluateAll((inputs) =>
        inputs.map((input) => [(input as HTMLInputElement).name, (input as HTMLInputElement).value]),
      ),
  );
  const send = () =>
    context.request.post(`${shop}/checkout/confirm`, {
      headers: { origin: shop, "content-type": "application/x-www-form-urlencoded" },
      data: form.toString(),
      maxRedirects: 0,
    });
  const answers = await Promise.all([send(), send()]);
  expect(new Set(answers.map((answer) => answer.headers()["location"])).size).toBe(1);

  await page.goto(shop + answers[0].headers()["location"]);
  const placed = page.url();
  await page.reload();
  await page.goto(`${shop}/checkout/confirm`);
  expect(page.url()).toBe(placed);
  expect(await ordersOf(email)).toHaveLength(1);
});

test("of two browsers that want the last piece one gets it, and the other learns why and keeps its basket", async () => {
  const [one] = await site.rows<{ itemId: string; condition: string; name: string }>(
    `select i.id "itemId", p.condition, i.name from products p join items i on i.id = p.item_id
       join stock_levels l on l.product_id = p.id join stores s on s.id = p.store_id and s.ships_online
      where p.online and p.closed_at is null group by i.id, p.condition, i.name
     having sum(greatest(l.available - p.safety_qty, 0)) = 1 order by i.id limit 1`,
  );
  const order = async (email: string) => {
    const own = await browser.newContext({ javaScriptEnabled: false });
    const tab = await own.newPage();
    await tab.goto(`${shop}/p/${one!.itemId}`);
    await tab.check(`input[value="${one!.condition}"]`);
    await tab.click("text=かごに入れる");
    await tab.click("text=購入手続きへ");
    for (const [field, value] of Object.entries({
      name: "山田",
      postalCode: "1000001",
      city: "千代田区",
      line1: "1",
      phone: "0312345678",
      email,
    }))
      await tab.fill(`#${field}`, value);
    await tab.selectOption("#prefecture", "東京都");
    await tab.click("text=確認へ進む");
    await tab.waitForURL("**/checkout/confirm");
    return tab;
  };
  const tabs = [await order(someone("first")), await order(someone("second"))];
  await Promise.all(tabs.map((tab) => tab.click("text=注文を確定する")));
  await Promise.all(tabs.map((tab) => tab.waitForLoadState()));
  const ends = new Set(tabs.map((tab) => new URL(tab.url()).pathname.split("/")[1]));
  expect(ends).toEqual(new Set(["cart", "orders"]));
  const loser = tabs.find((tab) => tab.url().includes("/cart"))!;
  expect(await loser.textContent("main")).toContain(one!.name);
  expect(await loser.textContent("main")).toContain("在庫");
  await Promise.all(tabs.map((tab) => tab.context().close()));
});

test("no page of the storefront scrolls sideways at 320 px", async () => {
  const wide = await browser.newContext({ viewport: { width: 320, height: 700 } });
  const tab = await wide.newPage();
  for (const path of ["/", `/p/${snack.itemId}`, "/cart", "/nowhere"]) {
    await tab.goto(shop + path);
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  }
  await wide.close();
});
