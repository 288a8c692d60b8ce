import { rm } from "node:fs/promises";
import { demo } from "@noren/database/seed";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { eventually, Site } from "./site.ts";
import { payCash, registerOf, scan, settled, staffOf, toTheSale } from "./till-steps.ts";
import { startWorkspace, type Workspace } from "./workspace.ts";

const { snack } = demo.scan;
const store = demo.stores.honten;
const clerk = staffOf("1003");

// Processes are killed here, so this file has a workspace of its own.
let workspace: Workspace;
let site: Site;
let browser: Browser;
let page: Page;
/** By the service that was killed during it. */
const saleIds = new Map<string, string>();
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

test.each(services)("a sale is paid although %s is killed meanwhile, and it comes back", async (name) => {
  const pidOf = async () => (await site.state()).workloads.find((each) => each.name === name)?.pid;
  const pid = await eventually<number>(`${name} to run`, pidOf);
  await scan(page, snack);
  await page.keyboard.press("F9");
  await page.waitForSelector("#cash:visible");
  await page.click("#mail summary");
  await page.fill("#email", `${name}@shopper.example`);
  await page.keyboard.press("Enter");
  process.kill(pid, "SIGKILL");
  saleIds.set(name, await settled(page, 60_000));
  expect(await page.textContent("#done-change")).toBe("¥0");
  await eventually(`another ${name}`, async () => {
    const again = (await site.state()).workloads.find((each) => each.name === name);
    return again?.status === "ready" && again.pid !== pid;
  });
});

/** What there is of a sale once everything has been done: each part exactly once, nothing reserved any more. */
const settledOnce = { sales: 1, cash: 1, moves: 1, held: 0, mails: 1 };
const partsOf = (saleId: string) =>
  site.rows<typeof settledOnce>(
    `select (select count(*)::int from sales where id = $1) sales,
            (select count(*)::int from cash_moves where source_id = $1) cash,
            (select count(*)::int from stock_moves where source_id = $1) moves,
            (select count(*)::int from reservations where owner_id = $1 and state = 'held') held,
            (select count(*)::int from notifications where dedupe_key = 'receipt/' || $2 and state = 'sent') mails`,
    [saleId, saleId],
  );

// A message that a killed worker had in its hands comes back when its visibility has run out (60 s in the manifests).
test("all of them are settled exactly once", { timeout: 180_000 }, async () => {
  for (const [name, saleId] of saleIds) {
    await eventually(
      `everything of the sale during which ${name} was killed`,
      async () => {
        const [parts] = await partsOf(saleId);
        return parts!.moves > 0 && parts!.mails > 0;
      },
      120_000,
    );
    expect([name, ...(await partsOf(saleId))]).toEqual([name, settledOnce]);
    expect((await site.mails(`${name}@shopper.example`))[0]!.text).toContain("のれん煎餅");
  }
  expect(saleIds.size).toBe(services.length);
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
  const [first] = await site.rows<{ receipt_no: string }>("select receipt_no from sales where id = $1", [
    saleIds.get("backend-api"),
  ]);
  expect(await again.textContent("table")).toContain(first!.receipt_no);
  await again.goto(`${url}/pos/sale`);
  await again.waitForSelector("#scan:focus");
  await scan(again, snack);
  const saleId = await payCash(again, "");
  await eventually(
    "the sale after the restart to be posted",
    async () => (await partsOf(saleId))[0]!.moves === 1,
  );
});
