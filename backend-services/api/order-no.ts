import { randomInt } from "node:crypto";

/** Crockford's base 32: no I, L, O or U, so that nothing is misread on the telephone or a bank's form. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A new order number, `EC-7K3M-9QXD-2F8H`: 60 random bits, so it tells neither how many orders there are nor the next one. */
export function newOrderNo(): string {
  const group = () => Array.from({ length: 4 }, () => DIGITS[randomInt(32)]).join("");
  return `EC-${group()}-${group()}-${group()}`;
}
