import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePort } from "./ports.ts";
import { removePostgres, startPostgres } from "./postgres.ts";

const places: string[] = [];
afterEach(() => {
  for (const place of places.splice(0)) {
    removePostgres(join(place, "postgres"));
    rmSync(place, { recursive: true, force: true });
  }
});

/** A folder that only its owner may enter, as a home folder may be. */
function privateFolder(): string {
  const place = mkdtempSync(join(tmpdir(), "private-"));
  places.push(place);
  return join(place, "postgres");
}

const open = async (directory: string) => startPostgres({ directory, port: await freePort() });

test("compares and splits Japanese as Unicode, and listens on the loopback only", async () => {
  const server = await open(privateFolder());
  const client = await server.connect();
  await client.query("create extension pg_trgm");
  const { rows } = await client.query<{ trigrams: string[]; addresses: string; connections: string }>(
    "select show_trgm('日本語') as trigrams, current_setting('listen_addresses') as addresses, current_setting('max_connections') as connections",
  );
  expect(rows[0]!.trigrams).toHaveLength(4);
  expect(rows[0]!.addresses).toBe("127.0.0.1");
  expect(rows[0]!.connections).toBe("200");
  await client.end();
  await server.stop();
});

test("an interrupted first start leaves nothing that a later one could take for a database", async () => {
  const directory = privateFolder();
  await (await open(directory)).stop();
  const data = join(existsSync(join(directory, "data")) ? directory : readlinkSync(directory), "data");
  rmSync(data, { recursive: true });
  // What initdb leaves when it is killed half-way.
  mkdirSync(`${data}.new/base`, { recursive: true });
  writeFileSync(`${data}.new/PG_VERSION`, "18\n");
  const server = await open(directory);
  const client = await server.connect();
  await client.query("create table proof ()");
  await client.end();
  await server.stop();
  expect(existsSync(`${data}.new`)).toBe(false);
});

test("a database of another major version is refused with what can be done, and not touched", async () => {
  const directory = privateFolder();
  await (await open(directory)).stop();
  writeFileSync(join(directory, "data", "PG_VERSION"), "17\n");
  await expect(open(directory)).rejects.toThrow("is PostgreSQL 17, this workspace has PostgreSQL 18");
  writeFileSync(join(directory, "data", "PG_VERSION"), "18\n");
  await (await open(directory)).stop();
});

test.runIf(process.getuid?.() === 0)(
  "as root the data lie where PostgreSQL's user can go, and go when their folder is gone",
  async () => {
    const directory = privateFolder();
    await (await open(directory)).stop();
    const home = readlinkSync(directory);
    expect(existsSync(join(home, "data", "PG_VERSION"))).toBe(true);
    rmSync(directory);
    await (await open(privateFolder())).stop();
    expect(existsSync(home)).toBe(false);
  },
);
