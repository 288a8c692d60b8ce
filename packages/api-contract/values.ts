import { z } from "zod";

/** A UUID, usually a v7 made by the application. */
export const id = z.uuid();
/** Whole yen. Never negative where it is a price or a total. */
export const yen = z.int().min(0);
/** A quantity that somebody buys, sells or receives. */
export const qty = z.int().min(1).max(9_999);
/** A calendar day `YYYY-MM-DD` in the store's own time. */
export const day = z.iso.date();
/** An instant in UTC, ISO 8601. */
export const instant = z.iso.datetime();
/** A condition code of the company's list, for example `new`, `S`, `A`. */
export const condition = z.string().min(1).max(16);
/** What a person reads as the name of something. */
export const name = z.string().trim().min(1).max(200);
/** An e-mail address, at most 254 characters. */
export const email = z.email().max(254);

/** What is inside a total at one tax rate: gross with tax, and the tax in it. */
export const taxGroup = z.object({ ratePct: z.int().min(0).max(30), grossYen: yen, taxYen: yen });
export type TaxGroup = z.infer<typeof taxGroup>;

export const taxClass = z.enum(["standard", "reduced", "exempt"]);
export type TaxClass = z.infer<typeof taxClass>;

/** Every refusal has this body. `message` is Japanese and may be shown to staff and shoppers as it is. */
export const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
