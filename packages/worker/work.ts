import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Pool } from "pg";
import { Breaker } from "./breaker.ts";
import { consumerNumber } from "./consumer.ts";
import { failureOf, textOf } from "./failure.ts";
import type { Handler } from "./handler.ts";
import { Lane } from "./lane.ts";
import type { Log } from "./log.ts";
import { envelopeOf } from "./message.ts";
import type { Envelope, Incoming } from "./message.ts";
import { diedBefore, once, park, parkingKey } from "./once.ts";
import type { Transaction } from "./once.ts";
import { Queue } from "./queue.ts";
import { Replays } from "./replays.ts";
import { Signal, backOff } from "./signal.ts";
import { Slots } from "./slots.ts";

export type WorkOptions<Tx> = Transaction<Tx> & {
  /** Name of this consumer, for ever: its inbox rows are filed under it. The workload's name is a good one. */
  consumer: string;
  queueUrl: string;
  sqs: SQSClient;
  /** At least `concurrency` connections. The engine never ends it. */
  pool: Pool;
  handlers: Handler<Tx>[];
  log: Log;
  /** Called after each commit, e.g. to wake the relay. */
  afterCommit?: () => void;
  /** Handlers that run at once, each with a connection of the pool. Default 8. */
  concurrency?: number;
  /**
   * How long one receive may wait for messages, and so how long stop() may take on an idle queue: an open receive is never
   * aborted. Default 3 (a laptop's runner waits 8 s; an idle worker costs about 0.4 USD a month in calls), at most 20.
   */
  waitSeconds?: number;
};

export type WorkerHealth = {
  /**
   * false: not started yet, the loop stands still, the queue or the database has been unusable for a minute, or every
   * place is taken by a handler that is a minute over its deadline.
   */
  ok: boolean;
  detail: {
    consumer: string;
    ready: boolean;
    /** Groups in hand, and handlers running. */
    lanes: number;
    running: number;
    /** Since the receive loop last came round, in ms. */
    loopAgeMs: number;
    databaseDown: boolean;
    handled: number;
    /** Received again after they had been handled. */
    repeated: number;
    parked: number;
    /** Deleted because nobody here handles their type. */
    unknown: number;
    failed: number;
    /** Parked ones that were handled on request. */
    replayed: number;
    lastHandledAt: string | null;
    error: string | null;
  };
};

export type Worker = {
  health(): WorkerHealth;
  /** Lets the open receive return, finishes running handlers, gives the rest back to the queue. */
  stop(): Promise<void>;
};

const RETRY_MS = [200, 1000, 5000];
const LONGEST_OUTAGE_MS = 5 * 60_000;
/** SQS hides a message for at most 12 hours from its receive. */
const LONGEST_HOLD_MS = 11 * 3600_000;
const PARTITIONS_EVERY_MS = 3600_000;
/** A deployment may change the queue while this process still consumes it. */
const LIMITS_EVERY_MS = 60_000;
const UNUSABLE_MS = 60_000;

/**
 * Consumes a queue until stopped: each message at most once in effect, in order per FIFO group, groups beside each other.
 *
 * It starts by itself and survives any failure of the queue and the database; `health()` tells. Resolves at once.
 */
export async function work<Tx>(options: WorkOptions<Tx>): Promise<Worker> {
  return new Engine(options);
}

class Engine<Tx> implements Worker {
  readonly #options: WorkOptions<Tx>;
  readonly #log: Log;
  readonly #handlers: Map<string, Handler<Tx>>;
  readonly #queue: Queue;
  readonly #breaker: Breaker;
  readonly #slots: Slots;
  readonly #concurrency: number;
  readonly #waitSeconds: number;
  readonly #replays: Replays<Tx>;
  readonly #lanes = new Map<string, Lane>();
  /** The work of lanes, also of those that only give back what they had. */
  readonly #ending = new Set<Promise<void>>();
  /** Messages that may have ended a process, until they are known not to have, or have had their run. */
  readonly #suspects = new Set<Incoming>();
  readonly #signal = new Signal();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #consumer: number | undefined;
  #size = 1;
  #turnAt = performance.now();
  #partitionsAt = 0;
  #limitsAt = Infinity;
  /** Since when no receive has succeeded. */
  #deafSince: number | undefined;
  #counts = { handled: 0, repeated: 0, parked: 0, unknown: 0, failed: 0 };
  #lastHandledAt: string | null = null;
  #error: string | null = null;

