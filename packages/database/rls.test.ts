import { newId } from "@noren/events";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "./connect.ts";
import { openShop, type Shop } from "./fixture.ts";
import {
  companyByStorefront,
  companyIds,
  enterMallAccount,
  hashEnrolmentCode,
  hashToken,
  registerByDevice,
  registerByEnrolmentCode,
} from "./lookups.ts";
import { inCompany } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

// Tables without a company, each for a reason; every other one is tested below, those to come included.
const shared = new Map([
  ["tax_rates", "the country's rates"],
  ["migration", "what the migrator has applied; no workload may read it"],
  ["outbox", "events of all companies; the relay alone reads it"],
  ["relay_member", "running relays"],
  ["consumer", "names of consumers"],
  ["inbox", "ids of handled events"],
  ["inbox_stray", "ids of handled events"],
  ["parked_group", "groups that wait, seen by the consumer that parked them"],
  ["parked", "messages that wait"],
  ["attempt", "started receives"],
  ["operator_log", "what operators did to messages; no workload may read it"],
]);

let database: TestDatabase;
let app: Database;
let superuser: Database;
let [mine, theirs]: Shop[] = [];
let tables: { name: string; company: string; key: string[]; rights: string }[];

beforeAll(async () => {
  database = await testDatabase();
  app = database.connect("backend_api");
  superuser = database.connect("postgres");
  mine = await openShop(database);
  theirs = await openShop(database);
  const { rows } = await superuser.pool.query<(typeof tables)[number]>(`
    select c.relname as name,
      case when c.relname = 'companies' then 'id' else 'company_id' end as company,
      (select array_agg(a.attname::text order by array_position(i.indkey::int[], a.attnum::int))
        from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisprimary) as key,
      concat_ws(',', case when has_table_privilege('noren_app', c.oid, 'insert') then 'insert' end,
        case when has_table_privilege('noren_app', c.oid, 'update') then 'update' end,
        case when has_table_privilege('noren_app', c.oid, 'delete') then 'delete' end) as rights
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
    order by c.relname`);
  tables = rows.filter(({ name }) => !shared.has(name));
  await fillEveryTable(theirs);
  await fillEveryTable(mine);
});
afterAll(() => database.drop());

