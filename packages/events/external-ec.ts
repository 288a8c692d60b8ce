import { z } from "zod";
import { event } from "./event.ts";
import { uuid } from "./fields.ts";

const on = <const Aggregate extends string>(aggregate: Aggregate) =>
  ({ topic: "external-ec", version: 1, aggregate, scope: "company" }) as const;

/**
 * A mall's mail arrived. The function that sends it has no database and so no company: the envelope says
 * `unknownCompany`, and the reader finds the account, and with it the company, by `accountHint`.
 */
export const mallMailReceived = event("mall.mail_received", {
  ...on("mall-order"),
  data: z.object({
    accountHint: z.string(),
    kind: z.enum(["order", "cancel", "question"]),
    mallOrderNo: z.string(),
    messageId: z.string(),
  }),
});

export const mallPushRequested = event("mall.push_requested", {
  ...on("mall-account"),
  data: z.object({ accountId: uuid }),
});

export const mallPushFailed = event("mall.push_failed", {
  ...on("mall-account"),
  data: z.object({
    accountId: uuid,
    listingId: uuid.optional(),
    code: z.string(),
    permanent: z.boolean(),
  }),
});
