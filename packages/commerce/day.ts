import type { Day } from "./money.ts";

// Japan has one zone and no summer time, so its clock is UTC + 9 h and needs no zone data in the browser.
const jst = 9 * 3_600_000;
const minute = 60_000;

/**
 * The store's day at an instant. It starts at `startsAt` (`HH:MM`, usually 05:00), not at midnight: a sale at 02:00
 * belongs to the day before.
 */
export function businessDate(at: Date, startsAt: string): Day {
  const [hours, minutes] = startsAt.split(":").map(Number);
  return new Date(at.getTime() + jst - ((hours ?? 0) * 60 + (minutes ?? 0)) * minute)
    .toISOString()
    .slice(0, 10);
}

/** Until when a bank transfer may arrive: the third day after placement, 23:59:59 in Japan. */
export function bankTransferDeadline(placedAt: Date): Date {
  const today = businessDate(placedAt, "00:00");
  return new Date(Date.parse(`${today}T23:59:59Z`) - jst + 3 * 86_400_000);
}

/** When an unpaid order is let go: half an hour of grace after its deadline, for money that is on its way. */
export function releaseAt(deadline: Date): Date {
  return new Date(deadline.getTime() + 30 * minute);
}