/** Puts a row of the shop's company into every table that has none yet: the minimum that its constraints allow. */
async function fillEveryTable(shop: Shop | undefined): Promise<void> {
  if (!shop) throw new Error("no shop");
  const { companyId: company_id, storeId: store_id, registerId, staffId, itemId, productId } = shop;
  const [saleId, sessionId, orderId, mallId, shipmentId, receivingId, refundId, buybackId] = Array.from(
    { length: 8 },
    () => newId(),
  );
  const at = "2026-11-24T03:00:00Z";
  const rows: Record<string, object> = {
    staff_stores: { staff_id: staffId, store_id },
    reservations: {
      id: newId(),
      product_id: productId,
      owner_type: "order",
      owner_id: orderId,
      line_no: 1,
      qty: 1,
    },
    receivings: { id: receivingId, store_id, received_at: at },
    receiving_lines: {
      receiving_id: receivingId,
      line_no: 1,
      product_id: productId,
      qty: 1,
      unit_cost_yen: 1,
    },
    register_sessions: {
      id: sessionId,
      store_id,
      register_id: registerId,
      business_date: "2026-11-24",
      float_yen: 0,
      opened_at: at,
      opened_by: staffId,
    },
    sales: {
      id: saleId,
      store_id,
      session_id: sessionId,
      register_id: registerId,
      register_seq: 1,
      receipt_no: "honten-1-000001",
      business_date: "2026-11-24",
      staff_id: staffId,
      total_yen: 500,
      completed_at: at,
    },
    sale_lines: {
      sale_id: saleId,
      line_no: 1,
      product_id: productId,
      name: "本",
      tax_class: "standard",
      rate_pct: 10,
      unit_price_yen: 500,
      qty: 1,
    },
    sale_taxes: { sale_id: saleId, rate_pct: 10, gross_yen: 500, tax_yen: 45 },
    sale_payments: { sale_id: saleId, line_no: 1, method: "cash", amount_yen: 500, tendered_yen: 500 },
    refunds: {
      id: refundId,
      sale_id: saleId,
      n: 1,
      store_id,
      session_id: sessionId,
      register_id: registerId,
      business_date: "2026-11-24",
      staff_id: staffId,
      reason: "初期不良",
      total_yen: 500,
      refunded_at: at,
    },
    refund_lines: {
      sale_id: saleId,
      refund_id: refundId,
      line_no: 1,
      qty: 1,
      amount_yen: 500,
      restock: true,
    },
    refund_taxes: { sale_id: saleId, refund_id: refundId, rate_pct: 10, gross_yen: 500, tax_yen: 45 },
    refund_payments: { sale_id: saleId, refund_id: refundId, line_no: 1, amount_yen: 500 },
    cash_moves: {
      id: newId(),
      session_id: sessionId,
      kind: "sale",
      amount_yen: 500,
      source_type: "sale",
      source_id: saleId,
      occurred_at: at,
    },
    buybacks: {
      id: buybackId,
      store_id,
      total_yen: 100,
      identity_duty: true,
      appraised_by: staffId,
      appraised_at: at,
    },
    buyback_lines: {
      buyback_id: buybackId,
      line_no: 1,
      item_id: itemId,
      condition: "A",
      name: "本",
      category: "本",
      identity_always: true,
      qty: 1,
      unit_price_yen: 100,
    },
    buyback_identities: {
      id: newId(),
      buyback_id: buybackId,
      name: "山田花子",
      address: "東京都千代田区1-1",
      occupation: "会社員",
      birth_date: "1990-04-01",
      document_kind: "driving_licence",
      checked_by: staffId,
      checked_at: at,
      keep_until: "2029-11-24",
    },
    mall_accounts: {
      id: mallId,
      code: "mall-a",
      name: "モール",
      mail_key: `mall-${company_id}`,
      secret_name: "KEY",
    },
    orders: {
      id: orderId,
      no: "N1",
      channel: "mall",
      state: "paid",
      method: "mall",
      total_yen: 500,
      mall_account_id: mallId,
      mall_order_no: "A-1",
      placed_at: at,
    },
    order_lines: {
      order_id: orderId,
      line_no: 1,
      name: "本",
      tax_class: "standard",
      rate_pct: 10,
      unit_price_yen: 500,
      qty: 1,
    },
    order_taxes: { order_id: orderId, rate_pct: 10, gross_yen: 500, tax_yen: 45 },
    shipments: { id: shipmentId, order_id: orderId, store_id },
    shipment_lines: { shipment_id: shipmentId, line_no: 1, order_line_no: 1, product_id: productId, qty: 1 },
    payments: {
      id: newId(),
      order_id: orderId,
      method: "mall",
      amount_yen: 500,
      state: "captured",
      provider: "mall",
      idempotency_key: "1",
    },
    listings: {
      id: newId(),
      mall_account_id: mallId,
      item_id: itemId,
      condition: "A",
      mall_sku: "sku",
      wanted_price_yen: 500,
    },
    mall_orders: { mall_account_id: mallId, mall_order_no: "A-1", order_id: orderId, raw: "{}" },
    schedules: { id: newId(), kind: "order.deadline", subject_id: orderId, due_at: "2026-01-01T00:00:00Z" },
    notifications: { id: newId(), kind: "receipt", recipient: "a@example.com", dedupe_key: "1" },
    notices: { id: newId(), kind: "low_stock", dedupe_key: "1" },
    daily_totals: { store_id, business_date: "2026-11-24" },
    stock_snapshots: { product_id: productId, business_date: "2026-11-24", on_hand: 1, reserved: 0 },
    audit_log: {
      id: newId(),
      actor_type: "system",
      action: "test",
      subject_type: "sale",
      subject_id: saleId,
    },
    api_requests: { key: newId(), route: "/sales", request_hash: "x", status: 201, response: "{}" },
  };
  await inCompany(database.owner, company_id, async (tx) => {
    for (const [table, row] of Object.entries(rows)) {
      await tx
        .insertInto(table as "notices")
        .values({ company_id, ...row } as never)
        .execute();
    }
  });
}

const inMine = <T>(
  ask: (run: (text: string) => Promise<{ rows: object[]; affected: number }>) => Promise<T>,
) =>
  inCompany(app, mine?.companyId as string, (tx) =>
    ask(async (text) => {
      const { rows, numAffectedRows } = await sql.raw<object>(text).execute(tx);
      return { rows, affected: Number(numAffectedRows ?? rows.length) };
    }),
  );

