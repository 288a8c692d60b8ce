import type { Client, QueryConfig, QueryResult, QueryResultRow } from "pg";
import { abandon } from "./abandon.ts";
import { SHARDS } from "./shard.ts";
import { CHANNEL } from "./waker.ts";
import type { Connect } from "./relay.ts";

/**
 * SQL for the first key of the advisory locks: "outb", mixed with the schema of the table, since locks belong to the whole
 * database and it may hold an outbox in more than one schema. The second key is the shard, or PRESENCE.
 */
export const LOCKS = `(select 1869968482 # relnamespace::int from pg_class where oid = 'outbox'::regclass)`;
export const PRESENCE = SHARDS;

const CONNECT_MS = 10_000;

/** How long an answer of the server proves that the shards are still ours. A frozen process is stale when it wakes. */
const FRESH_MS = 50;

export type SessionOptions = {
  connect: Connect;
  /** Name in relay_member. */
  id: string;
  timeoutMs: number;
  /** How long a statement may take, here and at the server. */
  statementMs: number;
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
  /** The statement before the next one: a connection runs one at a time, and the server ends a late one. */
  #before: Promise<unknown> = Promise.resolve();
  #pid = 0;
  #locks = 0;

  private constructor(client: Client, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  static async open(options: SessionOptions): Promise<Session> {
    const client = await within(CONNECT_MS, Promise.resolve(options.connect()));
    const session = new Session(client, options);
    client.on("error", (error) => session.#lose(error));
    client.on("end", () => session.#lose(new Error("The database closed the connection.")));
    client.on("notification", options.onWake);
    try {
      await within(CONNECT_MS, client.connect());
      const { rows } = await session.query<{ pid: number; locks: number }>(
        `select pg_backend_pid() as pid, ${LOCKS} as locks`,
      );
      session.#pid = rows[0]?.pid ?? 0;
      session.#locks = rows[0]?.locks ?? 0;
      await session.query(`set idle_session_timeout = ${options.timeoutMs}`);
      // Ours ends the session, but not the statement: its backend would keep the shards until it is done.
      await session.query(`set statement_timeout = ${options.statementMs}`);
      await session.query(`select pg_advisory_lock_shared(${session.#locks}, ${PRESENCE})`);
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

  /** Runs one statement, after those before it. A failure or silence of `statementMs` loses the session and rejects. */
  async query<Row extends QueryResultRow>(
    text: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>> {
    const result = this.#before.then(() => this.#run<Row>(text, values));
    this.#before = result.catch(() => {});
    return result;
  }

  async #run<Row extends QueryResultRow>(
    text: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>> {
    if (this.failure) throw this.failure;
    const sentAt = performance.now();
    try {
      const result = await within(
        this.#options.statementMs,
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
   * counts no longer at once. Whose lock is gone is removed from the table: `dead` ended without a good-bye.
   */
  async presence(): Promise<{ relays: number; dead: number }> {
    const { rows } = await this.query<{ relays: number; dead: number; pid: number }>({
      name: "outbox-presence",
      text: `
        with alive as (
          select pid from pg_locks
          where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
            and classid = $4::int::oid and objid = ${PRESENCE} and objsubid = 2 and granted
        ), gone as (
          delete from relay_member where id <> $1 and pid not in (select pid from alive) returning 1
        ), here as (
          insert into relay_member (id, pid, shards) values ($1, $2, $3)
          on conflict (id) do update set pid = excluded.pid, shards = excluded.shards, seen_at = clock_timestamp()
        )
        select (select count(*)::int from alive) as relays, (select count(*)::int from gone) as dead,
               pg_backend_pid() as pid`,
      values: [this.#options.id, this.#pid, this.owned.size, this.#locks],
    });
    const { relays = 1, dead = 0, pid = this.#pid } = rows[0] ?? {};
    if (pid !== this.#pid) {
      const error = new Error(
        "A pooler swaps the server's sessions: the relay needs one straight to the server.",
      );
      this.#lose(error);
      throw error;
    }
    return { relays: Math.max(1, relays), dead };
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
             where pg_try_advisory_lock($3, shard) limit $2`,
      values: [open, count, this.#locks],
    });
    for (const { shard } of rows) this.owned.add(shard);
  }

  /** Gives shards back. Only when nothing of theirs is in flight, and after their acknowledged rows are deleted. */
  async give(shards: number[]): Promise<void> {
    if (shards.length === 0) return;
    await this.query(
      `select pg_advisory_unlock(${this.#locks}, shard) from unnest($1::int[]) as back (shard)`,
      [shards],
    );
    for (const shard of shards) this.owned.delete(shard);
  }

  /** How many of the 64 shards have an owner, whoever it is. */
  async ownedByAll(): Promise<number> {
    const { rows } = await this.query<{ shards: number }>(`
      select count(distinct objid)::int as shards from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
        and classid = (${this.#locks})::int::oid and objid < ${PRESENCE} and objsubid = 2 and granted`);
    return rows[0]?.shards ?? 0;
  }

  /** Leaves orderly: the locks go with the session. */
  async close(): Promise<void> {
    if (this.lost) return;
    await this.query("delete from relay_member where id = $1", [this.#options.id]);
    this.failure = new Error("The relay has stopped.");
    await within(1000, this.#client.end()).catch(() => {});
  }

  #lose(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.owned.clear();
    abandon(this.#client);
    this.#options.onLost();
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
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
