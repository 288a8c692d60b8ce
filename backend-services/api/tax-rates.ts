import type { TaxClass } from "@noren/api-contract";
import type { Tx } from "@noren/database";
import { sql } from "kysely";

/** Each tax class's rate in percent on a day. Throws when a class has none: a sale without a rate must not happen. */
export async function ratesOn(tx: Tx, day: string): Promise<Record<TaxClass, number>> {
  const rows = await tx
    .selectFrom("tax_rates")
    .select(["tax_class", "rate_pct"])
    .where(sql<boolean>`valid @> ${day}::date`)
    .execute();
  const rates = Object.fromEntries(rows.map(({ tax_class, rate_pct }) => [tax_class, rate_pct]));
  const { standard, reduced, exempt } = rates;
  if (standard === undefined || reduced === undefined || exempt === undefined)
    throw new Error(`Not every tax class has a rate on ${day}. Add the missing rows to tax_rates.`);
  return { standard, reduced, exempt };
}
