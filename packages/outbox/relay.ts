import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Client } from "pg";
import { MOST_ENTRIES } from "./call.ts";
import { Fetcher } from "./fetch.ts";
import type { Row } from "./fetch.ts";
import { Hand } from "./hand.ts";
import { TopicUnavailable } from "./publish.ts";
import type { Publish, PublishAnswer } from "./publish.ts";
import { Session } from "./session.ts";
import { SHARDS } from "./shard.ts";
import { Snapshots } from "./snapshot.ts";
import type { OldSnapshot } from "./snapshot.ts";
import { Signal, backOff } from "./signal.ts";
import { Waits } from "./waits.ts";

/** Makes a new `pg` client that is not connected yet. Straight to the server: poolers break locks and LISTEN. */
export type Connect = () => Client | Promise<Client>;

/** pino fits. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type RelayOptions = {
  connect: Connect;
  publish: Publish;
  log: Log;
  /** Name in relay_member and in logs. Default: host name, process id and a random part. */
  id?: string;
  /** Calls in flight at once, 1–64. Default 8. */
  lanes?: number;
  /** The server drops a session that is silent for so long, and with it the shards of a frozen relay. Default 5000 ms. */
  sessionTimeoutMs?: number;
};

export type RelayHealth = {
  /**
   * false: the loop has not come round for 10 s (no database, or it hangs), or every call has failed for 30 s. A topic that
   * is missing or forbidden does not count: a restart would not help, and the other topics flow; see `error` and `lagMs`.
   */
  ok: boolean;
  detail: {
    id: string;
    connected: boolean;
    /** Shards that this relay owns, and those that no relay owns. */
    shards: number;
    unownedShards: number;
    relays: number;
    /** Age of the oldest row that is not held back by a blocked one, by the database's clock. */
    lagMs: number;
    /** Rows in the table, counted up to 10,001. */
    depth: number;
    /** Groups that wait for a person; see `blocked_at` and `error` in the table. */
    blockedGroups: number;
    /** Groups that wait for their next try. */
    waitingGroups: number;
    /** A session whose snapshot keeps deleted rows from being vacuumed, and so makes every fetch slower. */
    oldSnapshot: OldSnapshot | null;
    published: number;
    calls: number;
    /** Calls that failed as a whole, and events that a topic did not accept, by error code. */
    failedCalls: Record<string, number>;
    refusedEvents: Record<string, number>;
    /** Relays found dead: each of them left its shards to the others without a good-bye. */
    takeovers: number;
    lastPublishedAt: string | null;
    /** What is wrong now; null when nothing is. */
    error: string | null;
  };
};

export type Relay = {
  health(): RelayHealth;
  /** Fetches no more, finishes the calls in flight, deletes what was acknowledged, gives the shards back. */
  stop(): Promise<void>;
};

const TICK_MS = 250;
const MONITOR_MS = 2000;
const POLL_MS = { least: 25, most: 250 };
const ROWS_PER_FETCH = 500;
/** More are not fetched before some of them have left. */
const ROWS_IN_HAND = 1000;
/** An event may have 240 KiB: rows alone would not bound the memory. */
const BYTES_PER_FETCH = 16 * 1024 * 1024;
/** A statement that was too late has twice the time in the next session, or a slow database would never let one through. */
const MOST_STATEMENT_MS = 60_000;
const TRIES_OF_SENDER = 3;
/** So many calls failing in a row say that the broker is down, not that an event is bad. */
const OUTAGE_CALLS = 4;

/**
 * Moves rows from the outbox to topics, until stopped. Several relays may run: each owns shards of the outbox by
 * advisory lock and nobody else publishes those, so that the events of a group leave in order.
 *
 * It starts by itself, survives any failure of the database and the broker, and never throws; `health()` tells.
 */
export function relay(options: RelayOptions): Relay {
  return new Engine(options);
}

class Engine implements Relay {
  readonly #connect: Connect;
  readonly #publish: Publish;
  readonly #log: Log;
  readonly #id: string;
  readonly #lanes: number;
  readonly #timeoutMs: number;

  readonly #signal = new Signal();
  readonly #stop = new Signal();
  readonly #fetcher = new Fetcher();
  readonly #snapshots = new Snapshots();
  readonly #groups = new Waits(100, 30_000);
  readonly #topics = new Waits(1000, 30_000);
  readonly #calls = new Set<Promise<void>>();
  readonly #leaving = new Set<number>();
  readonly #running: Promise<void>;
  #hand = new Hand();
  #acknowledged: string[] = [];
  #session: Session | undefined;
  #stopping = false;

