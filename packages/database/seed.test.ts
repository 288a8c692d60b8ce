import { spawn } from "node:child_process";
import { once } from "node:events";
import { isJan } from "@noren/commerce";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { companyByStorefront, registerByEnrolmentCode } from "./lookups.ts";
import { verifyPin } from "./pin.ts";
import { demo, notes, seed } from "./seed.ts";
import { inCompany } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

const now = new Date("2026-11-24T03:00:00Z");
let database: TestDatabase;
let created: string[];
let tookMs: number;

beforeAll(async () => {
  database = await testDatabase();
  const start = performance.now();
  created = await seed(database.owner, now);
  tookMs = performance.now() - start;
});
afterAll(() => database.drop());

/** Every row of every table, as text, seen by a superuser; what the clock writes is left out. */
async function everything(of: TestDatabase): Promise<Record<string, string[]>> {
  const { pool } = of.connect("postgres");
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace
       and c.relkind = 'r' and not c.relispartition and c.relname <> 'migration'`,
  );
  const all: Record<string, string[]> = {};
  for (const { name } of rows) {
    const { rows: lines } = await pool.query<{ line: string }>(
      `select (to_jsonb(t) - '{recorded_at,created_at,updated_at,fetched_at}'::text[])::text as line from ${name} t`,
    );
    all[name] = lines.map(({ line }) => line).sort();
  }
  return all;
}

test("fills both companies in a few seconds", () => {
  expect(created).toEqual(["のれん堂", "別の店"]);
  // 0.7 s on a quiet machine of two cores; the bar is 3 s, the rest is for a busy one.
  expect(tookMs).toBeLessThan(10_000);
});

test("a second run changes nothing, whenever it comes", async () => {
  const before = await everything(database);
  expect(await seed(database.owner, new Date("2027-01-01T00:00:00Z"))).toEqual([]);
  expect(await everything(database)).toEqual(before);
});

test("another database gets the same data, row by row", async () => {
  const other = await testDatabase();
  await seed(other.owner, now);
  const [mine, theirs] = [await everything(database), await everything(other)];
  await other.drop();
  // Reservations and due rows get their ids from the clock, as in the shop; everything else from its key.
  const known = (all: typeof mine) =>
    Object.fromEntries(
      Object.entries(all).map(([table, lines]) => [
        table,
        ["reservations", "schedules"].includes(table)
          ? lines.map((line) => line.replace(/"id": "[^"]+"/, ""))
          : lines,
      ]),
    );
  expect(known(mine)).toEqual(known(theirs));
});

test("is a shop of the promised size", async () => {
  const counts = await inCompany(database.owner, demo.company.id, async (tx) => {
    const { rows } = await sql<Record<string, number>>`select
      (select count(*) from stores) as stores, (select count(*) from categories) as categories,
      (select count(*) from items) as items, (select count(*) from products) as products,
      (select count(*) from sales) as sales, (select count(*) from listings) as listings`.execute(tx);
    return rows[0];
  });
  expect(counts).toMatchObject({ stores: 4, categories: 8, items: 200, sales: 36 });
  expect(counts?.["products"]).toBeGreaterThan(800);
  expect(counts?.["listings"]).toBeGreaterThan(20);
});

test.each([
  [
    "on hand is the sum of the moves",
    sql`select l.product_id from stock_levels l
      where on_hand <> (select coalesce(sum(qty), 0) from stock_moves m where m.product_id = l.product_id)`,
  ],
  [
    "reserved is the sum of what is held",
    sql`select l.product_id from stock_levels l where reserved <>
      (select coalesce(sum(qty), 0) from reservations r where r.product_id = l.product_id and state = 'held')`,
  ],
  [
    "every sale of a product is in the ledger",
    sql`select sale_id from sale_lines l where not exists (select from stock_moves m
      where m.source_id = l.sale_id and m.line_no = l.line_no and m.kind = 'sale' and m.qty = -l.qty)`,
  ],
  ["no stock is below nothing", sql`select product_id from stock_levels where available < 0`],
  [
    "every drawer holds its float and its cash moves",
    sql`select id from register_sessions s where expected_yen <> float_yen +
      (select coalesce(sum(amount_yen), 0) from cash_moves c where c.session_id = s.id)`,
  ],
])("its books balance: %s", async (_, check) => {
  for (const { id } of [demo.company, demo.otherCompany]) {
    expect(await inCompany(database.owner, id, async (tx) => (await check.execute(tx)).rows)).toEqual([]);
  }
});

test("nothing waits in the outbox: the demo begins as if all had been published", async () => {
  const { rows } = await database.connect("backend_outbox").pool.query("select count(*) as n from outbox");
  expect(rows).toEqual([{ n: 0 }]);
});

describe("what a newcomer is told is true", () => {
  test("each enrolment code opens its register", async () => {
    const api = database.connect("backend_api");
    for (const { enrolmentCode, id, store } of demo.registers) {
      expect(await registerByEnrolmentCode(api, enrolmentCode)).toEqual({
        companyId: demo.company.id,
        storeId: demo.stores[store].id,
        registerId: id,
      });
      expect(await registerByEnrolmentCode(api, enrolmentCode.toLowerCase().replace("-", " "))).toBeDefined();
    }
    expect(await registerByEnrolmentCode(api, "NOREN-HON9")).toBeUndefined();
  });

  test("each person's PIN is right, and another's is wrong", async () => {
    const staff = await inCompany(database.owner, demo.company.id, (tx) =>
      tx.selectFrom("staff").select(["code", "pin_hash"]).orderBy("code").execute(),
    );
    expect(staff.map(({ code }) => code)).toEqual(demo.staff.map(({ code }) => code));
    for (const [index, { pin }] of demo.staff.entries()) {
      expect(await verifyPin(pin, staff[index]?.pin_hash)).toBe(true);
      expect(await verifyPin("000000", staff[index]?.pin_hash)).toBe(false);
    }
  });

  test("each code to scan is in stock at 本店, and its name is the one told", async () => {
    for (const scan of Object.values(demo.scan)) {
      const found = await inCompany(database.owner, demo.company.id, (tx) =>
        tx
          .selectFrom("products")
          .innerJoin("items", "items.id", "products.item_id")
          .innerJoin("stock_levels", "stock_levels.product_id", "products.id")
          .select(["items.id as itemId", "items.code", "items.name", "products.condition", "available"])
          .where("items.code", "=", scan.code)
          .where("products.condition", "=", scan.condition)
          .where("store_id", "=", demo.stores.honten.id)
          .executeTakeFirstOrThrow(),
      );
      expect(found).toEqual({ ...scan, available: 20 });
    }
  });

  test("every code is a whole JAN code for use inside a store", async () => {
    const items = await inCompany(database.owner, demo.company.id, (tx) =>
      tx.selectFrom("items").select("code").execute(),
    );
    expect(items.filter(({ code }) => !isJan(code) || !/^2[0-9]/.test(code))).toEqual([]);
  });

  test("the storefront's code is the company", async () => {
    expect(
      await companyByStorefront(database.connect("backend_api"), { companyCode: demo.company.code }),
    ).toBe(demo.company.id);
  });
});

test("the command says what it did in JSON lines, the notes last, and does nothing the second time", async () => {
  const other = await testDatabase();
  const run = async () => {
    const { host, port, name, user } = other.settings;
    const child = spawn(process.execPath, ["seed.ts"], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        DATABASE_HOST: host,
        DATABASE_PORT: String(port),
        DATABASE_NAME: name,
        DATABASE_USER: user,
      },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    return {
      code,
      lines: output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    };
  };
  const [first, second] = [await run(), await run()];
  await other.drop();
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(first.lines[0]).toMatchObject({ companies: ["のれん堂", "別の店"] });
  expect(second.lines[0]).toMatchObject({ msg: "The demo data are there already." });
  expect(first.lines.at(-1)).toEqual({ notes });
  expect(second.lines.at(-1)).toEqual({ notes });
});
