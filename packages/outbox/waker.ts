import type { Client } from "pg";
import { abandon } from "./abandon.ts";
import type { Connect } from "./relay.ts";

/** The channel that relays listen on. */
export const CHANNEL = "outbox";

const CLOSE_MS = 1000;

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
        await (client ?? (await open())).query(`notify ${CHANNEL}`);
      } catch {
        drop(client);
        // A database that is down must not be asked 200 times a second.
        quietUntil = performance.now() + 1000;
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    } while (again);
  }

  async function open(): Promise<Client> {
    const fresh = await connect();
    // Kept before it is connected, so that close() can end it whatever it waits for.
    client = fresh;
    fresh.on("error", () => drop(fresh));
    fresh.on("end", () => drop(fresh));
    await fresh.connect();
    return fresh;
  }

  /** One that ends late says nothing about its successor. */
  function drop(old: Client | undefined): void {
    if (old === client) client = undefined;
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
      // Whoever does not answer is not worth waiting for: the relays poll.
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
      await Promise.race([(running ?? Promise.resolve()).then(() => client?.end()), late]).catch(() => {});
      clearTimeout(timer);
      if (client) abandon(client);
    },
  };
}
