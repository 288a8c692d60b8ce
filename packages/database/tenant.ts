import { Kysely, PostgresDialect, sql } from "kysely";
import type { PoolClient } from "pg";
import type { Database } from "./connect.ts";
import type { Schema } from "./schema.ts";

declare const scoped: unique symbol;

/**
 * A transaction inside one company: everything of Kysely but what opens or closes connections and transactions.
 * Only `inCompany` and `tenantTransaction` make one, so what takes a Tx cannot be called outside a company.
 */
export type Tx = Omit<Kysely<Schema>, "transaction" | "startTransaction" | "connection" | "destroy"> & {
  readonly [scoped]: true;
};

/**
 * Runs `work` in one transaction that sees and writes one company only; commits what it returns, rolls back what it throws.
 *
 * With `storeIds` writes are refused outside those stores (error 42501), reads are not.
 */
export function inCompany<T>(
  database: Pick<Database, "db">,
  companyId: string,
  work: (tx: Tx) => Promise<T>,
  options: { storeIds?: string[] } = {},
): Promise<T> {
  return database.db.transaction().execute(async (transaction) => {
    const tx = transaction as unknown as Tx;
    await enterCompany(tx, companyId, options.storeIds);
    return work(tx);
  });
}

/**
 * The transaction of a handler, for `work({ transaction: tenantTransaction })`: Kysely on a connection whose
 * transaction the consumer engine has begun and will end, set to the company of the event.
 */
export async function tenantTransaction(client: PoolClient, envelope: { companyId: string }): Promise<Tx> {
  const borrowed = { query: client.query.bind(client), release() {} };
  const pool = { connect: async () => borrowed, end: async () => {} };
  const tx = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: pool as never }) }) as unknown as Tx;
  await enterCompany(tx, envelope.companyId);
  return tx;
}

/**
 * Sets the company for the rest of the transaction. Only for the one handler whose event does not know its company;
 * whoever knows it uses `inCompany`.
 */
export async function enterCompany(tx: Tx, companyId: string, storeIds?: string[]): Promise<void> {
  const stores = storeIds === undefined ? "" : `{${storeIds.join(",")}}`;
  await sql`select set_config('app.company_id', ${companyId}, true), set_config('app.store_ids', ${stores}, true)`.execute(
    tx,
  );
}
