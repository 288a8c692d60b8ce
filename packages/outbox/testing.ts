import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Client } from "pg";
import { startPostgres } from "test-postgres";
import type { TestPostgres } from "test-postgres";
import { insert } from "./insert.ts";
import type { OutboxRow } from "./insert.ts";
import { migrations } from "./migrations.ts";
import type { OutgoingEvent, Publish, PublishAnswer } from "./publish.ts";
import type { Log } from "./relay.ts";

/** An outbox in a real database, and clients to it, for the tests of this package. */
export type TestOutbox = {
  server: TestPostgres;
  url: string;
  connect: () => Client;
  /** A connected client; ended by close(). */
  client(): Promise<Client>;
  /** Commits events `n` of a group: `payload` is `group:n`. */
  write(group: string, ns: number[], more?: Partial<OutboxRow>): Promise<void>;
  /** Rows of a statement, as the owner. */
  rows<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  depth(): Promise<number>;
  close(): Promise<void>;
};

export async function testOutbox(): Promise<TestOutbox> {
  const server = await startPostgres();
  const url = server.url(await server.createDatabase());
  const connect = () => new Client({ connectionString: url });
  const clients: Client[] = [];
  const client = async () => {
    const fresh = connect();
    fresh.on("error", () => {});
    await fresh.connect();
    clients.push(fresh);
    return fresh;
  };
  const main = await client();
  for (const { sql } of migrations) await main.query(`begin; ${sql}; commit`);
  return {
    server,
    url,
    connect,
    client,
    write: (group, ns, more) =>
      insert(
        main,
        ns.map((n) => event(group, n, more)),
      ),
    rows: async <Row>(text: string, values?: unknown[]) => (await main.query(text, values)).rows as Row[],
    depth: async () =>
      (await main.query<{ n: number }>("select count(*)::int as n from outbox")).rows[0]?.n ?? 0,
    async close() {
      await Promise.all(clients.map((one) => one.end().catch(() => {})));
      await server.stop();
    },
  };
}

export function event(group: string, n: number, more: Partial<OutboxRow> = {}): OutboxRow {
  return {
    tenant: "00000000-0000-7000-8000-000000000001",
    topic: "sale",
    groupId: group,
    eventId: randomUUID(),
    type: "sale.completed",
    version: 1,
    payload: `${group}:${n}`,
    ...more,
  };
}

/** A topic in memory: keeps what it accepted, in order, and can be told to answer otherwise. */
export class Sink {
  readonly calls: { topic: string; groups: string[] }[] = [];
  readonly accepted: string[] = [];
  /** How often each payload was accepted. */
  readonly times = new Map<string, number>();
  /** May throw, may wait, may answer instead of the topic. */
  behaviour: (event: OutgoingEvent, topic: string) => PublishAnswer | void | Promise<PublishAnswer | void> =
    () => {};

  readonly publish: Publish = async (topic, events) => {
    this.calls.push({ topic, groups: events.map(({ groupId }) => groupId) });
    return Promise.all(
      events.map(async (one) => {
        const answer = (await this.behaviour(one, topic)) ?? { ok: true as const };
        if (answer.ok) this.accept(one.payload);
        return answer;
      }),
    );
  };

  accept(payload: string): void {
    const before = this.times.get(payload) ?? 0;
    this.times.set(payload, before + 1);
    // What a topic drops by its deduplication id never reaches a queue.
    if (before === 0) this.accepted.push(payload);
  }

  /** The numbers of a group in the order of their arrival. */
  of(group: string): number[] {
    return this.accepted
      .filter((payload) => payload.startsWith(`${group}:`))
      .map((payload) => Number(payload.split(":")[1]));
  }

  repeats(): number {
    return [...this.times.values()].reduce((sum, times) => sum + times - 1, 0);
  }
}

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A way to a server that can be made to swallow everything, as a broken network does: neither side is told. */
export async function brittlePipe(port: number): Promise<{ port: number; swallow(): void; close(): void }> {
  let swallowing = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => void (swallowing || to.write(chunk)));
      from.on("error", () => {});
      from.on("close", () => void (swallowing || to.destroy()));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    swallow: () => void (swallowing = true),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
