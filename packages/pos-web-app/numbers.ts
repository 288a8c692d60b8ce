import { normalizeCode } from "@noren/web";

/** Whole yen from what a person typed (`５０，０００円` too), or undefined. */
export function yenOf(text: string): number | undefined {
  const digits = normalizeCode(text).replaceAll(/[,、¥円\s]/g, "");
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

/** A quantity of 1 to 9,999 from what a person typed, or undefined. */
export function qtyOf(text: string): number | undefined {
  const digits = normalizeCode(text);
  return /^\d{1,4}$/.test(digits) && Number(digits) > 0 ? Number(digits) : undefined;
}
