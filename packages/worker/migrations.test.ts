import { Client } from "pg";
import { startPostgres } from "test-postgres";
import type { TestPostgres } from "test-postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { grants, migrations } from "./migrations.ts";

let server: TestPostgres;
let owner: Client;
let app: Client;

beforeAll(async () => {
  server = await startPostgres();
  const database = await server.createDatabase();
  const admin = new Client({ connectionString: server.url(database) });
  await admin.connect();
  await admin.query(
    `create role keeper login; create role app login; alter database ${database} owner to keeper`,
  );
  await admin.end();
  owner = new Client({ connectionString: server.url(database, "keeper") });
  await owner.connect();
  for (const { sql } of migrations) await owner.query(`begin; ${sql}; commit`);
  await owner.query(grants({ consumers: "app" }));
  await owner.query(grants({ consumers: "app" }));
  app = new Client({ connectionString: server.url(database, "app") });
  await app.connect();
});
afterAll(async () => {
  await owner.end();
  await app.end();
  await server.stop();
});

/** A UUIDv7 of a moment `days` from now. */
function eventId(days: number): string {
  const time = Math.trunc(Date.now() + days * 86_400_000)
    .toString(16)
    .padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${Math.random().toString(16).slice(2).padEnd(12, "0").slice(0, 12)}`;
}

async function partitionOf(id: string): Promise<string> {
  const { rows } = await app.query("select tableoid::regclass::text as name from inbox where event_id = $1", [
    id,
  ]);
  return rows[0].name;
}

test("a new event is filed in the partition of its day, an old one with the strays, and neither twice", async () => {
  const [today, old] = [eventId(0), eventId(-100)];
  for (const id of [today, old]) {
    expect((await app.query("insert into inbox values ($1, 1) on conflict do nothing", [id])).rowCount).toBe(
      1,
    );
    expect((await app.query("insert into inbox values ($1, 1) on conflict do nothing", [id])).rowCount).toBe(
      0,
    );
  }
  expect(await partitionOf(today)).toMatch(/^inbox_\d{8}$/);
  expect(await partitionOf(old)).toBe("inbox_stray");
});

test("a role that owns nothing creates partitions ahead, and strays of those days move into them", async () => {
  const id = eventId(10);
  await app.query("insert into inbox values ($1, 1)", [id]);
  expect(await partitionOf(id)).toBe("inbox_stray");
  await expect(app.query("create table mine (n int)")).rejects.toThrow("permission denied");
  const created = await app.query("select inbox_partitions(12) as n");
  expect(created.rows[0].n).toBe(5);
  expect(await partitionOf(id)).toMatch(/^inbox_\d{8}$/);
  const again = await app.query("select inbox_partitions(12) as n");
  expect(again.rows[0].n).toBe(0);
});

test("retention drops whole days, and never the last 29", async () => {
  await owner.query(`create table inbox_20200101 partition of inbox
    for values from (inbox_bound('2020-01-01Z')) to (inbox_bound('2020-01-02Z'))`);
  const { rows } = await app.query("select inbox_retire(0) as n");
  expect(rows[0].n).toBe(1);
  expect((await app.query("select to_regclass('inbox_20200101') as gone")).rows[0].gone).toBeNull();
  expect(
    (await app.query("select count(*)::int as n from pg_inherits where inhparent = 'inbox'::regclass"))
      .rows[0].n,
  ).toBeGreaterThan(10);
});