  /** When the loop last came round with the database. */
  #workedAt = -Infinity;
  #callsFailed = 0;
  /** When the first and the last of them failed. */
  #failing = { since: 0, last: 0 };
  #pausedUntil = 0;
  readonly #errors: { database?: string; broker?: string } = {};
  #seen = {
    relays: 0,
    unownedShards: SHARDS,
    lagMs: 0,
    depth: 0,
    blockedGroups: 0,
    oldSnapshot: null as OldSnapshot | null,
  };
  #counts = {
    published: 0,
    calls: 0,
    failedCalls: {} as Record<string, number>,
    refusedEvents: {} as Record<string, number>,
    takeovers: 0,
    lastPublishedAt: null as string | null,
  };

  constructor({ connect, publish, log, id, lanes = 8, sessionTimeoutMs = 5000 }: RelayOptions) {
    this.#connect = connect;
    this.#publish = publish;
    this.#log = log;
    this.#id = id ?? `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
    this.#lanes = Math.min(SHARDS, Math.max(1, lanes));
    this.#timeoutMs = sessionTimeoutMs;
    this.#running = this.#run();
  }

  health(): RelayHealth {
    const now = performance.now();
    const connected = this.#session !== undefined && !this.#session.lost;
    // Who has nothing to send any more fails no longer.
    const outage = this.#callsFailed >= OUTAGE_CALLS && now - this.#failing.last < 60_000;
    const failingMs = outage ? this.#failing.last - this.#failing.since : 0;
    return {
      ok: now - this.#workedAt < 10_000 && failingMs < 30_000,
      detail: {
        id: this.#id,
        connected,
        shards: this.#session?.owned.size ?? 0,
        ...this.#seen,
        waitingGroups: this.#groups.size,
        ...structuredClone(this.#counts),
        error:
          this.#errors.database ?? (outage ? this.#errors.broker : undefined) ?? this.#topics.reason ?? null,
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#signal.fire();
    this.#stop.fire();
    await this.#running;
  }

  async #run(): Promise<void> {
    let tries = 0;
    while (!this.#stopping) {
      const startedAt = performance.now();
      try {
        this.#session = await Session.open({
          connect: this.#connect,
          id: this.#id,
          timeoutMs: this.#timeoutMs,
          statementMs: Math.max(this.#timeoutMs, Math.min(MOST_STATEMENT_MS, this.#timeoutMs * 2 ** tries)),
          onWake: () => this.#signal.fire(),
          onLost: () => this.#signal.fire(),
        });
        this.#log.info({ relay: this.#id }, "relay connected");
        await this.#relay(this.#session);
      } catch (err) {
        const before = this.#errors.database;
        this.#errors.database = `database: ${errorOf(err).message}`;
        if (this.#errors.database !== before)
          this.#log.warn({ err, relay: this.#id }, "relay has no database session");
      }
      // Calls in flight belong to the lost session; a new one starts when they are over.
      await Promise.all(this.#calls);
      this.#hand = new Hand();
      this.#acknowledged = [];
      this.#leaving.clear();
      // A session that worked starts the back-off anew.
      if (this.#workedAt > startedAt) tries = 0;
      this.#session = undefined;
      if (!this.#stopping) await this.#stop.wait(backOff(tries++, 100, 5000));
    }
  }

  /** Works with one session; rejects when it is lost, returns when stopped. */
  async #relay(session: Session): Promise<void> {
    let tickAt = 0;
    let monitorAt = 0;
    let idleMs = POLL_MS.least;
    while (!this.#stopping) {
      const now = performance.now();
      if (now >= tickAt) {
        tickAt = now + TICK_MS;
        await this.#share(session);
      }
      if (now >= monitorAt) {
        monitorAt = now + MONITOR_MS;
        await this.#monitor(session);
      }
      const { rows, full } = await this.#fetch(session);
      this.#fly(session);
      await this.#giveBack(session);
      this.#workedAt = performance.now();
      delete this.#errors.database;
      idleMs = rows > 0 ? POLL_MS.least : Math.min(POLL_MS.most, idleMs * 2);
      // Calls wake the loop when the hand runs low. Only a full fetch has left rows behind that a free lane could take.
      const more = full && this.#calls.size < this.#lanes;
      await this.#signal.wait(
        Math.min(more ? 0 : idleMs, tickAt - performance.now(), this.#groups.nextMs(), this.#topics.nextMs()),
      );
      if (session.failure) throw session.failure;
    }
    // The shards stay ours, by a session that is not silent, until the last call is over and its rows are deleted.
    while (this.#calls.size > 0) {
      await this.#signal.wait(Math.min(TICK_MS, this.#timeoutMs / 4));
      await session.confirm();
    }
    await this.#flush(session);
    await session.close();
    this.#log.info({ relay: this.#id }, "relay stopped");
  }

  /** Every relay wants the same share; who has more gives the surplus back, who has less takes what is free. */
  async #share(session: Session): Promise<void> {
    const { relays, dead } = await session.presence();
    this.#seen.relays = relays;
    this.#counts.takeovers += dead;
    const wanted = Math.ceil(SHARDS / relays);
    const keeping = session.owned.size - this.#leaving.size;
    if (keeping < wanted) {
      // Taking back what was about to be given away needs no lock.
      for (const shard of [...this.#leaving].slice(0, wanted - keeping)) this.#leaving.delete(shard);
      const missing = wanted - (session.owned.size - this.#leaving.size);
      if (missing > 0) await session.take(missing);
    }
    const surplus = session.owned.size - this.#leaving.size - wanted;
    for (const shard of [...session.owned]
      .filter((shard) => !this.#leaving.has(shard))
      .slice(0, Math.max(0, surplus))) {
      this.#leaving.add(shard);
    }
  }

  async #giveBack(session: Session): Promise<void> {
    this.#hand.drop(({ shard }) => this.#leaving.has(shard));
    const ready = [...this.#leaving].filter((shard) => !this.#hand.holds(shard));
    if (ready.length === 0) return;
    await this.#flush(session);
    await session.give(ready);
    for (const shard of ready) this.#leaving.delete(shard);
  }

  async #fetch(session: Session): Promise<{ rows: number; full: boolean }> {
    const free = [...session.owned].filter((shard) => !this.#leaving.has(shard) && !this.#hand.holds(shard));
    const paused = performance.now() < this.#pausedUntil;
    const laden = this.#hand.waiting >= ROWS_IN_HAND || this.#hand.bytes >= BYTES_PER_FETCH;
    if (free.length === 0 || paused || laden) {
      await this.#flush(session);
      return { rows: 0, full: false };
    }
    const acknowledged = this.#acknowledged;
    this.#acknowledged = [];
    const rows = await this.#fetcher.fetch(session, {
      acknowledged,
      shards: free,
      groups: this.#groups.waiting(),
      topics: this.#topics.waiting(),
      limit: ROWS_PER_FETCH,
      bytes: BYTES_PER_FETCH,
    });
    this.#hand.add(rows);
    return { rows: rows.length, full: rows.length === ROWS_PER_FETCH || this.#hand.bytes >= BYTES_PER_FETCH };
  }

  async #flush(session: Session): Promise<void> {
    if (this.#acknowledged.length === 0) return;
    const ids = this.#acknowledged;
    this.#acknowledged = [];
    await session.query("delete from outbox where id = any($1::bigint[])", [ids]);
  }

  /**
   * Starts calls until every lane has one or nothing can leave. After a landing, small calls take only half of the lanes:
   * they free few groups, which would make another small call, for ever. The loop lets them out, so that what is new
   * never waits for calls that hang.
   */
  #fly(session: Session, landed = false): void {
    while (this.#calls.size < this.#lanes && !this.#stopping && !session.lost) {
      // Whatever is wrong with the broker, these are fetched again afterwards.
      if (performance.now() < this.#pausedUntil) return this.#hand.drop(() => true);
      const least = landed && this.#calls.size * 2 >= this.#lanes ? MOST_ENTRIES : 1;
      const rows = this.#hand.next((group) => this.#groups.failedTogether(group), least);
      const [first] = rows;
      if (!first) return;
      const call = this.#lane(session, first.topic, rows).finally(() => {
        this.#calls.delete(call);
        this.#fly(session, true);
        if (this.#hand.low || this.#leaving.size > 0 || this.#stopping) this.#signal.fire();
      });
      this.#calls.add(call);
    }
  }

  /** One call, if the shards are still ours. Never rejects. */
  async #lane(session: Session, topic: string, rows: Row[]): Promise<void> {
    const failed = await session.confirm().then(
      () => this.#call(session, topic, rows),
      () => new Set<string>(),
    );
    this.#hand.landed(rows);
    if (failed.size > 0) {
      this.#hand.drop((row) => failed.has(row.groupId) || this.#topics.isWaiting(row.topic));
    }
  }

  /** Makes one call; returns the groups that have to wait. */
  async #call(session: Session, topic: string, call: Row[]): Promise<Set<string>> {
    this.#counts.calls += 1;
    let answers: PublishAnswer[];
    try {
      answers = await this.#publish(topic, call);
    } catch (err) {
      this.#callFailed(topic, call, errorOf(err));
      return new Set(call.map((row) => row.groupId));
    }
    if (this.#callsFailed > 0) this.#recovered();
    this.#topics.succeeded(topic);

    const failed = new Set<string>();
    for (const [n, row] of call.entries()) {
      const answer = answers[n] ?? { ok: false, senderFault: false, code: "NoAnswer", message: "" };
      if (answer.ok) {
        this.#groups.succeeded(row.groupId);
        if (!session.lost) this.#acknowledged.push(row.id);
        this.#counts.published += 1;
        this.#counts.lastPublishedAt = new Date().toISOString();
        continue;
      }
      failed.add(row.groupId);
      this.#groups.failed(row.groupId, answer.code);
      count(this.#counts.refusedEvents, answer.code);
      const details = {
        topic,
        type: row.type,
        eventId: row.eventId,
        groupId: row.groupId,
        code: answer.code,
      };
      this.#log.warn({ ...details, reason: answer.message }, "an event was not accepted, its group waits");
      if (answer.senderFault) await this.#blame(session, row, `${answer.code}: ${answer.message}`);
    }
    return failed;
  }

  #callFailed(topic: string, call: Row[], err: Error): void {
    count(this.#counts.failedCalls, err.name);
    if (err instanceof TopicUnavailable) {
      this.#topics.failed(topic, err.message);
      this.#log.error({ err, topic }, "a topic cannot be published to, its events wait");
      return;
    }
    for (const row of call) this.#groups.failed(row.groupId, err.message, true);
    this.#failing.last = performance.now();
    if (this.#callsFailed === 0) this.#failing.since = this.#failing.last;
    this.#callsFailed += 1;
    this.#errors.broker = `broker: ${err.name}: ${err.message}`;
    this.#log.warn({ err, topic, entries: call.length, failed: this.#callsFailed }, "a publish call failed");
    if (this.#callsFailed >= OUTAGE_CALLS) {
      this.#pausedUntil = performance.now() + backOff(this.#callsFailed - OUTAGE_CALLS, 100, 5000);
    }
  }

  #recovered(): void {
    if (this.#callsFailed >= OUTAGE_CALLS) {
      this.#groups.forgive();
      this.#log.info({ failed: this.#callsFailed }, "the broker answers again");
    }
    this.#callsFailed = 0;
    this.#pausedUntil = 0;
    delete this.#errors.broker;
  }

  /** Counts a refusal against the event itself; after three its group waits for a person. */
  async #blame(session: Session, row: Row, error: string): Promise<void> {
    try {
      const { rows } = await session.query<{ blocked: boolean }>(
        `update outbox set attempts = attempts + 1, error = $2,
           blocked_at = case when attempts + 1 >= ${TRIES_OF_SENDER} then clock_timestamp() end
         where id = $1 returning blocked_at is not null as blocked`,
        [row.id, error.slice(0, 2000).replaceAll("\0", "�")],
      );
      if (rows[0]?.blocked) {
        this.#log.error(
          { id: row.id, eventId: row.eventId, groupId: row.groupId, type: row.type, reason: error },
          "an event is refused for good and blocks its group: mend the cause, then retryBlocked, or skipBlocked",
        );
      }
    } catch {
      // The session is lost; the next owner of the shard tries again and counts.
    }
  }

  async #monitor(session: Session): Promise<void> {
    const { rows } = await session.query<{ lag: number | null; depth: number; blocked: number }>(`
      with blocked as (select distinct group_id from outbox where blocked_at is not null)
      select (select (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 from outbox
              where group_id not in (select group_id from blocked) order by id limit 1) as lag,
             (select count(*)::int from (select from outbox limit 10001) as counted) as depth,
             (select count(*)::int from blocked) as blocked`);
    this.#seen.lagMs = Math.round(rows[0]?.lag ?? 0);
    this.#seen.depth = rows[0]?.depth ?? 0;
    this.#seen.blockedGroups = rows[0]?.blocked ?? 0;
    this.#seen.unownedShards = SHARDS - (await session.ownedByAll());
    const { oldSnapshot: before } = this.#seen;
    const oldSnapshot = await this.#snapshots.look(session);
    this.#seen.oldSnapshot = oldSnapshot;
    if (oldSnapshot && oldSnapshot.pid !== before?.pid) {
      this.#log.warn(
        { ...oldSnapshot },
        "a session keeps an old snapshot: the outbox cannot be vacuumed and gets slower. End it with pg_terminate_backend(pid)",
      );
    }
  }
}

function count(counts: Record<string, number>, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1;
}

/** A publisher, or a `connect`, may reject with anything. */
function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
