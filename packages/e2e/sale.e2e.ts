import { demo } from "@noren/database/seed";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { launch } from "./browser.ts";
import { eventually, Site, someone } from "./site.ts";
import { payCash, registerOf, scan, settled, staffOf, toTheSale } from "./till-steps.ts";

const site = new Site(inject("dashboard"));
const { book, snack } = demo.scan;
const store = demo.stores.honten;

let browser: Browser;
let context: BrowserContext;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1024, height: 768 } });
  page = await context.newPage();
  await toTheSale(page, await site.url("pos-web-app"), registerOf("honten", "1"), staffOf("1003"));
});
afterEach(() => context.close());

const salesOf = async (id: string) =>
  site.rows<{ total: number }>("select total_yen::int total from sales where id = $1", [id]);

test("a sale from the enrolment of the device to the ledger and the mail in the inbox", async () => {
  const email = someone("hanako");
  const before = await site.stock(book, store.id);
  await scan(page, book);
  await scan(page, snack);
  await scan(page, snack);
  const total = Number((await page.textContent("#total"))!.replaceAll(/\D/g, ""));

  const saleId = await payCash(page, "10000", email);
  expect(await page.textContent("#done-change")).toBe(`¥${(10_000 - total).toLocaleString("ja-JP")}`);

  // The next sale needs no key; the receipt is one click away.
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("scan");
  await page.click("#done-receipt");
  const receipt = page.locator(".receipt");
  expect(await receipt.textContent()).toContain("星巡りの航海図");
  expect(await receipt.textContent()).toContain("※印は軽減税率の対象です");
  expect(await receipt.textContent()).toMatch(/登録番号 ?T\d{13}/);
  expect(await receipt.textContent()).toMatch(/10%対象.*8%対象/s);
  await page.goto(`${await site.url("pos-web-app")}/pos/sales`);
  expect(await page.textContent("table")).toContain(`¥${total.toLocaleString("ja-JP")}`);

  // The reservation was in the sale's own transaction; the ledger follows through SNS and SQS.
  await eventually("the ledger to be posted", async () => {
    const { onHand, reserved } = await site.stock(book, store.id);
    return onHand === before.onHand - 1 && reserved === before.reserved;
  });
  const moves = await site.rows("select kind, qty from stock_moves where source_id = $1 order by line_no", [
    saleId,
  ]);
  expect(moves).toEqual([
    { kind: "sale", qty: -1 },
    { kind: "sale", qty: -2 },
  ]);
  const [mail, ...more] = await site.mails(email);
  expect(more).toEqual([]);
  expect(mail!.subject).toContain("のれん堂");
  expect(mail!.text).toContain("星巡りの航海図");
  expect(mail!.text).toContain(total.toLocaleString("ja-JP"));
});

test("twenty codes typed as fast as a scanner are twenty pieces, and two keys pay them", async () => {
  await page.keyboard.type(`${snack.code}\n`.repeat(20), { delay: 1 });
  await page.waitForFunction(() => document.getElementById("pieces")?.textContent === "20");
  await page.keyboard.press("F9");
  await page.waitForSelector("#cash:visible");
  await page.keyboard.press("Enter");
  const saleId = await settled(page);
  expect(await site.rows("select qty from sale_lines where sale_id = $1", [saleId])).toEqual([{ qty: 20 }]);
  expect(await page.textContent("#done-change")).toBe("¥0");
});

test("a lost answer, a reload and a second click make one sale", async () => {
  await scan(page, snack);
  let sent = 0;
  let reloaded = false;
  await page.route("**/pos/sale", async (route) => {
    if (route.request().method() !== "POST" || reloaded) return route.fallback();
    // The first time the server does its work and the answer is lost; the repeat hangs until the reload.
    if (++sent > 1) return undefined;
    await route.fetch();
    return route.abort("connectionreset");
  });
  const stored = await page.evaluate(
    () => JSON.parse(Object.values(localStorage)[0] as string) as { saleId: string },
  );
  await page.keyboard.press("F9");
  await page.waitForSelector("#cash:visible");
  await page.dblclick("#settle");
  await eventually("the repeat", async () => sent > 1);
  reloaded = true;
  await page.reload();
  expect(await settled(page)).toBe(stored.saleId);
  expect(await salesOf(stored.saleId)).toHaveLength(1);
  const moves = await site.rows("select 1 from cash_moves where source_id = $1", [stored.saleId]);
  expect(moves).toHaveLength(1);
});

test("too little money is refused before it is sent, and the basket outlives a reload", async () => {
  await scan(page, book);
  await page.keyboard.press("F9");
  await page.waitForSelector("#cash:visible");
  await page.keyboard.type("1");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=足りません");
  await page.keyboard.press("Escape");
  await page.reload();
  await page.waitForSelector(".line");
  expect(await page.textContent("#pieces")).toBe("1");
});

test("an unknown code is named and does not stop the next scan", async () => {
  await page.keyboard.type("4999999999996\n");
  await page.waitForSelector("text=「4999999999996」は商品にありません");
  await scan(page, snack);
  expect(await page.textContent("#pieces")).toBe("1");
});

test("a receipt prints on 80 mm paper", async () => {
  await scan(page, snack);
  const saleId = await payCash(page, "");
  await page.goto(`${await site.url("pos-web-app")}/pos/sales/${saleId}`);
  await page.emulateMedia({ media: "print" });
  const box = await page.locator(".receipt").boundingBox();
  expect(Math.round((box!.width / 96) * 25.4)).toBe(80);
  expect(
    await page
      .locator(".bar, .receipt-actions")
      .evaluateAll((all) => all.map((each) => getComputedStyle(each).display)),
  ).toEqual(["none", "none"]);
});

test("after all this, the ledger is the stock", async () => {
  expect(await site.runJob("job-ensure-consistency")).toMatchObject({ ok: true });
  expect(await site.runJob("job-daily")).toMatchObject({ ok: true });
});
