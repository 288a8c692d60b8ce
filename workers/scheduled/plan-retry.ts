import { type Tx, plan } from "@noren/database";
import { notificationFailed } from "@noren/events";
import { type Context, on } from "worker";

/** When a refused mail is tried again: the provider's trouble is over by then, or a person has mended the account. */
const WAITS_MINUTES = [10, 60, 360];

/**
 * Plans the next try of a mail that its provider refused, three times at most. The due row carries the notification's id,
 * and worker-notification sends it again when it comes due. A replay plans the same row again, which is one row.
 */
export const planRetry = on(notificationFailed, async (event, { tx, log }: Context<Tx>) => {
  const { notificationId } = event.data;
  const notification = await tx
    .selectFrom("notifications")
    .select(["state", "attempts"])
    .where("id", "=", notificationId)
    .executeTakeFirst();
  if (notification?.state !== "failed") return;
  const minutes = WAITS_MINUTES[notification.attempts - 1];
  if (minutes === undefined) return log.warn({ notificationId }, "mail given up after its last try");
  await plan(tx, event.companyId, {
    kind: "notification.retry",
    subjectId: notificationId,
    dueAt: new Date(Date.parse(event.occurredAt) + minutes * 60_000),
    attempt: notification.attempts,
  });
});
