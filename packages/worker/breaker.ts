import type { Pool } from "pg";
import { inTime } from "./in-time.ts";
import type { Log } from "./log.ts";
import type { Slots } from "./slots.ts";

const PROBE_MS = 3000;

/**
 * Open while the database cannot be written to. Nothing is received then and lanes wait, since receiving and failing
 * would count against messages that did nothing wrong.
 */
export class Breaker {
  readonly #pool: Pool;
  readonly #slots: Slots;
  readonly #log: Log;
  readonly #onClose: () => void;
  #probing: Promise<void> | undefined;
  #openSince: number | undefined;
  #stopped = false;

  constructor(pool: Pool, slots: Slots, log: Log, onClose: () => void) {
    this.#pool = pool;
    this.#slots = slots;
    this.#log = log;
    this.#onClose = onClose;
  }

  get open(): boolean {
    return this.#openSince !== undefined;
  }

  openMs(): number {
    return this.#openSince === undefined ? 0 : performance.now() - this.#openSince;
  }

  /** Asks the database, and opens if it does not answer. Resolves after the first answer. */
  async check(err: unknown): Promise<void> {
    if (this.open || (await this.#slots.run(() => this.#writable()))) return;
    // Another lane may have found out meanwhile.
    if (this.open) return;
    this.#openSince = performance.now();
    this.#log.warn({ err }, "the database cannot be used: receiving stops until it can");
    this.#probing = this.#probe();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#probing;
  }

  async #probe(): Promise<void> {
    for (let tries = 0; !this.#stopped; tries++) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(2000, 100 * 2 ** tries)));
      if (this.#stopped || !(await this.#slots.run(() => this.#writable()))) continue;
      this.#log.info({ ms: Math.round(this.openMs()) }, "the database can be used again");
      this.#openSince = undefined;
      this.#onClose();
      return;
    }
  }

  async #writable(): Promise<boolean> {
    try {
      const client = await inTime(PROBE_MS, this.#pool.connect(), (late) => late.release());
      // The pool listens to idle clients only.
      const ignore = () => {};
      client.on("error", ignore);
      try {
        const { rows } = await inTime(
          PROBE_MS,
          client.query<{ no: boolean }>("select current_setting('transaction_read_only')::boolean as no"),
        );
        client.off("error", ignore);
        client.release();
        return rows[0]?.no === false;
      } catch (error) {
        // One that hangs would keep its place in the pool for as long as the network takes to notice.
        client.release(error as Error);
        return false;
      }
    } catch {
      return false;
    }
  }
}
