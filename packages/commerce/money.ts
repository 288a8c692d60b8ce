/** Whole yen, always including tax. */
export type Yen = number;
/** Whole percent. */
export type Rate = number;
/** Direction in which the tax inside a total is rounded; the company's choice. */
export type Rounding = "floor" | "round" | "ceil";
export type TaxClass = "standard" | "reduced" | "exempt";
/** A calendar day, `YYYY-MM-DD`. */
export type Day = string;
/** Seller's discount: an amount, or whole percent of what it applies to (rounded down). */
export type Discount = { yen: Yen } | { percent: number };
/** Why something is refused: a code for programs, and what the person at the screen reads. */
export type Refusal = { refused: string; message: string };

/** `numerator / denominator` as a whole number without a detour through fractions; neither may be negative. */
export function divide(numerator: number, denominator: number, rounding: Rounding): number {
  const rest = numerator % denominator;
  const floor = (numerator - rest) / denominator;
  if (rest === 0 || rounding === "floor") return floor;
  return rounding === "ceil" || rest * 2 >= denominator ? floor + 1 : floor;
}

/** The yen a discount takes off `base`: never more than `base`, never less than nothing. */
export function discountOf(base: Yen, discount: Discount | undefined | null): Yen {
  if (!discount) return 0;
  const yen = "yen" in discount ? discount.yen : divide(base * discount.percent, 100, "floor");
  return Math.max(0, Math.min(base, yen));
}
