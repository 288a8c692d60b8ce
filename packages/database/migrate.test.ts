import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
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
    expect(names.filter((name) => /^(outbox|worker)-/.test(name))).toEqual(
      names.slice(0, names.indexOf("001-roles")),
    );
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

  test("as a command says on one line what it cannot do, and fails", async () => {
    const name = await emptyDatabase();
    const client = await owner(name);
    await migrate(client, silent, [{ name: names[0] as string, sql: "create table another (id int)" }]);
    const changed = await command(["migrate.ts"], { DATABASE_NAME: name });
    expect(changed).toMatchObject({ code: 1, stderr: "", lines: [{ level: "error" }] });
    expect(changed.lines[0]?.msg).toContain(
      `Migration ${names[0]} was changed after this database applied it`,
    );
    const unset = await command(["migrate.ts"], { DATABASE_NAME: "" });
    expect(unset).toMatchObject({ code: 1, stderr: "", lines: [{ level: "error" }] });
    expect(unset.lines[0]?.msg).toContain("DATABASE_NAME");
  });

  test("works as the second entry of backend-api's image, without its source, and the first entry migrates nothing", async () => {
    const root = join(import.meta.dirname, "../..");
    const image = await mkdtemp(join(tmpdir(), "noren-image-"));
    onTestFinished(() => rm(image, { recursive: true }));
    const built = spawn(process.execPath, ["bundle.mjs", "backend-services/api", image], {
      cwd: root,
      stdio: "inherit",
    });
    expect(await once(built, "close")).toEqual([0, null]);
    const name = await emptyDatabase();
    const first = await command(["migrate.mjs"], { DATABASE_NAME: name }, image);
    expect(first.code).toBe(0);
    expect(first.lines.map(({ migration }) => migration)).toEqual([...names, undefined]);
    const again = await command(["migrate.mjs"], { DATABASE_NAME: name }, image);
    expect(again).toMatchObject({ code: 0, lines: [{ msg: "The schema is up to date.", applied: 0 }] });
    expect(await readFile(join(image, "main.mjs"), "utf8")).not.toContain(
      "create table if not exists migration",
    );
  });
});

/** Runs a script of `folder` as the owner; what it printed, line by line. */
async function command(
  args: string[],
  env: Record<string, string>,
  folder: string = import.meta.dirname,
): Promise<{ code: number | null; stderr: string; lines: Record<string, unknown>[] }> {
  const { host, port, user } = database.settings;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DATABASE_HOST: host, DATABASE_PORT: String(port), DATABASE_USER: user, ...env },
  });
  let output = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  const lines = output.trim().split("\n").filter(Boolean);
  return { code, stderr, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("schema.ts is what the migrated database is; `node schema-types.ts` writes it", async () => {
  const client = await database.owner.pool.connect();
  const text = await schemaTypes(client);
  client.release();
  expect(await readFile(new URL("schema.ts", import.meta.url), "utf8")).toBe(text);
});
