import type { Tx } from "@noren/database";
import type { Mail } from "./mailer.ts";
import { orderExpiredMail } from "./order-expired-mail.ts";
import { orderPlacedMail } from "./order-placed-mail.ts";
import { receiptMail } from "./receipt-mail.ts";
import { returnMail } from "./return-mail.ts";

type Words = Omit<Mail, "to">;
/** What the words need and the database does not hold. */
type Around = { storefrontUrl: string; token?: string };
/** Writes a mail from what the database says now about the ids in `params`. */
export type WriteMail = (tx: Tx, params: Record<string, string>, around: Around) => Promise<Words>;

export const mails = {
  receipt: receiptMail,
  "return-receipt": returnMail,
  "order-placed": orderPlacedMail,
  "order-expired": orderExpiredMail,
} satisfies Record<string, WriteMail>;
export type MailKind = keyof typeof mails;
