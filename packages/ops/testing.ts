import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { openShop } from "@noren/database/fixture";
import { testDatabase } from "@noren/database/testing";
import { itemRegistered } from "@noren/events";
import type { EventOf } from "@noren/events";
import { buildApp } from "fauxqs";
import type { PoolClient } from "pg";
import { on, work } from "worker";
import type { Context, Worker } from "worker";
import { newPool } from "./local.ts";
import { queuesOf, readManifests } from "./manifests.ts";
import type { Manifests } from "./manifests.ts";
import { run } from "./run.ts";
import { operatorRole } from "./target.ts";
import type { Target } from "./target.ts";

export const root = join(import.meta.dirname, "../..");
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const workload = "worker-item";

export type ItemRegistered = EventOf<typeof itemRegistered>;
export type Bench = Awaited<ReturnType<typeof bench>>;

/** The shop's real tables and roles, real queues by the names of the manifests, and the worker engine with a handler. */
export async function bench() {
  const database = await testDatabase();
  const shop = await openShop(database);
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  const sqs = new SQSClient({ endpoint, region: "eu-north-1", credentials });
  const superuser = database.connect("postgres").pool;
  const manifests = readManifests(root, "staging");
  const urls = new Map<string, string>();
  for (const { workload: of, resourceName, deadLetter } of manifests.workers.flatMap(queuesOf)) {
    for (const name of [deadLetter?.resourceName ?? "", resourceName]) {
      const dead =
        name === resourceName ? `arn:aws:sqs:eu-north-1:000000000000:${deadLetter?.resourceName}` : undefined;
      const { QueueUrl = "" } = await sqs.send(
        new CreateQueueCommand({
          QueueName: name,
          Attributes: {
            FifoQueue: "true",
            ...(dead
              ? {
                  RedrivePolicy: JSON.stringify({
                    deadLetterTargetArn: dead,
                    maxReceiveCount: deadLetter?.tries,
                  }),
                }
              : {}),
          },
        }),
      );
      // As the runner answers: the address that was asked, not a name that does not resolve here.
      urls.set(dead ? of : `${of}/dead`, `${endpoint}${new URL(QueueUrl).pathname}`);
    }
  }
  const running: Worker[] = [];
  let meanwhile: (() => Promise<unknown>) | undefined;
  const url = (deadLetter = false) => urls.get(deadLetter ? `${workload}/dead` : workload) ?? "";

  const target = (of: Manifests): Target => {
    const pool = newPool({ ...database.settings, database: database.settings.name, user: operatorRole });
    return {
      name: of.environment,
      manifests: of,
      sqs,
      keepsUndelivered: false,
      queueUrl: async (queue, which = "queue") =>
        urls.get(which === "queue" ? queue.workload : `${queue.workload}/dead`) ?? "",
      database: async () => pool,
      async actor() {
        const other = meanwhile;
        meanwhile = undefined;
        await other?.();
        return "arn:aws:iam::000000000000:user/suzuki";
      },
      close: () => pool.end(),
    };
  };

  return {
    database,
    shop,
    sqs,
    endpoint,
    superuser,
    url,
    /** An event of an item of the shop; `name` tells them apart. */
    event: (aggregateId: string, name: string, companyId = shop.companyId) =>
      itemRegistered.create({
        companyId,
        aggregateId,
        data: {
          itemId: aggregateId,
          code: "2000000000015",
          name,
          taxClass: "standard",
          categoryId: randomUUID(),
          conditions: ["A"],
        },
      }),
    async send(group: string, body: object | string, deadLetter = false) {
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: url(deadLetter),
          MessageGroupId: group,
          MessageDeduplicationId: randomUUID(),
          MessageBody: typeof body === "string" ? body : JSON.stringify(body),
        }),
      );
    },
    /** The worker, as its own role; `handler` may throw. */
    async start(handler: (event: ItemRegistered) => void | Promise<void>): Promise<Worker> {
      const { pool } = database.connect("worker_item");
      const worker = await work<PoolClient>({
        consumer: workload,
        queueUrl: url(),
        sqs,
        pool,
        transaction: (client) => client,
        handlers: [
          on(itemRegistered, (event: ItemRegistered, _context: Context<PoolClient>) =>
            Promise.resolve(handler(event)),
          ),
        ],
        log: silent,
        waitSeconds: 1,
      });
      running.push(worker);
      return worker;
    },
    /** Happens once, after the next command has looked and before it changes anything. */
    meanwhile(other: () => Promise<unknown>) {
      meanwhile = other;
    },
    /** One command line as an operator types it. */
    async ops(...args: string[]) {
      const [out, notes]: [string[], string[]] = [[], []];
      const code = await run(args, {
        root,
        from: import.meta.dirname,
        variables: {},
        out: (line) => out.push(line),
        note: (line) => notes.push(line),
        open: async (name) => target(readManifests(root, name)),
      });
      return { code, out: out.join("\n"), notes: notes.join("\n") };
    },
    /** Everything that is left in a queue, in order, taken out of it. */
    async drain(deadLetter = false): Promise<string[]> {
      const bodies: string[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: url(deadLetter), MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return bodies;
        for (const { Body = "", ReceiptHandle } of Messages) {
          bodies.push(Body);
          await sqs.send(new DeleteMessageCommand({ QueueUrl: url(deadLetter), ReceiptHandle }));
        }
      }
    },
    async stopWorkers() {
      await Promise.all(running.splice(0).map((worker) => worker.stop()));
    },
    /** Forgets what earlier tests left. */
    async clear() {
      await superuser.query("delete from parked_group; delete from outbox");
    },
    async close() {
      sqs.destroy();
      await app.close();
      await database.drop();
    },
  };
}

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
