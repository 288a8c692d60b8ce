import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientConfig } from "./connect.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/migrations.ts";
import { schemaTypes } from "./schema-types.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

const silent = { info: () => {} };
const names = migrations.map(({ name }) => name);
let database: TestDatabase;
const clients: Client[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await database.drop();
});

/** A connection as the owner, to a database that is still empty unless `name` says another. */
async function owner(name: string): Promise<Client> {
  const client = new Client(clientConfig({ ...database.settings, name }));
  client.on("error", () => {});
  await client.connect();
  clients.push(client);
  return client;
}

let count = 0;
async function emptyDatabase(): Promise<string> {
  const name = `empty_${++count}`;
  const { pool } = database.connect("postgres", { max: 1 });
  await pool.query(`create database ${name} owner noren template template0`);
  return name;
}

describe("migrating", () => {
  test("applies the engines' tables first and everything once; a second run does nothing", async () => {
    const client = await owner(await emptyDatabase());
    expect(await migrate(client, silent)).toEqual(names);
    expect(names.slice(0, 2)).toEqual(["outbox-1", "worker-1"]);
    expect(await migrate(client, silent)).toEqual([]);
  });

  test("by two at once is done by one of them", async () => {
    const name = await emptyDatabase();
    const both = await Promise.all([migrate(await owner(name), silent), migrate(await owner(name), silent)]);
    expect(both.map((applied) => applied.length).sort((a, b) => a - b)).toEqual([0, names.length]);
  });

  test("keeps nothing of a migration that fails, and all that came before it", async () => {
    const client = await owner(await emptyDatabase());
    const list = [
      { name: "a", sql: "create table a (id int)" },
      { name: "b", sql: "create table b (id int); insert into b values (1); select 1 / 0" },
    ];
    await expect(migrate(client, silent, list)).rejects.toThrow("Migration b failed: division by zero");
    const { rows } = await client.query("select to_regclass('a')::text as a, to_regclass('b')::text as b");
    expect(rows).toEqual([{ a: "a", b: null }]);
    const mended = [list[0] as (typeof list)[number], { name: "b", sql: "create table b (id int)" }];
    expect(await migrate(client, silent, mended)).toEqual(["b"]);
  });

  test("refuses a migration whose text was changed after it was applied", async () => {
    const client = await owner(await emptyDatabase());
    await migrate(client, silent, [{ name: "a", sql: "create table a (id int)" }]);
    const changed = migrate(client, silent, [{ name: "a", sql: "create table a (id bigint)" }]);
    await expect(changed).rejects.toThrow("Migration a was changed after this database applied it");
  });

  test("works as a command, and logs JSON lines", async () => {
    const { host, port, user } = database.settings;
    const child = spawn(process.execPath, ["migrate.ts"], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        DATABASE_HOST: host,
        DATABASE_PORT: String(port),
        DATABASE_NAME: await emptyDatabase(),
        DATABASE_USER: user,
      },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    expect(await once(child, "close")).toEqual([0, null]);
    const lines = output.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { migration?: string }).migration)).toEqual([
      ...names,
      undefined,
    ]);
  });
});

test("schema.ts is what the migrated database is; `node schema-types.ts` writes it", async () => {
  const client = await database.owner.pool.connect();
  const text = await schemaTypes(client);
  client.release();
  expect(await readFile(new URL("schema.ts", import.meta.url), "utf8")).toBe(text);
});
