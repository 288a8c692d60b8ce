import { z } from "zod";
import { event } from "./event.ts";
import { instant, uuid } from "./fields.ts";

const on = <const Aggregate extends string>(aggregate: Aggregate) =>
  ({ topic: "schedule", version: 1, aggregate, scope: "company" }) as const;

/** The subject's id is the group, so a due row queues behind the subject's own events. */
export const scheduleCameDue = event("schedule.came_due", {
  ...on("subject"),
  data: z.object({
    kind: z.enum([
      "order.deadline",
      "payment.inquiry",
      "mall.poll",
      "price.change",
      "announcement",
      "notification.retry",
    ]),
    subjectId: z.string(),
    dueAt: instant,
    attempt: z.int().nonnegative(),
  }),
});

export const campaignPlanned = event("campaign.planned", {
  ...on("campaign"),
  data: z.object({
    campaignId: uuid,
    scope: z.record(z.string(), z.unknown()),
    rule: z.record(z.string(), z.unknown()),
    startsAt: instant,
    endsAt: instant,
  }),
});

export const campaignCancelled = event("campaign.cancelled", {
  ...on("campaign"),
  data: z.object({ campaignId: uuid }),
});

export const campaignStarted = event("campaign.started", {
  ...on("campaign"),
  data: z.object({ campaignId: uuid, cursor: z.string().optional() }),
});

export const campaignEnded = event("campaign.ended", {
  ...on("campaign"),
  data: z.object({ campaignId: uuid, cursor: z.string().optional() }),
});