describe("every table", () => {
  test("carries a company, has row-level security forced on its owner too, and a row of both companies here", async () => {
    const { rows } = await superuser.pool.query<{ name: string }>(
      `select relname as name from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and not relispartition and relrowsecurity and relforcerowsecurity
         and exists (select from pg_policies p where p.tablename = c.relname and p.policyname = 'company'
           and p.permissive = 'PERMISSIVE' and p.cmd = 'ALL' and p.qual = p.with_check) order by relname`,
    );
    expect(rows.map(({ name }) => name)).toEqual(tables.map(({ name }) => name));
    expect(tables.length).toBeGreaterThan(35);
    for (const { name, company } of tables) {
      const found = await superuser.pool.query(`select distinct ${company} from ${name}`);
      expect([name, found.rowCount]).toEqual([name, 2]);
    }
  });

  test("shows nothing at all without a company, to a workload and to the owner, also after a transaction that had one", async () => {
    for (const { name } of tables) {
      for (const { pool } of [app, database.owner]) {
        expect([name, (await pool.query(`select 1 from ${name} limit 1`)).rowCount]).toEqual([name, 0]);
      }
    }
    const client = await app.pool.connect();
    await client.query(`begin; select set_config('app.company_id', '${mine?.companyId}', true); commit`);
    expect((await client.query("select 1 from products")).rowCount).toBe(0);
    client.release();
  });

  test("shows company A its own rows and none of B", async () => {
    for (const { name, company } of tables) {
      const seen = await inMine((run) => run(`select distinct ${company} as company from ${name}`));
      expect([name, seen.rows]).toEqual([name, [{ company: mine?.companyId }]]);
    }
  });

  test("lets company A change or delete no row of B", async () => {
    const reached: string[] = [];
    for (const { name, company, rights } of tables) {
      const foreign = `where ${company} = '${theirs?.companyId}'`;
      const attempts = {
        update: `update ${name} set ${company} = ${company} ${foreign}`,
        delete: `delete from ${name} ${foreign}`,
      };
      for (const [right, text] of Object.entries(attempts)) {
        if (!rights.includes(right)) continue;
        const { affected } = await inMine((run) => run(text));
        if (affected > 0) reached.push(`${right} ${name}`);
      }
    }
    expect(reached).toEqual([]);
  });

  test("refuses a row that company A writes, or moves, into B", async () => {
    const answers: string[] = [];
    for (const { name, company, rights } of tables) {
      const { rows } = await superuser.pool.query<{ list: string }>(
        `select string_agg(column_name, ', ') as list from information_schema.columns
         where table_name = '${name}' and is_generated = 'NEVER'`,
      );
      const columns = rows[0]?.list;
      const attempts = {
        insert: `insert into ${name} (${columns}) select ${columns} from jsonb_populate_record(null::${name},
          (select to_jsonb(t) || jsonb_build_object('${company}', '${theirs?.companyId}') from ${name} t limit 1))`,
        update: `update ${name} set ${company} = '${theirs?.companyId}'`,
      };
      for (const [right, text] of Object.entries(attempts)) {
        if (!rights.includes(right)) continue;
        const answer = await inMine((run) => run(text)).then(
          () => "allowed",
          (error: Error) => error.message,
        );
        answers.push(`${right} ${name}: ${answer}`);
      }
    }
    expect(answers.length).toBeGreaterThan(60);
    expect(answers.filter((answer) => !answer.includes("violates row-level security policy"))).toEqual([]);
  });

  test("keeps its foreign keys inside the company", async () => {
    const { rows } = await superuser.pool.query(`
      select k.conrelid::regclass as table, k.conname from pg_constraint k
      where k.contype = 'f' and k.connamespace = 'public'::regnamespace
        and exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'company_id')
        and not (exists (select from pg_attribute a where a.attrelid = k.conrelid
            and a.attnum = any(k.conkey) and a.attname = 'company_id')
          and exists (select from pg_attribute a where a.attrelid = k.confrelid
            and a.attnum = any(k.confkey) and a.attname = 'company_id'))`);
    expect(rows).toEqual([]);
  });

  test("has the company in every unique index, so that a refusal tells nothing about others", async () => {
    const { rows } = await superuser.pool.query<{ name: string }>(
      `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
       where i.indisunique and c.relnamespace = 'public'::regnamespace and i.indrelid::regclass::text = any($1)
         and not exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey)
           and a.attname = case when i.indrelid = 'companies'::regclass then 'id' else 'company_id' end)`,
      [tables.map(({ name }) => name)],
    );
    // These are names in one space for all: what is looked up before the company is known.
    expect(rows.map(({ name }) => name).sort()).toEqual([
      "companies_code_key",
      "companies_storefront_host_key",
      "mall_accounts_mail_key_key",
      "registers_device_hash_key",
      "registers_enrolment_hash_key",
    ]);
  });
});

