import { discountOf, type Discount, type Rate, type Yen } from "./money.ts";

export type LineInput = { ratePct: Rate; unitPriceYen: Yen; qty: number; discount?: Discount | null };
export type PricedLine<Line extends LineInput = LineInput> = Line & {
  lineDiscountYen: Yen;
  spreadDiscountYen: Yen;
  /** What the line costs after both discounts. */
  amountYen: Yen;
};

/**
 * Prices a basket: first each line's own discount, then the basket's, spread over the rates and within each rate over
 * its lines. In this order, so that the totals per rate do not depend on the order of the lines.
 */
export function price<Line extends LineInput>(
  lines: readonly Line[],
  basket: Discount | null = null,
): PricedLine<Line>[] {
  const priced = lines.map((line) => {
    const full = line.unitPriceYen * line.qty;
    const lineDiscountYen = discountOf(full, line.discount);
    return { ...line, lineDiscountYen, spreadDiscountYen: 0, amountYen: full - lineDiscountYen };
  });
  const sum = (some: { amountYen: Yen }[]) => some.reduce((total, { amountYen }) => total + amountYen, 0);

  const byRate = [...Map.groupBy(priced, ({ ratePct }) => ratePct)].sort(([a], [b]) => b - a);
  const rateShares = spread(
    discountOf(sum(priced), basket),
    byRate.map(([, group]) => sum(group)),
  );
  for (const [index, [, group]] of byRate.entries()) {
    const shares = spread(
      rateShares[index] ?? 0,
      group.map(({ amountYen }) => amountYen),
    );
    for (const [position, line] of group.entries()) {
      line.spreadDiscountYen = shares[position] ?? 0;
      line.amountYen -= line.spreadDiscountYen;
    }
  }
  return priced;
}

/**
 * Divides `amount` over `weights` in whole yen that add up to it: largest remainder, ties to the earlier position.
 * No share exceeds its weight as long as `amount` does not exceed their sum; without any weight nothing is divided.
 */
export function spread(amount: Yen, weights: readonly Yen[]): Yen[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return weights.map(() => 0);
  const parts = weights.map((weight, position) => {
    const rest = (amount * weight) % total;
    return { position, rest, share: (amount * weight - rest) / total };
  });
  let left = amount - parts.reduce((sum, { share }) => sum + share, 0);
  for (const part of [...parts].sort((a, b) => b.rest - a.rest || a.position - b.position)) {
    if (left === 0) break;
    part.share += 1;
    left -= 1;
  }
  return parts.map(({ share }) => share);
}
