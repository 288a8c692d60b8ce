import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  SQSClient,
  SendMessageBatchCommand,
} from "@aws-sdk/client-sqs";
import { insert, migrations as outboxMigrations, snsPublisher } from "outbox";
import type { OutboxRow, Publish } from "outbox";
import { Client, Pool } from "pg";
import { startPostgres } from "test-postgres";
import { migrations as workerMigrations } from "worker";

/** A durable PostgreSQL, a broker in its own process, and what every contender needs of them. */
export type Rig = {
  databaseUrl: string;
  endpoint: string;
  sqs: SQSClient;
  /** Statements of the bench itself. */
  owner: Pool;
  connect: () => Client;
  pool(size: number): Pool;
  /** A topic with so many subscribed queues, and the function that publishes to it. */
  topic(queues?: number, limits?: Limits): Promise<Topic>;
  /** A queue with so many messages, spread over so many groups. */
  queue(messages: number, groups: number): Promise<string>;
  dropQueues(urls: string[]): Promise<void>;
  /** Empties the outbox and fills it with so many events over so many groups. */
  fill(events: number, groups: number): Promise<void>;
  close(): Promise<void>;
};

export type Topic = { arn: string; queues: string[]; publish: Publish };

type Limits = { visibility: number; tries?: number };

/** Settings of an SDK client for the rig's broker. */
export function aws(endpoint: string) {
  const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
  return { endpoint, region: "us-east-1", credentials };
}

const TENANT = "00000000-0000-7000-8000-000000000001";
/** Events of the shop weigh about so much. */
const DATA = "x".repeat(300);

export async function startRig(): Promise<Rig> {
  const postgres = await startPostgres({
    durable: true,
    settings: { max_connections: "300", shared_buffers: "128MB", max_wal_size: "2GB" },
  });
  const databaseUrl = postgres.url(await postgres.createDatabase());
  const owner = new Pool({ connectionString: databaseUrl, max: 4 });
  for (const { sql } of [...outboxMigrations, ...workerMigrations])
    await owner.query(`begin; ${sql}; commit`);
  await owner.query("create table effect (n bigint generated always as identity, event_id text)");
  // Filled once; every run starts from a copy of it.
  await owner.query("create table master as select * from outbox");

  const broker = spawn(process.execPath, [new URL("broker.ts", import.meta.url).pathname], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(broker.stdout, "data")) as [Buffer];
  const endpoint = line.toString().trim();
  const sqs = new SQSClient(aws(endpoint));
  const sns = new SNSClient({ ...aws(endpoint), maxAttempts: 1 });
  let filled = "";

  const newQueue = async ({ visibility, tries }: Limits = { visibility: 120 }) => {
    const create = async (attributes: Record<string, string>) =>
      (
        await sqs.send(
          new CreateQueueCommand({
            QueueName: `q${randomUUID()}.fifo`,
            Attributes: { FifoQueue: "true", VisibilityTimeout: String(visibility), ...attributes },
          }),
        )
      ).QueueUrl ?? "";
    if (tries === undefined) return create({});
    const deadLetterTargetArn = arnOf(await create({}));
    return create({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: tries }) });
  };

  return {
    databaseUrl,
    endpoint,
    sqs,
    owner,
    connect: () => new Client({ connectionString: databaseUrl }),
    pool(size) {
      const pool = new Pool({ connectionString: databaseUrl, max: size });
      pool.on("error", () => {});
      return pool;
    },
    async topic(queues = 1, limits?: Limits) {
      const { TopicArn: arn = "" } = await sns.send(
        new CreateTopicCommand({ Name: `t${randomUUID()}.fifo`, Attributes: { FifoTopic: "true" } }),
      );
      const urls: string[] = [];
      for (let n = 0; n < queues; n++) {
        const url = await newQueue(limits);
        urls.push(url);
        await sns.send(
          new SubscribeCommand({
            TopicArn: arn,
            Protocol: "sqs",
            Endpoint: arnOf(url),
            Attributes: { RawMessageDelivery: "true" },
          }),
        );
      }
      return { arn, queues: urls, publish: snsPublisher(sns, { sale: arn }) };
    },
    async queue(messages, groups) {
      const url = await newQueue();
      const batches = Array.from({ length: Math.ceil(messages / 10) }, (_, n) => n * 10);
      const send = async () => {
        for (let from = batches.shift(); from !== undefined; from = batches.shift()) {
          const at = from;
          const Entries = Array.from({ length: Math.min(10, messages - at) }, (_, n) => {
            const id = uuidv7();
            return {
              Id: String(n),
              MessageBody: body(id, `g${(at + n) % groups}`),
              MessageGroupId: `g${(at + n) % groups}`,
              MessageDeduplicationId: id,
            };
          });
          await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
        }
      };
      await Promise.all([send(), send(), send()]);
      return url;
    },
    async dropQueues(urls) {
      for (const QueueUrl of urls) await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    },
    async fill(events, groups) {
      await owner.query("truncate outbox");
      if (filled !== `${events}/${groups}`) {
        const client = await owner.connect();
        for (let at = 0; at < events; at += 500) {
          const rows = Array.from({ length: Math.min(500, events - at) }, (_, n) => event(at + n, groups));
          await insert(client, rows);
        }
        await client.query("truncate master; insert into master select * from outbox order by id");
        await client.query("truncate outbox");
        client.release();
        filled = `${events}/${groups}`;
      }
      // New event ids each time: a topic would drop what it has seen.
      await owner.query(
        `insert into outbox (shard, tenant, topic, group_id, event_id, type, version, payload)
         select shard, tenant, topic, group_id, uuidv7(), type, version, payload from master order by id`,
      );
      await owner.query("analyze outbox");
    },
    async close() {
      await owner.end();
      sqs.destroy();
      sns.destroy();
      broker.stdin.end();
      await once(broker, "close");
      await postgres.stop();
    },
  };
}

function arnOf(queueUrl: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split("/").at(-1)}`;
}

export function event(n: number, groups: number): OutboxRow {
  const eventId = uuidv7();
  const groupId = `g${n % groups}`;
  return {
    tenant: TENANT,
    topic: "sale",
    groupId,
    eventId,
    type: "thing.happened",
    version: 1,
    payload: body(eventId, groupId),
  };
}

function body(id: string, group: string): string {
  return JSON.stringify({ id, type: "thing.happened", version: 1, group, data: DATA });
}

function uuidv7(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
