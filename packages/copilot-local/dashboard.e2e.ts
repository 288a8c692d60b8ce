import chromium from "@sparticuz/chromium";
import { chromium as playwright, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { start, type Running } from "./index.ts";
import { tinyWorkspace } from "./testing.ts";

const workspace = tinyWorkspace();
let running: Running;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  [running, browser] = await Promise.all([
    start({ root: workspace.root, environment: "test", port: 0, freePorts: true }),
    launch(),
  ]);
  await running.ready();
  page = await browser.newPage({ locale: "ja-JP", viewport: { width: 390, height: 800 } });
  page.on("pageerror", (error) => complaints.push(error.message));
  // Among them: what the content security policy refused.
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(running.url);
});
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  workspace.remove();
});

async function launch(): Promise<Browser> {
  const own = process.env.CHROME_PATH;
  if (own) return playwright.launch({ executablePath: own });
  const args = chromium.args.filter((arg) => arg !== "--single-process" && arg !== "--no-zygote");
  return playwright.launch({ executablePath: await chromium.executablePath(), args });
}

test("shows every workload with its state, the setup's notes and where to go", async () => {
  const rows = page.locator("#workloads tbody tr");
  for (const name of ["web", "api", "worker-raw", "worker-wrapped", "mail-hook", "partner"]) {
    await rows
      .filter({ has: page.getByRole("rowheader", { name }) })
      .getByText("稼働中")
      .waitFor();
  }
  await page.locator("#notes").getByText("1234").waitFor();
  expect(await page.getByRole("navigation").getByRole("link", { name: "店" }).getAttribute("href")).toMatch(
    /\/shop$/,
  );
});

test("fits a telephone, a tablet and a desk: nothing scrolls sideways or lies under its neighbour", async () => {
  for (const width of [1440, 1160, 1024, 770, 390]) {
    await page.setViewportSize({ width, height: 800 });
    const beyond = await page.evaluate(
      "[document.documentElement, ...document.querySelectorAll('section')].map((each) => each.scrollWidth - each.clientWidth)",
    );
    expect(new Set(beyond as number[])).toEqual(new Set([0]));
  }
});

test("runs a job at a press, and shows its log", async () => {
  await page.getByRole("button", { name: "今すぐ実行" }).click();
  await page.locator("#jobs").getByText("成功").waitFor();
  await page.locator("#logs").getByText("counted for job-count").waitFor();
  expect(await page.getByLabel("対象").inputValue()).toBe("job-count");
});

test("finds a line by a word of it", async () => {
  await page.getByLabel("対象").selectOption("全て");
  await page.getByLabel("検索").fill("COUNTED");
  // With the writer's name in front, as only the view of all has it.
  await page.locator("#logs div", { hasText: "job-count counted for job-count" }).waitFor();
  expect(await page.locator("#logs").innerText()).not.toContain("web listens");
});

test("opens a mail, whose scripts and pictures from outside stay dead", async () => {
  const html = `<h1>レシート</h1><script>parent.document.title = "taken over"</script><img src="${running.url}/api/state">`;
  await fetch(`${running.url}/v2/email/outbound-emails`, {
    method: "POST",
    body: JSON.stringify({
      FromEmailAddress: "noren@example.com",
      Destination: { ToAddresses: ["shopper@example.com"] },
      Content: { Simple: { Subject: { Data: "お買い上げ" }, Body: { Html: { Data: html } } } },
    }),
  });
  const before = complaints.length;
  await page.getByRole("button", { name: "お買い上げ" }).click();
  await page.frameLocator("dialog iframe").getByRole("heading", { name: "レシート" }).waitFor();
  expect(await page.title()).not.toContain("taken over");
  // The browser says what it refused; that is the proof, and no complaint.
  expect(complaints.splice(before).join("\n")).toContain("Blocked script execution");
  await page.getByRole("button", { name: "閉じる" }).click();
});

test("says so when the runner is gone, and had nothing to complain about until then", async () => {
  expect(complaints).toEqual([]);
  await running.stop();
  await page.getByText("ランナーは止まっています").waitFor();
});