test("a link to another company's row cannot exist, even for a superuser", async () => {
  const link = superuser.pool.query(
    `insert into staff_stores (company_id, staff_id, store_id) values ($1, $2, $3)`,
    [mine?.companyId, mine?.staffId, theirs?.storeId],
  );
  await expect(link).rejects.toThrow("staff_stores_company_id_store_id_fkey");
});

test("append-only rows are changed by nobody, the superuser included", async () => {
  const appendOnly = tables.filter(({ rights }) => rights === "insert");
  expect(appendOnly.map(({ name }) => name)).toEqual([
    "audit_log",
    "buyback_lines",
    "cash_moves",
    "order_lines",
    "order_taxes",
    "receiving_lines",
    "refund_lines",
    "refund_payments",
    "refund_taxes",
    "refunds",
    "sale_lines",
    "sale_payments",
    "sale_taxes",
    "stock_moves",
  ]);
  for (const { name } of appendOnly) {
    await expect(superuser.pool.query(`update ${name} set company_id = company_id`)).rejects.toThrow(
      "are never changed",
    );
    await expect(superuser.pool.query(`delete from ${name}`)).rejects.toThrow("are never changed");
  }
});

test("documents are not deleted by any workload", () => {
  const kept = new Set([
    "sales",
    "orders",
    "payments",
    "register_sessions",
    "shipments",
    "receivings",
    "reservations",
    "buybacks",
  ]);
  const rights = tables.filter(({ name }) => kept.has(name)).map((table) => table.rights);
  expect(rights).toEqual(Array.from({ length: kept.size }, () => "insert,update"));
});

test("staff with fixed stores read every store and write only to theirs", async () => {
  const companyId = mine?.companyId as string;
  const otherStore = newId();
  await inCompany(app, companyId, (tx) =>
    tx
      .insertInto("stores")
      .values({ company_id: companyId, id: otherStore, code: "b", name: "二号店" })
      .execute(),
  );
  const register = (store_id: string, code: string) => ({
    company_id: companyId,
    id: newId(),
    store_id,
    code,
  });
  const bound = { storeIds: [mine?.storeId as string] };
  await inCompany(app, companyId, (tx) =>
    tx.insertInto("registers").values(register(otherStore, "1")).execute(),
  );
  await inCompany(
    app,
    companyId,
    async (tx) => {
      await tx
        .insertInto("registers")
        .values(register(mine?.storeId as string, "9"))
        .execute();
      expect(
        await tx.selectFrom("registers").select("code").where("store_id", "=", otherStore).execute(),
      ).toHaveLength(1);
      const changed = await tx
        .updateTable("registers")
        .set({ last_seq: 5 })
        .where("store_id", "=", otherStore)
        .execute();
      expect(changed[0]?.numUpdatedRows).toBe(0n);
    },
    bound,
  );
  const foreign = inCompany(
    app,
    companyId,
    (tx) => tx.insertInto("registers").values(register(otherStore, "2")).execute(),
    bound,
  );
  await expect(foreign).rejects.toThrow("row-level security");
});

