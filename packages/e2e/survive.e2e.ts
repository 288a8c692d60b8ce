import { rm } from "node:fs/promises";
import { demo } from "@noren/database/seed";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { eventually, Site } from "./site.ts";
import { registerOf, scan, settled, staffOf, toTheSale } from "./till-steps.ts";
import { startWorkspace, type Workspace } from "./workspace.ts";

const { snack } = demo.scan;
const store = demo.stores.honten;
const clerk = staffOf("1003");

// Processes are killed here, so this file has a workspace of its own.
let workspace: Workspace;
let site: Site;
let browser: Browser;
let page: Page;
const saleIds: string[] = [];
let before: { onHand: number; reserved: number };

beforeAll(async () => {
  [workspace, browser] = await Promise.all([startWorkspace(), launch()]);
  site = new Site(workspace.running.url);
  page = await browser.newPage({ viewport: { width: 1024, height: 768 } });
  await toTheSale(page, await site.url("pos-web-app"), registerOf("honten", "1"), clerk);
  before = await site.stock(snack, store.id);
});
afterAll(async () => {
  await browser?.close();
  await workspace?.running.stop();
  if (workspace) await rm(workspace.data, { recursive: true, force: true });
});

const services = [
  "pos-web-app",
  "backend-api",
  "backend-outbox",
  "worker-transaction",
  "worker-notification",
  "worker-product",
  "worker-item",
  "worker-ec-order",
  "worker-external-ec",
  "worker-scheduled",
  "ec-web-app",
];

test("this list is every service there is", async () => {
  const running = (await site.state()).workloads.filter(({ kind }) => kind === "service");
  expect(running.map(({ name }) => name).sort()).toEqual([...services].sort());
});

test.each(services)(
  "%s is killed while a sale is paid, and the sale is settled exactly once",
  async (name) => {
    const pidOf = async () => (await site.state()).workloads.find((each) => each.name === name)?.pid;
    const pid = await eventually<number>(`${name} to run`, pidOf);
    await scan(page, snack);
    await page.keyboard.press("F9");
    await page.waitForSelector("#cash:visible");
    await page.click("#mail summary");
    await page.fill("#email", `${name}@shopper.example`);
    await page.keyboard.press("Enter");
    process.kill(pid, "SIGKILL");
    const saleId = await settled(page, 60_000);
    saleIds.push(saleId);
    await settledOnce(saleId);
    expect((await site.mails(`${name}@shopper.example`))[0]!.text).toContain("のれん煎餅");
    await eventually(`another ${name}`, async () => {
      const again = (await site.state()).workloads.find((each) => each.name === name);
      return again?.status === "ready" && again.pid !== pid;
    });
  },
);

/** One document, one cash move, one ledger move, nothing reserved any more, one recorded mail. */
async function settledOnce(saleId: string): Promise<void> {
  const count = async (table: string, where: string) =>
    (await site.rows<{ n: number }>(`select count(*)::int n from ${table} where ${where}`, [saleId]))[0]!.n;
  await eventually(
    `sale ${saleId} to be posted`,
    async () => (await count("stock_moves", "source_id = $1")) > 0,
    60_000,
  );
  await eventually(
    `the mail of sale ${saleId}`,
    async () => (await count("notifications", "dedupe_key = 'receipt/' || $1 and state = 'sent'")) > 0,
    60_000,
  );
  expect({
    sales: await count("sales", "id = $1"),
    cash: await count("cash_moves", "source_id = $1"),
    moves: await count("stock_moves", "source_id = $1"),
    held: await count("reservations", "owner_id = $1 and state = 'held'"),
    mails: await count("notifications", "dedupe_key = 'receipt/' || $1"),
  }).toEqual({ sales: 1, cash: 1, moves: 1, held: 0, mails: 1 });
}

test("eleven sales are eleven pieces less, and the ledger is the stock", async () => {
  expect(new Set(saleIds).size).toBe(services.length);
  const { onHand, reserved } = await site.stock(snack, store.id);
  expect({ onHand, reserved }).toEqual({ ...before, onHand: before.onHand - services.length });
  expect(await site.runJob("job-ensure-consistency")).toMatchObject({ ok: true });
});

test("a restart of the whole workspace finds the same data and goes on selling", async () => {
  await workspace.running.stop();
  workspace = await startWorkspace(workspace.data);
  site = new Site(workspace.running.url);
  expect((await site.stock(snack, store.id)).onHand).toBe(before.onHand - services.length);

  const url = await site.url("pos-web-app");
  const again = await browser.newPage({ viewport: { width: 1024, height: 768 } });
  await toTheSale(again, url, registerOf("honten", "1"), clerk);
  await again.goto(`${url}/pos/sales`);
  const listed = await again.textContent("table");
  const [first] = await site.rows<{ receipt_no: string }>("select receipt_no from sales where id = $1", [
    saleIds[0],
  ]);
  expect(listed).toContain(first!.receipt_no);
  await again.goto(`${url}/pos/sale`);
  await again.waitForSelector("#scan:focus");
  await scan(again, snack);
  await again.keyboard.press("F9");
  await again.waitForSelector("#cash:visible");
  await again.keyboard.press("Enter");
  await settledOnceWithoutMail(await settled(again));
});

async function settledOnceWithoutMail(saleId: string): Promise<void> {
  await eventually("the sale to be posted", async () => {
    const moves = await site.rows("select 1 from stock_moves where source_id = $1", [saleId]);
    return moves.length === 1;
  });
}
