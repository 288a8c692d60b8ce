import { spawn } from "node:child_process";
import { once } from "node:events";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres } from "./postgres.ts";
import type { TestPostgres } from "./postgres.ts";

let server: TestPostgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

async function ask(url: string, text: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query({ text, rowMode: "array" });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

test("it is a real PostgreSQL whose order of text does not depend on the machine", async () => {
  const url = server.url();
  expect(await ask(url, "show server_version")).toMatch(/^18\./);
  expect(
    await ask(
      url,
      "select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'postgres'",
    ),
  ).toBe("b C.UTF-8");
});

test("a database cloned from a template has its rows, and its own from then on", async () => {
  const template = await server.createDatabase();
  await ask(server.url(template), "create table t as select 1 as n");
  const [a, b] = [await server.createDatabase(template), await server.createDatabase(template)];
  await ask(server.url(a), "insert into t values (2)");
  expect(await ask(server.url(a), "select count(*)::int from t")).toBe(2);
  expect(await ask(server.url(b), "select count(*)::int from t")).toBe(1);
});

test("after pause and resume the same port answers with the same data", async () => {
  const url = server.url(await server.createDatabase());
  await ask(url, "create table t as select 42 as n");
  await server.pause();
  await expect(ask(url, "select 1")).rejects.toThrow("ECONNREFUSED");
  await server.resume();
  expect(await ask(url, "select n from t")).toBe(42);
});

test("two servers run beside each other", async () => {
  const other = await startPostgres({ settings: { max_connections: "7" } });
  expect(other.port).not.toBe(server.port);
  expect(await ask(other.url(), "show max_connections")).toBe("7");
  await other.stop();
});

test("a killed test process takes its server with it", async () => {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(new URL("postgres.ts", import.meta.url).href)});
    const server = await startPostgres();
    console.log(server.port);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = `postgres://postgres@127.0.0.1:${Number(line.toString())}/postgres`;
  expect(await ask(url, "select 1")).toBe(1);
  child.kill("SIGKILL");
  await once(child, "close");
  await expect
    .poll(() => ask(url, "select 1").catch((error: Error) => error.message), { timeout: 5000 })
    .toContain("ECONNREFUSED");
});
