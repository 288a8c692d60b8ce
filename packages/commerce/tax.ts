import { divide, type Day, type Rate, type Rounding, type TaxClass, type Yen } from "./money.ts";

/** A rate and the days on which it holds: from `from` on, up to but not including `until`. */
export type TaxRate = { taxClass: TaxClass; from: Day; until: Day | null; ratePct: Rate };
export type TaxGroup = { ratePct: Rate; grossYen: Yen; taxYen: Yen };

/** The rate of a class on a day. Throws when no row covers the day: selling without a rate would be guessing. */
export function rateOn(rates: readonly TaxRate[], taxClass: TaxClass, on: Day): Rate {
  const rate = rates.find(
    (row) => row.taxClass === taxClass && row.from <= on && (row.until === null || on < row.until),
  );
  if (!rate) throw new Error(`No ${taxClass} tax rate is known for ${on}. Add a row to tax_rates.`);
  return rate.ratePct;
}

/** Reads a `tax_rates` row as PostgreSQL prints its daterange, e.g. `[2019-10-01,)`. */
export function taxRate(row: { tax_class: TaxClass; valid: string; rate_pct: Rate }): TaxRate {
  const [, from, until] = /^[[(](.*),(.*)[\])]$/.exec(row.valid) ?? [];
  return { taxClass: row.tax_class, from: from || "0001-01-01", until: until || null, ratePct: row.rate_pct };
}

/**
 * The taxes of one document, highest rate first: gross per rate is exact, because prices include tax, and the tax in it
 * is rounded once per rate, as the invoice rules want; tax per line, added up, is not allowed.
 */
export function taxes(lines: readonly { ratePct: Rate; amountYen: Yen }[], rounding: Rounding): TaxGroup[] {
  const gross = new Map<Rate, Yen>();
  for (const { ratePct, amountYen } of lines) gross.set(ratePct, (gross.get(ratePct) ?? 0) + amountYen);
  return [...gross]
    .sort(([a], [b]) => b - a)
    .map(([ratePct, grossYen]) => ({
      ratePct,
      grossYen,
      taxYen: divide(grossYen * ratePct, 100 + ratePct, rounding),
    }));
}
