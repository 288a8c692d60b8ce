import { randomUUID } from "node:crypto";
import { replayNext } from "./replay.ts";
import type { ReplayOptions } from "./replay.ts";
import { Signal } from "./signal.ts";
import type { Slots } from "./slots.ts";

const LOOK_EVERY_MS = 1000;

type Surroundings = {
  /** The consumer's number; undefined while it has none yet or the database cannot be used. */
  consumer(): number | undefined;
  deadlineMs(): number;
};

/**
 * Replays, beside the queue, the groups that somebody asked for (`askForReplay`). The request is a row, so whoever asks needs
 * nothing but the database, and the handlers that run are those that are deployed.
 */
export class Replays<Tx> {
  handled = 0;
  readonly #options: Omit<ReplayOptions<Tx>, "groupId">;
  readonly #slots: Slots;
  readonly #around: Surroundings;
  readonly #process = randomUUID();
  readonly #signal = new Signal();
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(options: Omit<ReplayOptions<Tx>, "groupId">, slots: Slots, around: Surroundings) {
    this.#options = options;
    this.#slots = slots;
    this.#around = around;
    this.#running = this.#run();
  }

  /** Finishes the message in hand; the request stays for another process, or for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#signal.fire();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#signal.wait(LOOK_EVERY_MS);
      if (this.#stopped) return;
      const consumer = this.#around.consumer();
      if (consumer === undefined) continue;
      try {
        await this.#look(consumer);
      } catch (err) {
        // The queue's side finds out by itself and opens the breaker.
        this.#options.log.warn({ err }, "could not look for replays, trying again");
      }
    }
  }

  async #look(consumer: number): Promise<void> {
    const { pool } = this.#options;
    const { rows } = await this.#slots.run(() =>
      pool.query<{ group_id: string; replay_rate: number | null }>(
        `select group_id, replay_rate from parked_group
         where consumer = $1 and replay_at <= clock_timestamp() order by replay_at, group_id limit 100`,
        [consumer],
      ),
    );
    for (const { group_id: groupId, replay_rate: rate } of rows) {
      const step = { ...this.#options, consumer, groupId, process: this.#process, asked: true };
      for (;;) {
        if (this.#stopped || this.#around.consumer() === undefined) return;
        const began = performance.now();
        const end = await this.#slots.run(() =>
          replayNext({ ...step, deadlineMs: this.#around.deadlineMs() }),
        );
        if (end === "handled") this.handled += 1;
        if (rate !== null && end !== "done") {
          await this.#signal.wait(1000 / rate - (performance.now() - began));
        }
        if (end !== "handled") break;
      }
    }
  }
}
