import { demo } from "@noren/database/seed";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch } from "./browser.ts";
import { eventually, Site } from "./site.ts";

const site = new Site(inject("dashboard"));
const { snack } = demo.scan;

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launch();
  page = await browser.newPage();
  await page.goto(await site.url("mall-sandbox"));
});
afterAll(() => browser.close());

async function orderAtTheMall(): Promise<string> {
  await page.fill("[name=itemCode]", snack.code);
  await page.fill("[name=condition]", snack.condition);
  await page.fill("[name=qty]", "2");
  await page.fill("[name=unitYen]", "300");
  await page.click("text=注文する >> nth=-1");
  return (await page.textContent("#order-no"))!;
}

const imported = (no: string) =>
  site.rows<{ id: string; state: string; held: number }>(
    `select o.id, o.state, (select coalesce(sum(qty), 0)::int from reservations
       where owner_type = 'order' and owner_id = o.id and state = 'held') held
       from orders o where mall_order_no = $1`,
    [no],
  );

test("a mall's mail becomes one order with its goods reserved, although the mail comes twice and the API fails", async () => {
  await page.fill("#count", "1");
  await page.click("text=設定");
  const no = await orderAtTheMall();
  await eventually("the mall's order to be imported and reserved", async () => {
    const [order] = await imported(no);
    return order?.state === "paid" && order.held === 2;
  });
  await page.click("text=同じメールをもう一度送る >> nth=0");
  // A later order overtakes nothing: when it is there, the second mail has been read too.
  const next = await orderAtTheMall();
  await eventually("the next order", async () => (await imported(next))[0]?.held === 2);
  expect(await imported(no)).toHaveLength(1);
});

test("an order cancelled at the mall releases its goods", async () => {
  const before = await site.stock(snack);
  const no = await orderAtTheMall();
  await eventually("the import", async () => (await imported(no))[0]?.held === 2);
  await page.click("text=取り消す >> nth=0");
  await eventually("the release", async () => (await imported(no))[0]?.held === 0);
  expect(await site.stock(snack)).toEqual(before);
});
