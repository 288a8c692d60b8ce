import { Signer } from "@aws-sdk/rds-signer";
import { Kysely, PostgresDialect } from "kysely";
import { Pool, types, type PoolConfig } from "pg";
import { z } from "zod";
import type { Schema } from "./schema.ts";

/** The variables that a workload with a database has in its manifest, as a shape for `env()`. */
export const databaseEnv = {
  DATABASE_HOST: z.string().min(1),
  DATABASE_PORT: z.coerce.number().int().min(1).max(65535),
  DATABASE_NAME: z.string().min(1),
  DATABASE_USER: z.string().min(1),
  /** Given by ECS; only needed where the password is an IAM token. */
  AWS_REGION: z.string().optional(),
};
export type DatabaseEnv = z.output<z.ZodObject<typeof databaseEnv>>;

export type Settings = { host: string; port: number; name: string; user: string; region?: string };

export type Database = {
  /** Raw connections for the engines (`work({ pool })`, the relay). */
  pool: Pool;
  /** Outside any company: row-level security shows it no row. Use `inCompany`. */
  db: Kysely<Schema>;
  settings: Settings;
  close(): Promise<void>;
};

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

// bigint and numeric as numbers: money is whole yen far below 2^53. Dates stay `YYYY-MM-DD`, because a Date would be
// midnight in the machine's zone and may show another day.
const parsers = new Map<number, (text: string) => unknown>([
  [20, safeNumber],
  [1700, safeNumber],
  [1082, (text) => text],
]);

const parserOf = types.getTypeParser as (
  oid: number,
  format?: "text" | "binary",
) => (text: string) => unknown;

function safeNumber(text: string): number {
  const value = Number(text);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`The database returned ${text}, which a number cannot hold exactly.`);
  }
  return value;
}

/**
 * Connection settings for pg: no password is configured anywhere. In AWS each new connection signs an IAM token and
 * TLS verifies the server's name (the RDS certificates come from NODE_EXTRA_CA_CERTS of the image); on the loopback
 * address PostgreSQL trusts the user's name.
 */
export function clientConfig(settings: Settings): PoolConfig {
  const { host, port, name, user, region } = settings;
  const local = loopback.has(host);
  return {
    host,
    port,
    database: name,
    user,
    application_name: user,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format?: "text" | "binary") =>
        (format !== "binary" && parsers.get(oid)) || parserOf(oid, format)) as typeof types.getTypeParser,
    },
    ...(local
      ? {}
      : {
          ssl: { rejectUnauthorized: true },
          password: () => new Signer({ hostname: host, port, username: user, region }).getAuthToken(),
        }),
  };
}

/** Turns the parsed DATABASE_* variables into settings. */
export function settingsOf(env: DatabaseEnv): Settings {
  return {
    host: env.DATABASE_HOST,
    port: env.DATABASE_PORT,
    name: env.DATABASE_NAME,
    user: env.DATABASE_USER,
    region: env.AWS_REGION,
  };
}

/**
 * A pool of at most `max` connections (default 8) to the shop's database; connects on first use.
 * A lost idle connection is dropped silently: the next query opens a new one, or fails and is the caller's to retry.
 */
export function connect(from: DatabaseEnv | Settings, options: { max?: number } = {}): Database {
  const settings = "DATABASE_HOST" in from ? settingsOf(from) : from;
  // Longer than any role's statement_timeout: only a connection that has fallen silent is given up by it.
  const pool = new Pool({ ...clientConfig(settings), max: options.max ?? 8, query_timeout: 60_000 });
  // Without a listener a database restart would end the process: on the idle ones …
  pool.on("error", () => {});
  // … and on those that are out, where the error also reaches the running query.
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return { pool, db, settings, close: () => db.destroy() };
}
