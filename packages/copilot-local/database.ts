import type { LocalDatabase } from "./local-addons.ts";
import type { Postgres } from "./postgres.ts";

/**
 * Makes the database and its owner where they are missing. The owner is what RDS's master user is: it may create roles
 * and databases and pass on `rds_iam`, and it is no superuser, so row-level security holds for it as in AWS.
 */
export async function ensureDatabase(postgres: Postgres, { name, owner }: LocalDatabase): Promise<void> {
  const client = await postgres.connect();
  try {
    const has = async (query: string, value: string) => (await client.query(query, [value])).rows.length > 0;
    const role = "select from pg_roles where rolname = $1";
    if (!(await has(role, "rds_iam"))) await client.query("create role rds_iam nologin");
    if (!(await has(role, "rds_superuser"))) await client.query("create role rds_superuser nologin");
    if (!(await has(role, owner))) {
      await client.query(`create role ${client.escapeIdentifier(owner)} login createdb createrole`);
    }
    if (owner !== "postgres") {
      await client.query(
        `grant rds_iam to ${client.escapeIdentifier(owner)} with admin option, inherit false`,
      );
    }
    if (!(await has("select from pg_database where datname = $1", name))) {
      await client.query(
        `create database ${client.escapeIdentifier(name)} owner ${client.escapeIdentifier(owner)}`,
      );
    }
  } finally {
    await client.end();
  }
}