  constructor(options: WorkOptions<Tx>) {
    this.#options = options;
    this.#log = options.log;
    this.#handlers = new Map(options.handlers.map((handler) => [handler.type, handler]));
    if (this.#handlers.size < options.handlers.length) {
      throw new Error(`Consumer ${options.consumer} has two handlers for one event type.`);
    }
    this.#queue = new Queue(options.sqs, options.queueUrl, options.log);
    this.#concurrency = options.concurrency ?? 8;
    this.#slots = new Slots(this.#concurrency);
    this.#breaker = new Breaker(options.pool, this.#slots, options.log, () => this.#signal.fire());
    this.#waitSeconds = Math.min(20, options.waitSeconds ?? 3);
    this.#replays = new Replays(options, this.#slots, {
      consumer: () => (this.#breaker.open ? undefined : this.#consumer),
      deadlineMs: () => this.#deadlineMs(),
    });
    this.#running = this.#run();
  }

  health(): WorkerHealth {
    const loopAgeMs = Math.round(performance.now() - this.#turnAt);
    const ready = this.#consumer !== undefined;
    const deafMs = this.#deafSince === undefined ? 0 : performance.now() - this.#deafSince;
    return {
      ok:
        ready &&
        loopAgeMs < (this.#waitSeconds + 15) * 1000 &&
        Math.max(this.#breaker.openMs(), deafMs, this.#slots.stuckMs() - this.#deadlineMs()) < UNUSABLE_MS,
      detail: {
        consumer: this.#options.consumer,
        ready,
        lanes: this.#lanes.size,
        running: this.#slots.taken,
        loopAgeMs,
        databaseDown: this.#breaker.open,
        ...this.#counts,
        replayed: this.#replays.handled,
        lastHandledAt: this.#lastHandledAt,
        error: this.#error,
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#signal.fire();
    await Promise.all([this.#running, this.#replays.stop()]);
    await Promise.all(this.#ending);
    await this.#queue.flush();
    await this.#breaker.stop();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    for (let tries = 0; !this.#stopped;) {
      this.#turnAt = performance.now();
      try {
        if (this.#consumer === undefined) await this.#prepare();
        await this.#keepPartitions();
        await this.#readLimits();
        // What is received while a suspect runs would be counted as tried, and die with it.
        if (this.#breaker.open || !this.#hasRoom() || this.#suspects.size > 0) {
          await this.#signal.wait(1000);
          continue;
        }
        const messages = await this.#queue.receive(this.#size, this.#waitSeconds);
        this.#error = null;
        this.#deafSince = undefined;
        tries = 0;
        this.#take(messages);
      } catch (err) {
        const { message } = err as Error;
        if (message !== this.#error) this.#log.error({ err }, "cannot receive");
        this.#error = message;
        this.#deafSince ??= performance.now();
        await this.#signal.wait(backOff(tries++, 200, 10_000));
      }
    }
  }

  async #prepare(): Promise<void> {
    await this.#queue.limits();
    const { consumer, pool } = this.#options;
    const number = await this.#slots.run(() => consumerNumber(pool, consumer));
    const { visibilitySeconds, maxReceives } = this.#queue;
    this.#log.info(
      { consumer, visibilitySeconds, maxReceives, events: [...this.#handlers.keys()] },
      "consuming",
    );
    this.#consumer = number;
    this.#limitsAt = performance.now() + LIMITS_EVERY_MS;
  }

  async #readLimits(): Promise<void> {
    if (performance.now() < this.#limitsAt) return;
    await this.#queue.limits();
    this.#limitsAt = performance.now() + LIMITS_EVERY_MS;
  }

  /** The inbox has a partition per day; whoever runs creates them ahead. */
  async #keepPartitions(): Promise<void> {
    if (performance.now() < this.#partitionsAt) return;
    await this.#slots.run(() => this.#options.pool.query("select inbox_partitions()"));
    this.#partitionsAt = performance.now() + PARTITIONS_EVERY_MS;
  }

  /** Lanes that only wait for a time do not count, within reason: a slow mall must not stop everybody. */
  #hasRoom(): boolean {
    const active = [...this.#lanes.values()].filter((lane) => !lane.held).length;
    return active < this.#concurrency && this.#lanes.size < this.#concurrency * 10;
  }

  /** Puts messages into their lanes. Those that a receive brings during stop() are given back by their lane. */
  #take(messages: Incoming[]): void {
    // Somebody failed or died on these: one at a time, or SQS would count tries against innocent followers.
    if (messages.some(({ receives }) => receives > 1)) this.#size = 1;
    const started: Lane[] = [];
    for (const message of messages) {
      const lane = this.#lanes.get(message.groupId);
      if (lane) {
        lane.add(message);
        continue;
      }
      const fresh = new Lane(message, this.#queue);
      this.#lanes.set(message.groupId, fresh);
      started.push(fresh);
    }
    for (const lane of started) {
      lane.start(() => this.#runLane(lane));
      this.#ending.add(lane.done);
      void lane.done.finally(() => this.#ending.delete(lane.done));
    }
  }

  /** Message after message of one group, until it is empty or has to be given back. */
  async #runLane(lane: Lane): Promise<void> {
    for (let message = lane.first(); message; message = lane.first()) {
      const verdict =
        this.#stopped || lane.expired() ? ("release" as const) : await this.#handle(lane, message);
      if (verdict === "delete") {
        lane.remove(message);
        this.#queue.delete(message);
        continue;
      }
      // Given back earlier, they would come to our own open receive, which costs each of them another one.
      if (this.#stopped) await this.#running;
      if (await this.#parkTheDoomed(lane)) continue;
      const rest = lane.empty();
      // What comes from now on belongs to a new lane: this one may have lost its messages, and would give those back, too.
      this.#leave(lane);
      if (verdict === "release") {
        await this.#queue.hide(rest, 0);
      } else {
        // The group stays closed while its head is hidden, so the others may be given back at once.
        await this.#queue.hide(rest.slice(0, 1), verdict.hideSeconds);
        await this.#queue.hide(rest.slice(1), 0);
      }
      return;
    }
    // In the same breath as finding it empty: a message added later would wait for nobody.
    this.#leave(lane);
  }

  #leave(lane: Lane): void {
    this.#lanes.delete(lane.groupId);
    // The group's next message is free once this one is deleted. With nobody left to share the call, do not wait.
    if (this.#lanes.size === 0) this.#queue.deleteNow();
    this.#signal.fire();
  }

  /**
   * Giving back a message at its last receive would make SQS dead-letter it: it is parked instead. Only from the head, as
   * those behind it follow it into the parked rows anyway. Returns whether the head was taken away.
   */
  async #parkTheDoomed(lane: Lane): Promise<boolean> {
    const message = lane.first();
    if (!message || message.receives < this.#queue.maxReceives || this.#breaker.open) return false;
    const error = new Error("It had to be given back at its last receive, by a worker that stopped.");
    const verdict = await this.#parkUnhandled(lane, message, error);
    if (verdict === "delete") {
      lane.remove(message);
      this.#queue.delete(message);
    }
    return verdict === "delete";
  }

  async #parkUnhandled(lane: Lane, message: Incoming, error: Error): Promise<"delete" | "release"> {
    try {
      const envelope = envelopeOf(message.body);
      const order = this.#handlers.get(envelope.type)?.order ?? "none";
      return await this.#park(
        lane,
        message,
        envelope,
        parkingKey(order, message.groupId, envelope.id),
        error,
        0,
      );
    } catch (problem) {
      return this.#park(lane, message, undefined, message.messageId, problem, 0);
    }
  }

  async #handle(lane: Lane, message: Incoming): Promise<"delete" | "release" | { hideSeconds: number }> {
    const { pool, log: base } = this.#options;
    let envelope: Envelope;
    try {
      envelope = envelopeOf(message.body);
    } catch (error) {
      // Nothing in it says which group it belongs to: it is parked alone.
      return this.#park(lane, message, undefined, message.messageId, error, 0);
    }
    const handler = this.#handlers.get(envelope.type);
    if (!handler) {
      this.#counts.unknown += 1;
      this.#log.warn(
        { event: envelope.type, eventId: envelope.id },
        "nobody handles this type, the message is deleted",
      );
      return "delete";
    }
    const key = parkingKey(handler.order, message.groupId, envelope.id);
    const log = base.child({ event: envelope.type, eventId: envelope.id, groupId: message.groupId });
    const again = message.receives > 1;
    const last = message.receives >= this.#queue.maxReceives;

    const startedAt = performance.now();
    let outageAt: number | undefined;
    let [tries, conflicts, outages] = [0, 0, 0];
    let suspect: boolean | undefined;
    for (;;) {
      if (this.#stopped || lane.expired()) return "release";
      let waitMs: number;
      if (again && suspect !== false) this.#suspects.add(message);
      try {
        suspect ??=
          again && (await this.#slots.run(() => diedBefore(pool, this.#consumerNumber(), envelope.id)));
        if (!suspect || last) this.#cleared(message);
        if (suspect && last) {
          const died = new Error("The process ended while it handled this message, more than once.");
          return await this.#park(lane, message, envelope, key, died, message.receives);
        }
        const handleIt = async () =>
          this.#stopped
            ? undefined
            : once({
                pool,
                transaction: (client, one) => this.#options.transaction(client, one),
                consumer: this.#consumerNumber(),
                handler,
                envelope,
                groupId: message.groupId,
                body: message.body,
                context: { log, signal: AbortSignal.timeout(this.#deadlineMs()), attempt: tries + 1 },
                ...(again ? { recordStart: message.receives } : {}),
              });
        // A process ended while it ran, perhaps by another message beside it. Alone, it shows who it was.
        const result = await this.#slots.run(handleIt, { alone: suspect });
        this.#cleared(message);
        if (result === undefined) return "release";
        this.#succeeded(result, log, startedAt);
        return "delete";
      } catch (error) {
        this.#cleared(message);
        let failure = failureOf(error);
        // Whatever a handler makes of a database that is down, it is not the message's fault.
        if (failure.kind === "other") {
          await this.#breaker.check(error);
          if (this.#breaker.open) failure = { kind: "infrastructure" };
        }
        if (failure.kind === "conflict" && ++conflicts <= 3) {
          waitMs = backOff(conflicts, 20, 200);
        } else if (failure.kind === "unprocessable") {
          return this.#park(lane, message, envelope, key, error, tries + 1);
        } else if (failure.kind === "wait") {
          log.info({ seconds: failure.seconds, reason: (error as Error).message }, "asked to wait");
          waitMs = failure.seconds * 1000;
        } else if (failure.kind === "infrastructure" || failure.kind === "conflict") {
          outageAt ??= performance.now();
          log.warn({ err: error }, "message waits, something that it needs is down");
          this.#size = 1;
          await this.#breaker.check(error);
          if (!last && performance.now() - outageAt > LONGEST_OUTAGE_MS) return "release";
          waitMs = backOff(outages++, 200, 10_000);
        } else {
          tries += 1;
          this.#counts.failed += 1;
          this.#size = 1;
          log.warn({ err: error, attempt: tries, receives: message.receives }, "message failed");
          const retry = RETRY_MS[tries - 1];
          if (retry === undefined) {
            if (last) return this.#park(lane, message, envelope, key, error, tries);
            return { hideSeconds: Math.min(900, 30 * 2 ** (message.receives - 1)) };
          }
          waitMs = retry * (0.75 + Math.random() / 2);
        }
        if (performance.now() - startedAt > LONGEST_HOLD_MS) {
          return this.#park(lane, message, envelope, key, error, tries);
        }
        // After the last receive there is no giving back: SQS would dead-letter it.
        await this.#pause(lane, waitMs, last ? undefined : outageAt);
      }
    }
  }

  /** It did not end its process this time, or never did. */
  #cleared(message: Incoming): void {
    if (this.#suspects.delete(message)) this.#signal.fire();
  }

  /** Waits with the lane's messages kept in flight: for the time, and then until the database can be used. */
  async #pause(lane: Lane, ms: number, outageAt: number | undefined): Promise<void> {
    lane.held = true;
    this.#signal.fire();
    const until = performance.now() + ms;
    for (;;) {
      const tooLong = outageAt !== undefined && performance.now() - outageAt > LONGEST_OUTAGE_MS;
      const left = until - performance.now();
      if (this.#stopped || lane.expired() || tooLong || (left <= 0 && !this.#breaker.open)) break;
      await sleep(this.#breaker.open ? 100 : Math.min(left, 1000), this.#stopping.signal);
    }
    lane.held = false;
  }

  /**
   * Parks, however long the database needs to take it: giving up would leave the message to SQS. Even a message that SQS
   * counts as ours no longer: its inbox row makes the other one that comes a repetition.
   */
  async #park(
    lane: Lane,
    message: Incoming,
    envelope: Envelope | undefined,
    key: string,
    error: unknown,
    attempts: number,
  ): Promise<"delete" | "release"> {
    const text = textOf(error);
    const fields = {
      event: envelope?.type,
      eventId: envelope?.id,
      groupId: message.groupId,
      messageId: message.messageId,
    };
    for (let tries = 0; tries === 0 || !this.#stopped; tries++) {
      try {
        const consumer = this.#consumerNumber();
        const parking = { consumer, key, envelope, body: message.body, error: text, attempts };
        const fresh = await this.#slots.run(() => park(this.#options.pool, parking));
        if (fresh) {
          this.#counts.parked += 1;
          this.#log.error({ ...fields, err: error }, "message parked, its group waits for a replay");
        }
        return "delete";
      } catch (err) {
        this.#log.warn({ ...fields, err }, "could not park a message, trying again");
        await this.#breaker.check(err);
        lane.held = true;
        await sleep(backOff(tries, 200, 5000), this.#stopping.signal);
        lane.held = false;
      }
    }
    return "release";
  }

  #succeeded(result: "done" | "seen" | "parked", log: Log, startedAt: number): void {
    this.#size = Math.min(10, this.#size * 2);
    if (result === "seen") {
      this.#counts.repeated += 1;
      log.debug({}, "handled before");
      return;
    }
    this.#options.afterCommit?.();
    if (result === "parked") {
      this.#counts.parked += 1;
      log.warn({}, "group is parked, message put behind the others");
      return;
    }
    this.#counts.handled += 1;
    this.#lastHandledAt = new Date().toISOString();
    log.debug({ ms: Math.round(performance.now() - startedAt) }, "handled");
  }

  #deadlineMs(): number {
    return Math.max(1, this.#queue.visibilitySeconds - 5) * 1000;
  }

  #consumerNumber(): number {
    if (this.#consumer === undefined) throw new Error("The consumer has no number yet.");
    return this.#consumer;
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener("abort", done);
  });
}
