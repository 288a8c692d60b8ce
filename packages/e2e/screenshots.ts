import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { demo } from "@noren/database/seed";
import { fontAssets } from "@noren/web/files";
import { launch } from "./browser.ts";
import { Site } from "./site.ts";
import { payCash, registerOf, scan, staffOf, toTheSale } from "./till-steps.ts";

// `node screenshots.ts [address of the dashboard]`: the README's pictures, taken of a workspace that runs (npm start).
const site = new Site(process.argv[2] ?? "http://127.0.0.1:4000");
const folder = join(import.meta.dirname, "../../docs/images");
await mkdir(folder, { recursive: true });
const browser = await launch();

async function picture(name: string, width: number, height: number, script = true) {
  const context = await browser.newContext({ viewport: { width, height }, javaScriptEnabled: script });
  const page = await context.newPage();
  return {
    page,
    async take(suffix = "") {
      // Every character of the own font must be there before the picture is.
      if (script) await page.evaluate(() => document.fonts.ready);
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: join(folder, `${name}${suffix}.png`) });
    },
  };
}

const till = await picture("till", 1024, 768);
await toTheSale(till.page, await site.url("pos-web-app"), registerOf("honten", "1"), staffOf("1003"));
await scan(till.page, demo.scan.book);
await scan(till.page, demo.scan.snack);
await scan(till.page, demo.scan.snack);
await till.take("-sale");
await payCash(till.page, "5000", "hanako@shopper.example");
await till.take("-change");
await till.page.click("#done-receipt");
await till.page.waitForSelector(".receipt");
await till.take("-receipt");

for (const [name, width, height] of [
  ["storefront", 1280, 860],
  ["storefront-phone", 390, 780],
] as const) {
  const shop = await picture(name, width, height);
  await shop.page.goto(await site.url("ec-web-app"));
  await shop.take();
}

// The dashboard uses the machine's fonts, and this browser has no Japanese one: it borrows the storefront's.
const dashboard = await browser.newPage({ viewport: { width: 1280, height: 900 }, bypassCSP: true });
const fonts = new Map(fontAssets().map((file) => [`/fonts/${file.name}`, file]));
await dashboard.route("**/fonts/**", async (route) => {
  const font = fonts.get(new URL(route.request().url()).pathname)!;
  const body = typeof font.body === "function" ? await font.body() : font.body;
  await route.fulfill({ contentType: font.type, body });
});
await dashboard.goto(site.dashboard);
await dashboard.addStyleTag({ url: "/fonts/font.css" });
await dashboard.addStyleTag({
  content: `body, button, input, select { font-family: "Noren Sans", sans-serif }`,
});
await dashboard.waitForSelector("text=pos-web-app");
await dashboard.evaluate(() => document.fonts.ready);
await dashboard.screenshot({ path: join(folder, "dashboard.png") });

await browser.close();
