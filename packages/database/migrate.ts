import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { Client, type ClientBase } from "pg";
import { z } from "zod";
import { clientConfig, databaseEnv, settingsOf } from "./connect.ts";
import { migrations, type Migration } from "./migrations/migrations.ts";

type Log = { info(fields: object, message: string): void };

/** Any number; the same in every version, or two deployments would migrate at once. */
const lock = 7_267_361;

/**
 * Brings a database to the newest schema: each migration in its own transaction, one migrator at a time; what was
 * applied is skipped, so a second run does nothing. Connect as the owner.
 *
 * Returns the names it applied. Throws when an applied migration's text has changed since, and when one fails (its
 * transaction is rolled back, the earlier ones stay).
 */
export async function migrate(
  client: ClientBase,
  log: Log,
  list: readonly Migration[] = migrations,
): Promise<string[]> {
  await client.query("select pg_advisory_lock($1)", [lock]);
  try {
    await client.query(`create table if not exists migration (
      name text primary key, hash text not null, applied_at timestamptz not null default now())`);
    const { rows } = await client.query<{ name: string; hash: string }>("select name, hash from migration");
    const done = new Map(rows.map(({ name, hash }) => [name, hash]));
    const applied: string[] = [];
    for (const { name, sql } of list) {
      const hash = createHash("sha256").update(sql).digest("hex");
      const before = done.get(name);
      if (before !== undefined && before !== hash) {
        throw new Error(
          `Migration ${name} was changed after this database applied it. Write a new migration instead; ` +
            "on a laptop, where no data matter, start with --fresh.",
        );
      }
      if (before !== undefined) continue;
      await apply(client, name, sql, hash);
      log.info({ migration: name }, `Applied migration ${name}.`);
      applied.push(name);
    }
    return applied;
  } finally {
    await client.query("select pg_advisory_unlock($1)", [lock]).catch(() => {});
  }
}

async function apply(client: ClientBase, name: string, sql: string, hash: string): Promise<void> {
  await client.query("begin");
  try {
    // A migration that waits for a table makes everyone behind it wait: give up soon, the next run tries again.
    await client.query("set local lock_timeout = '5s'");
    await client.query("set local statement_timeout = 0");
    await client.query(sql);
    await client.query("insert into migration (name, hash) values ($1, $2)", [name, hash]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw new Error(`Migration ${name} failed: ${(error as Error).message}. Nothing of it was kept.`, {
      cause: error,
    });
  }
}

function log(level: "info" | "error", fields: object, msg: string): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), level, service: "migrate", msg, ...fields }));
}

/**
 * `node migrate.ts`: migrates the database that DATABASE_* name, as DATABASE_USER (the owner); logs JSON lines.
 * In AWS the owner has a password, which ECS takes out of the secret that RDS rotates (DATABASE_PASSWORD).
 */
async function main(): Promise<void> {
  const env = z.object({ ...databaseEnv, DATABASE_PASSWORD: z.string().optional() }).safeParse(process.env);
  if (!env.success) throw new Error(z.prettifyError(env.error).replaceAll(/\s+/g, " "));
  const config = clientConfig(settingsOf(env.data));
  const { DATABASE_PASSWORD: password } = env.data;
  const client = new Client(password === undefined ? config : { ...config, password });
  client.on("error", () => {});
  await client.connect();
  try {
    const applied = await migrate(client, { info: (fields, message) => log("info", fields, message) });
    const message = applied.length === 0 ? "The schema is up to date." : "The schema is migrated.";
    log("info", { applied: applied.length }, message);
  } finally {
    await client.end();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await main();
  } catch (error) {
    // The message says what to do; a stack would only say that this file said it.
    log("error", {}, (error as Error).message);
    process.exitCode = 1;
  }
}
