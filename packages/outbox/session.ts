import type { Client, QueryConfig, QueryResult, QueryResultRow } from "pg";
import { SHARDS } from "./shard.ts";
import { CHANNEL } from "./waker.ts";
import type { Connect } from "./relay.ts";

/** First key of the advisory locks: "outb". The second key is the shard, or PRESENCE. */
export const NAMESPACE = 0x6f757462;
export const PRESENCE = SHARDS;

/** How long an answer of the server proves that the shards are still ours. A frozen process is stale when it wakes. */
const FRESH_MS = 50;

export type SessionOptions = {
  connect: Connect;
  /** Name in relay_member. */
  id: string;
  timeoutMs: number;
  onWake: () => void;
  onLost: () => void;
};

/**
 * The one database session of a relay. Its advisory locks are the ownership of shards: while it lives nobody else
 * publishes them, and the server ends it when it is silent for `timeoutMs`. Any failed or late query means it is lost.
 */
export class Session {
  readonly owned = new Set<number>();
  /** Why it is lost. */
  failure: Error | undefined;
  readonly #client: Client;
  readonly #options: SessionOptions;
  #provenAt = -Infinity;
  #proof: Promise<void> | undefined;
  #pid = 0;

  private constructor(client: Client, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  static async open(options: SessionOptions): Promise<Session> {
    const client = await options.connect();
    const session = new Session(client, options);
    client.on("error", (error) => session.#lose(error));
    client.on("end", () => session.#lose(new Error("The database closed the connection.")));
    client.on("notification", options.onWake);
    try {
      await session.#within(10_000, client.connect());
      const { rows } = await session.query<{ pid: number }>(`select pg_backend_pid() as pid`);
      session.#pid = rows[0]?.pid ?? 0;
      await session.query(`set idle_session_timeout = ${options.timeoutMs}`);
      await session.query(`set statement_timeout = 30000`);
      await session.query(`select pg_advisory_lock_shared(${NAMESPACE}, ${PRESENCE})`);
      await session.query(`listen ${CHANNEL}`);
      return session;
    } catch (error) {
      session.#lose(error as Error);
      throw error;
    }
  }

  get lost(): boolean {
    return this.failure !== undefined;
  }

  /** Runs one statement. A failure or silence of `timeoutMs` loses the session and rejects. */
  async query<Row extends QueryResultRow>(
    text: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>> {
    if (this.failure) throw this.failure;
    const sentAt = performance.now();
    try {
      const result = await this.#within(
        this.#options.timeoutMs,
        typeof text === "string" ? this.#client.query<Row>(text, values) : this.#client.query<Row>(text),
      );
      this.#provenAt = Math.max(this.#provenAt, sentAt);
      return result;
    } catch (error) {
      this.#lose(error as Error);
      throw error;
    }
  }

  /**
   * Rejects unless the server has just confirmed that the session, and so every lock of it, is alive. A process that was
   * frozen while it waited for the answer reads one that was true before: it asks again.
   */
  async confirm(): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.#silentMs() <= FRESH_MS) return;
    do {
      this.#proof ??= this.query("select 1").then(
        () => void (this.#proof = undefined),
        (error: unknown) => {
          this.#proof = undefined;
          throw error;
        },
      );
      await this.#proof;
    } while (this.#silentMs() > this.#options.timeoutMs / 2);
  }

  /** How long ago the question was sent that the server answered last. It ends a session only after `timeoutMs`. */
  #silentMs(): number {
    return performance.now() - this.#provenAt;
  }

  /**
   * Notes that this relay is there and returns how many are, by the locks that live sessions hold: a killed relay
   * counts no longer at once. Whose lock is gone is removed from the table.
   */
  async presence(): Promise<number> {
    const { rows } = await this.query<{ relays: number }>({
      name: "outbox-presence",
      text: `
        with alive as (
          select pid from pg_locks
          where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
            and classid = ${NAMESPACE} and objid = ${PRESENCE} and objsubid = 2 and granted
        ), gone as (
          delete from relay_member where id <> $1 and pid not in (select pid from alive)
        ), here as (
          insert into relay_member (id, pid, shards) values ($1, $2, $3)
          on conflict (id) do update set pid = excluded.pid, shards = excluded.shards, seen_at = clock_timestamp()
        )
        select count(*)::int as relays from alive`,
      values: [this.#options.id, this.#pid, this.owned.size],
    });
    return Math.max(1, rows[0]?.relays ?? 1);
  }

  /** Takes up to `count` of the shards that nobody owns. */
  async take(count: number): Promise<void> {
    const open = Array.from({ length: SHARDS }, (_, shard) => shard).filter(
      (shard) => !this.owned.has(shard),
    );
    // Relays that start together would otherwise all try the same ones first.
    open.sort(() => Math.random() - 0.5);
    const { rows } = await this.query<{ shard: number }>({
      name: "outbox-take",
      text: `select shard from unnest($1::int[]) as open (shard)
             where pg_try_advisory_lock(${NAMESPACE}, shard) limit $2`,
      values: [open, count],
    });
    for (const { shard } of rows) this.owned.add(shard);
  }

  /** Gives shards back. Only when nothing of theirs is in flight, and after their acknowledged rows are deleted. */
  async give(shards: number[]): Promise<void> {
    if (shards.length === 0) return;
    await this.query(
      `select pg_advisory_unlock(${NAMESPACE}, shard) from unnest($1::int[]) as back (shard)`,
      [shards],
    );
    for (const shard of shards) this.owned.delete(shard);
  }

  /** How many of the 64 shards have an owner, whoever it is. */
  async ownedByAll(): Promise<number> {
    const { rows } = await this.query<{ shards: number }>(`
      select count(distinct objid)::int as shards from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
        and classid = ${NAMESPACE} and objid < ${PRESENCE} and objsubid = 2 and granted`);
    return rows[0]?.shards ?? 0;
  }

  /** Leaves orderly: the locks go with the session. */
  async close(): Promise<void> {
    if (this.lost) return;
    await this.query("delete from relay_member where id = $1", [this.#options.id]);
    this.failure = new Error("The relay has stopped.");
    await this.#within(1000, this.#client.end()).catch(() => {});
  }

  #lose(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.owned.clear();
    abandon(this.#client);
    this.#options.onLost();
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`The database did not answer within ${ms} ms.`)), ms);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      work.catch(() => {});
    }
  }
}

/** Ends the socket without waiting for a server that may be gone. */
function abandon(client: Client): void {
  client.end().catch(() => {});
  (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream?.destroy();
}
