import { z } from "zod";

export const uuid = z.uuid();
/** Whole yen; may be negative where the field's name says so. */
export const yen = z.int();
export const price = z.int().nonnegative();
export const qty = z.int().positive();
export const ratePct = z.int().min(0).max(30);
/** A calendar day, `YYYY-MM-DD`. */
export const day = z.iso.date();
/** A UTC instant, ISO 8601. */
export const instant = z.iso.datetime();
export const taxClass = z.enum(["standard", "reduced", "exempt"]);
/** Code of a condition in the company's list: `new`, `S`, `A`, `B`, `C`. */
export const condition = z.string().min(1).max(16);
export const tax = z.object({ ratePct, grossYen: price, taxYen: price });
/** What made the stock change: the kind and id of the document. */
export const cause = z.object({ type: z.string(), id: z.string() });
export const orderLine = z.object({
  lineNo: z.int().positive(),
  itemId: uuid.optional(),
  condition: condition.optional(),
  name: z.string(),
  qty,
  unitPriceYen: price,
  amountYen: price,
  ratePct,
});