describe("before the company is known", () => {
  test("a device's token and an enrolment code find their register, and nothing else does", async () => {
    const shop = theirs as Shop;
    await inCompany(database.owner, shop.companyId, (tx) =>
      tx
        .updateTable("registers")
        .set({ device_hash: hashToken("device"), enrolment_hash: hashEnrolmentCode("AB12-CD34") })
        .where("id", "=", shop.registerId)
        .execute(),
    );
    const identity = { companyId: shop.companyId, storeId: shop.storeId, registerId: shop.registerId };
    expect(await registerByDevice(app, "device")).toEqual(identity);
    expect(await registerByDevice(app, "another")).toBeUndefined();
    expect(await registerByEnrolmentCode(app, "ab12 cd34")).toEqual(identity);
    await inCompany(database.owner, shop.companyId, (tx) =>
      tx.updateTable("registers").set({ enrolment_expires_at: "2026-01-01T00:00:00Z" }).execute(),
    );
    expect(await registerByEnrolmentCode(app, "AB12-CD34")).toBeUndefined();
  });

  test("a storefront's host wins over a code, and an unknown one is nobody's", async () => {
    const [a, b] = [mine as Shop, theirs as Shop];
    await inCompany(database.owner, a.companyId, (tx) =>
      tx.updateTable("companies").set({ storefront_host: "shop.example" }).execute(),
    );
    const companyCode = `c-${b.companyId.slice(-12)}`;
    expect(await companyByStorefront(app, { companyCode })).toBe(b.companyId);
    expect(await companyByStorefront(app, { host: "shop.example", companyCode })).toBe(a.companyId);
    expect(await companyByStorefront(app, { host: "other.example" })).toBeUndefined();
    expect(await companyByStorefront(app, {})).toBeUndefined();
  });

  test("a job gets the list of companies", async () => {
    expect(new Set(await companyIds(app))).toEqual(new Set([mine?.companyId, theirs?.companyId]));
  });

  test("a mall's mail enters the company of its account", async () => {
    await inCompany(app, "00000000-0000-0000-0000-000000000000", async (tx) => {
      expect(await tx.selectFrom("orders").select("id").execute()).toEqual([]);
      expect(await enterMallAccount(tx, "nobody")).toBeUndefined();
      const account = await enterMallAccount(tx, `mall-${theirs?.companyId}`);
      expect(account?.companyId).toBe(theirs?.companyId);
      expect(await tx.selectFrom("orders").select("company_id").execute()).toEqual([
        { company_id: theirs?.companyId },
      ]);
    });
  });
});

describe("roles", () => {
  test("no workload is more than a member of its group, and each has its limits", async () => {
    const { rows } = await superuser.pool.query<{ name: string; more: boolean; settings: string[] }>(
      `select rolname as name, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as more,
         rolconfig as settings from pg_roles where rolcanlogin and rolname not in ('postgres', 'noren')`,
    );
    expect(rows.map(({ name }) => name)).toContain("backend_api");
    for (const { name, more, settings } of rows) {
      expect([name, more, settings]).toEqual([
        name,
        false,
        [
          `statement_timeout=${name === "backend_api" ? "5s" : "30s"}`,
          "idle_in_transaction_session_timeout=10s",
          "lock_timeout=5s",
        ],
      ]);
    }
  });

  test("the operator sees what waits between the workloads and nothing of the shop, and cannot forge or change the log", async () => {
    const operator = database.connect("noren_operator");
    const ask = (text: string) => operator.pool.query(text);
    for (const name of ["outbox", "parked", "parked_group"]) await ask(`select from ${name}`);
    const reached: string[] = [];
    for (const { name } of tables) {
      await ask(`select 1 from ${name}`).then(
        () => reached.push(name),
        (error: Error) => expect(error.message).toContain("permission denied"),
      );
    }
    expect(reached).toEqual([]);
    const id = newId();
    await ask(`insert into operator_log (id, actor, action) values ('${id}', 'somebody', 'discard')`);
    expect((await ask("select login, actor from operator_log")).rows).toEqual([
      { login: "noren_operator", actor: "somebody" },
    ]);
    const forged = ask(
      `insert into operator_log (id, actor, action, login) values ('${newId()}', 'a', 'b', 'c')`,
    );
    await expect(forged).rejects.toThrow("permission denied");
    await expect(superuser.pool.query("delete from operator_log")).rejects.toThrow("are never changed");
    await expect(app.pool.query("select 1 from operator_log")).rejects.toThrow("permission denied");
  });

  test("a workload may write to the outbox and not read it; the relay reads nothing else", async () => {
    await expect(app.pool.query("select 1 from outbox")).rejects.toThrow("permission denied");
    const relay = database.connect("backend_outbox");
    expect((await relay.pool.query("select 1 from outbox limit 1")).rowCount).toBe(1);
    for (const { name } of tables) {
      await expect(relay.pool.query(`select 1 from ${name}`)).rejects.toThrow("permission denied");
    }
    await expect(relay.pool.query("insert into outbox default values")).rejects.toThrow("permission denied");
    await expect(relay.pool.query("select company_ids()")).rejects.toThrow("permission denied");
  });

  test("no workload may create a table, which would have no policy", async () => {
    await expect(app.pool.query("create table leak (id int)")).rejects.toThrow(
      "permission denied for schema public",
    );
  });
});
