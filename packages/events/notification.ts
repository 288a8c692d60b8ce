import { z } from "zod";
import { event } from "./event.ts";
import { uuid } from "./fields.ts";

const on = <const Aggregate extends string>(aggregate: Aggregate) =>
  ({ topic: "notification", version: 1, aggregate, scope: "company" }) as const;

/** `aggregateId` of a recipient is a hash of the address, never the address: group ids reach logs and metrics. */
export const notificationRequested = event("notification.requested", {
  ...on("recipient"),
  data: z.object({
    kind: z.string(),
    to: z.string(),
    params: z.record(z.string(), z.unknown()),
    dedupeKey: z.string(),
  }),
});

export const notificationSent = event("notification.sent", {
  ...on("recipient"),
  data: z.object({ notificationId: uuid, kind: z.string(), channel: z.string() }),
});

export const notificationFailed = event("notification.failed", {
  ...on("recipient"),
  data: z.object({ notificationId: uuid, kind: z.string(), channel: z.string(), code: z.string() }),
});

export const auditMismatchFound = event("audit.mismatch_found", {
  ...on("check"),
  data: z.object({
    check: z.string(),
    subjectId: z.string(),
    expected: z.unknown(),
    actual: z.unknown(),
    repaired: z.boolean(),
  }),
});
