import { createHash } from "node:crypto";
import { v7 } from "uuid";

/** A new UUIDv7; `at` (milliseconds or Date) makes it sort by that time instead of now. */
export function newId(at?: Date | number): string {
  return at === undefined ? v7() : v7({ msecs: Number(at) });
}

/**
 * The event id for who has no database to remember one: a UUIDv7 of `time` whose random part is a hash of `key`.
 * The same time and key always give the same id, so a repeat is dropped by the inbox.
 * `time` must come from the event itself (a mail's receipt time), never from the clock.
 */
export function eventIdFor(time: Date | string | number, key: string): string {
  const msecs = new Date(time).getTime();
  if (!Number.isFinite(msecs))
    throw new Error(`An event id needs the time of the event, got ${String(time)}.`);
  const random = new Uint8Array(createHash("sha256").update(key).digest().subarray(0, 16));
  return v7({ msecs, random });
}
