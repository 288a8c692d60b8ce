import { demo } from "@noren/database/seed";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch } from "./browser.ts";
import { eventually, Site } from "./site.ts";
import { registerOf, staffOf, toTheSale } from "./till-steps.ts";

const site = new Site(inject("dashboard"));

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launch();
  page = await browser.newPage({ viewport: { width: 1024, height: 768 } });
  await toTheSale(page, await site.url("pos-web-app"), registerOf("honten", "2"), staffOf("1002"));
});
afterAll(() => browser.close());

test("a new item opens its products in every store, takes stock in, and can be found in the storefront", async () => {
  const code = `22${String(Date.now()).slice(-11)}`;
  const name = `試作の手ぬぐい ${code.slice(-4)}`;
  await page.click("text=商品登録");
  await page.fill("#code", code);
  await page.fill("#name", name);
  await page.fill("#kana", "しさくのてぬぐい");
  await page.check("[name=conditions][value=A]");
  await page.fill("#listPrice", "1200");
  await page.click("main button[type=submit]");
  await page.waitForURL("**/receiving?code=*");

  // worker-item opens the products a moment later; the page says so and is asked again.
  await eventually("the products to open", async () => {
    await page.reload();
    return (await page.locator("table.receiving tbody tr").count()) === 2;
  });
  const [opened] = await site.rows<{ stores: number }>(
    "select count(distinct store_id)::int stores from products join items on items.id = item_id where items.code = $1",
    [code],
  );
  expect(opened!.stores).toBe(Object.keys(demo.stores).length);

  await page.locator("[name^=qty-]").first().fill("３");
  await page.locator("[name^=cost-]").first().fill("500");
  await page.click("text=入荷を記録する");
  await page.waitForSelector("text=3点の入荷を受け付けました");
  const shop = await browser.newPage();
  await eventually("the stock to reach the storefront", async () => {
    await shop.goto(`${await site.url("ec-web-app")}/?q=${encodeURIComponent(name)}`);
    const card = await shop.locator(".item", { hasText: name }).textContent({ timeout: 2_000 });
    return card?.includes("残りわずか") ?? false;
  });
});
