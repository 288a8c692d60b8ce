import type { Connect } from "./relay.ts";

/** The channel that relays listen on. */
export const CHANNEL = "outbox";

export type Waker = {
  /** Call it after a commit that wrote to the outbox. Never throws, never waits. */
  wake(): void;
  close(): Promise<void>;
};

/**
 * Tells the relays that something was committed, so that they do not wait for their next poll (≤ 250 ms).
 *
 * On a connection of its own, after the commit, at most once in `everyMs` (5): a NOTIFY inside the writing transaction
 * makes commits queue behind one lock and costs 2–11 times the throughput. Losing a call is harmless.
 */
export function waker(connect: Connect, { everyMs = 5 }: { everyMs?: number } = {}): Waker {
  throw new Error("unfinished");
}
