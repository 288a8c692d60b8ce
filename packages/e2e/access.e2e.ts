import { createRequire } from "node:module";
import { demo } from "@noren/database/seed";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch } from "./browser.ts";
import { Site } from "./site.ts";
import { payCash, registerOf, scan, staffOf, toTheSale } from "./till-steps.ts";

const site = new Site(inject("dashboard"));
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** What axe finds against WCAG 2.2 AA on the page as it is now: rule and where, nothing else. */
async function findings(page: Page): Promise<string[]> {
  // The contexts here bypass the pages' own policy, which refuses foreign scripts.
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() =>
    (
      globalThis as unknown as { axe: { run(context: Document, options: object): Promise<AxeResults> } }
    ).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => `${page.url()} ${id}: ${target.join(" ")}`),
  );
}

test("the till can be used by everybody: every page, empty, in use, wrong and paid", async () => {
  const context = await browser.newContext({ viewport: { width: 1024, height: 768 }, bypassCSP: true });
  const page = await context.newPage();
  const url = await site.url("pos-web-app");
  const found: string[] = [];
  const look = async () => found.push(...(await findings(page)));

  await page.goto(`${url}/`);
  await look();
  await page.fill("#code", "0000");
  await page.click("button[type=submit]");
  await page.waitForSelector(".field-error");
  await look();
  await toTheSale(page, url, registerOf("ekimae", "1"), staffOf("1002"));
  await look();
  await scan(page, demo.scan.snack);
  await look();
  await page.keyboard.type("のれん\n");
  await page.waitForSelector(".choice");
  await look();
  await page.keyboard.press("Escape");
  await page.keyboard.press("F9");
  await page.waitForSelector("#cash:visible");
  await look();
  await page.keyboard.press("Escape");
  const saleId = await payCash(page, "10000");
  await look();
  for (const path of [
    `/sales/${saleId}`,
    "/sales",
    "/items/new",
    `/receiving?code=${demo.scan.book.code}`,
    "/nowhere",
    "/sign-in",
  ]) {
    await page.goto(`${url}/pos${path}`);
    await look();
  }
  await context.close();
  expect(found).toEqual([]);
});

test("the storefront can be used by everybody, on a wide screen and on a phone", async () => {
  const url = await site.url("ec-web-app");
  const found: string[] = [];
  for (const viewport of [
    { width: 1280, height: 900 },
    { width: 390, height: 780 },
  ]) {
    const context = await browser.newContext({ viewport, bypassCSP: true });
    const page = await context.newPage();
    const look = async () => found.push(...(await findings(page)));
    for (const path of [
      "/",
      "/?q=の",
      "/?q=ありえない",
      "/cart",
      "/nowhere",
      `/p/${demo.scan.book.itemId}`,
      `/p/${demo.scan.snack.itemId}`,
    ]) {
      await page.goto(url + path);
      await look();
    }
    await page.click("text=かごに入れる");
    await look();
    await page.click("text=購入手続きへ");
    await look();
    // The browser's own checks would stop an empty form; the server's errors are what is looked at.
    await page.evaluate(() => document.querySelectorAll("form").forEach((form) => (form.noValidate = true)));
    await page.click("text=確認へ進む");
    await page.waitForSelector(".field-error");
    await look();
    await context.close();
  }
  expect(found).toEqual([]);
});
