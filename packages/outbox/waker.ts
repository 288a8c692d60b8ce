import type { Client } from "pg";
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
 * makes commits queue behind one lock and costs 2–11 times the throughput. Losing a call is harmless, so a broken
 * connection is only noticed, and opened again by a later call.
 */
export function waker(connect: Connect, { everyMs = 5 }: { everyMs?: number } = {}): Waker {
  let client: Client | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let quietUntil = 0;

  async function notify(): Promise<void> {
    do {
      again = false;
      try {
        client ??= await open();
        await client.query(`notify ${CHANNEL}`);
      } catch {
        drop();
        // A database that is down must not be asked 200 times a second.
        quietUntil = performance.now() + 1000;
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    } while (again);
  }

  async function open(): Promise<Client> {
    const fresh = await connect();
    fresh.on("error", drop);
    fresh.on("end", drop);
    await fresh.connect();
    return fresh;
  }

  function drop(): void {
    const old = client;
    client = undefined;
    void old?.end().catch(() => {});
  }

  return {
    wake() {
      if (closed || performance.now() < quietUntil) return;
      again = true;
      running ??= notify().finally(() => (running = undefined));
    },
    async close() {
      closed = true;
      again = false;
      await running;
      await client?.end().catch(() => {});
    },
  };
}
