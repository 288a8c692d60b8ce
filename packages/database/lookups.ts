import { createHash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Database } from "./connect.ts";
import { enterCompany, type Tx } from "./tenant.ts";

/** What is known of a till before anyone signed in. */
export type RegisterIdentity = { companyId: string; storeId: string; registerId: string };

/** A new secret of 256 bits for a device or an order's link, as text for a header or a URL. Store only its hash. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a token: SHA-256 in hex. No salt: it has 256 random bits, and is found by its hash. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Enrolment codes are typed by people: what differs only in case, spaces or hyphens is the same code. */
export function hashEnrolmentCode(code: string): string {
  return hashToken(
    code
      .normalize("NFKC")
      .toUpperCase()
      .replaceAll(/[^0-9A-Z]/g, ""),
  );
}

/** The register that a device's token belongs to, or undefined. */
export async function registerByDevice(
  { db }: Pick<Database, "db">,
  deviceToken: string,
): Promise<RegisterIdentity | undefined> {
  const { rows } = await sql<RegisterIdentity>`
    select company_id as "companyId", store_id as "storeId", register_id as "registerId"
    from register_by_device(${hashToken(deviceToken)})`.execute(db);
  return rows[0];
}

/** The register that waits for a device with this enrolment code, or undefined when there is none or it has expired. */
export async function registerByEnrolmentCode(
  { db }: Pick<Database, "db">,
  code: string,
): Promise<RegisterIdentity | undefined> {
  const { rows } = await sql<RegisterIdentity>`
    select company_id as "companyId", store_id as "storeId", register_id as "registerId"
    from register_by_enrolment(${hashEnrolmentCode(code)})`.execute(db);
  return rows[0];
}

/** The company whose storefront answers at this host, else the one with this code, or undefined. */
export async function companyByStorefront(
  { db }: Pick<Database, "db">,
  by: { host?: string; companyCode?: string },
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string | null }>`
    select company_by_storefront(${by.host ?? null}, ${by.companyCode ?? null}) as id`.execute(db);
  return rows[0]?.id ?? undefined;
}

/** Every company's id, for jobs that go company by company. */
export async function companyIds({ db }: Pick<Database, "db">): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from company_ids() as id`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * The mall account that mails with this hint (local part of the address) belong to. Sets the transaction to its
 * company: the mail function has no database, so `mall.mail_received` arrives without one. undefined = no such account.
 */
export async function enterMallAccount(
  tx: Tx,
  accountHint: string,
): Promise<{ companyId: string; mallAccountId: string } | undefined> {
  const { rows } = await sql<{ companyId: string; mallAccountId: string }>`
    select company_id as "companyId", mall_account_id as "mallAccountId"
    from mall_account_by_mail(${accountHint})`.execute(tx);
  const [found] = rows;
  if (found) await enterCompany(tx, found.companyId);
  return found;
}
