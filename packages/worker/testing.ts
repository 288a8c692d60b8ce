import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { SNSClient } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SQSClient,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import { Pool } from "pg";
import type { PoolClient } from "pg";
import { startPostgres } from "test-postgres";
import type { TestPostgres } from "test-postgres";
import type { Log } from "./log.ts";
import { grants, migrations } from "./migrations.ts";
import type { WorkOptions } from "./work.ts";

/** A real database and a real-enough SNS/SQS for the tests of this package. */
export type Bench = {
  server: TestPostgres;
  /** As a role that owns nothing, like a workload. */
  pool: Pool;
  databaseUrl: string;
  endpoint: string;
  sqs: SQSClient;
  sns: SNSClient;
  queue(options?: { visibility?: number; maxReceives?: number }): Promise<TestQueue>;
  /** The effects that handlers wrote, in order. */
  effects(): Promise<string[]>;
  close(): Promise<void>;
};

export type TestQueue = {
  url: string;
  arn: string;
  consumer: string;
  send(group: string, name: string, more?: Partial<TestEvent>): Promise<TestEvent>;
  sendBody(group: string, body: string): Promise<void>;
  /** Messages in the queue (ready + in flight) and in its dead letter queue. */
  counts(): Promise<{ left: number; dead: number }>;
};

export type TestEvent = { id: string; type: string; version: number; group: string; name: string };

export const credentials = { accessKeyId: "test", secretAccessKey: "test" };

export async function bench(): Promise<Bench> {
  const server = await startPostgres({ settings: { max_connections: "200" } });
  const database = await server.createDatabase();
  const owner = new Pool({ connectionString: server.url(database), max: 1 });
  for (const { sql } of migrations) await owner.query(`begin; ${sql}; commit`);
  await owner.query(`create role app login; create table effect (n serial, name text);
    grant select, insert on effect to app; grant usage on effect_n_seq to app; ${grants({ consumers: "app" })}`);
  await owner.end();

  const databaseUrl = server.url(database, "app");
  const pool = newPool(databaseUrl);
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  const settings = { endpoint, region: "us-east-1", credentials };
  const [sqs, sns] = [new SQSClient(settings), new SNSClient(settings)];

  return {
    server,
    pool,
    databaseUrl,
    endpoint,
    sqs,
    sns,
    async queue({ visibility = 30, maxReceives = 5 } = {}) {
      const consumer = `q${randomUUID()}`;
      const make = async (name: string, attributes: Record<string, string>) =>
        (
          await sqs.send(
            new CreateQueueCommand({
              QueueName: `${name}.fifo`,
              Attributes: { FifoQueue: "true", ...attributes },
            }),
          )
        ).QueueUrl ?? "";
      const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}.fifo`;
      const dead = await make(`${consumer}-dead`, {});
      const url = await make(consumer, {
        VisibilityTimeout: String(visibility),
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: arn(`${consumer}-dead`),
          maxReceiveCount: maxReceives,
        }),
      });
      const count = async (queueUrl: string) => {
        const { Attributes = {} } = await sqs.send(
          new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["All"] }),
        );
        return (
          Number(Attributes["ApproximateNumberOfMessages"]) +
          Number(Attributes["ApproximateNumberOfMessagesNotVisible"])
        );
      };
      const sendBody = async (group: string, body: string) => {
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: url,
            MessageGroupId: group,
            MessageDeduplicationId: randomUUID(),
            MessageBody: body,
          }),
        );
      };
      return {
        url,
        arn: arn(consumer),
        consumer,
        sendBody,
        async send(group, name, more = {}) {
          const event = { id: newId(), type: "thing.happened", version: 1, group, name, ...more };
          await sendBody(group, JSON.stringify(event));
          return event;
        },
        counts: async () => ({ left: await count(url), dead: await count(dead) }),
      };
    },
    async effects() {
      const { rows } = await pool.query<{ name: string }>("select name from effect order by n");
      return rows.map(({ name }) => name);
    },
    async close() {
      await pool.end();
      sqs.destroy();
      sns.destroy();
      await app.close();
      await server.stop();
    },
  };
}

/** A way to a server that can be made to swallow everything, as a broken network does: neither side is told. */
export async function brittlePipe(
  port: number,
): Promise<{ port: number; swallow(): void; open(): void; close(): void }> {
  let swallowing = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    // One that has lost a byte stays deaf, whatever the network does later.
    let deaf = swallowing;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        deaf ||= swallowing;
        if (!deaf) to.write(chunk);
      });
      from.on("error", () => {});
      from.on("close", () => void (deaf || to.destroy()));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    swallow: () => void (swallowing = true),
    open: () => void (swallowing = false),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export function newPool(connectionString: string, max = 8): Pool {
  const pool = new Pool({ connectionString, max, connectionTimeoutMillis: 2000 });
  pool.on("error", () => {});
  return pool;
}

/** What a handler gets: a statement in its transaction. */
export type Tx = { write(name: string): Promise<void>; client: PoolClient };

/** The options that every test's worker has in common. */
export function common(options: { pool: Pool; sqs: SQSClient }, queue: Pick<TestQueue, "url" | "consumer">) {
  return {
    consumer: queue.consumer,
    queueUrl: queue.url,
    sqs: options.sqs,
    pool: options.pool,
    transaction: (client: PoolClient): Tx => ({
      client,
      write: async (name) => void (await client.query("insert into effect (name) values ($1)", [name])),
    }),
    log: silent,
    // Short, so that stop() is quick.
    waitSeconds: 1,
  } satisfies Partial<WorkOptions<Tx>>;
}

export const thing = {
  type: "thing.happened",
  version: 1,
  parse(envelope: unknown): TestEvent {
    const event = envelope as TestEvent;
    if (typeof event.name !== "string") throw new Error("name: expected a string");
    return event;
  },
};

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** A UUIDv7 of now. */
function newId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const random = randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}
