import { DeleteMessageBatchCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { Message, SQSClient } from "@aws-sdk/client-sqs";
import type { Pool, PoolClient } from "pg";
import { insert } from "outbox";
import type { OutboxRow } from "outbox";
import { on, work } from "worker";
import type { Log, Worker } from "worker";
import { once } from "worker/once";
import { event } from "./rig.ts";
import type { Rig } from "./rig.ts";

const never = new AbortController().signal;
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const thing = { type: "thing.happened", parse: (envelope: unknown) => envelope as { id: string } };

/** Messages per second of a way to empty a queue that holds `messages`. */
export type Consume = (rig: Rig, queueUrl: string, messages: number) => Promise<number>;

/** The floor: receive, then delete the ten in one call, and nothing else. */
export const bareLoop: Consume = async ({ sqs }, queueUrl, messages) =>
  rate(messages, (done) => receiveAndDelete(sqs, queueUrl, done, async () => {}));

/** The floor with a database: the same loop with a bare transaction per message, ten at a time on eight connections. */
export const bareTransactions: Consume = async (rig, queueUrl, messages) => {
  const pool = await warm(rig.pool(8));
  const perSecond = await rate(messages, (done) =>
    receiveAndDelete(rig.sqs, queueUrl, done, (batch) => bareEffects(pool, batch)),
  );
  await pool.end();
  return perSecond;
};

/** Our engine with a handler that does nothing, on a pool that answers at once: what the machinery itself costs. */
export const engineAlone: Consume = (rig, queueUrl, messages) =>
  engine(rig.sqs, noDatabase(), queueUrl, messages, async () => {});

/** Our engine as it runs: inbox, parked check, an effect, one transaction each. */
export const engineWithDatabase: Consume = async (rig, queueUrl, messages) => {
  const pool = await warm(rig.pool(8));
  const perSecond = await engine(rig.sqs, pool, queueUrl, messages, effect);
  await pool.end();
  return perSecond;
};

/** Transactions with an effect on eight connections and no queue at all. */
export function transactions(rig: Rig, messages: number): Promise<number> {
  return eightLanes(rig, messages, (pool, { eventId }) => bareEffects(pool, [{ MessageId: eventId }]));
}

/** The same as the engine makes them, with inbox row and parked check. */
export function inboxTransactions(rig: Rig, messages: number): Promise<number> {
  const handler = on(thing, effect);
  return eightLanes(rig, messages, (pool, { groupId, payload: body }) =>
    once<PoolClient>({
      pool,
      transaction: (client) => client,
      consumer: 1,
      handler,
      envelope: JSON.parse(body) as { id: string; type: string; version: number },
      groupId,
      body,
      context: { log: silent, signal: never, attempt: 1 },
    }),
  );
}

/** The same with an outbox row beside the effect: what a writer pays for an event. */
export async function outboxTransactions(rig: Rig, messages: number): Promise<number> {
  const perSecond = await eightLanes(rig, messages, async (pool, row) => {
    const client = await pool.connect();
    await client.query("begin");
    await effect({ id: row.eventId }, { tx: client });
    await insert(client, [row]);
    await client.query("commit");
    client.release();
  });
  await rig.owner.query("truncate outbox");
  return perSecond;
}

async function eightLanes(
  rig: Rig,
  messages: number,
  transaction: (pool: Pool, row: OutboxRow) => Promise<unknown>,
): Promise<number> {
  const pool = await warm(rig.pool(8));
  let left = messages;
  const perSecond = await rate(messages, async (done) => {
    const lane = async () => {
      while (left-- > 0) {
        await transaction(pool, event(left, 1000));
        done(1);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  });
  await pool.end();
  return perSecond;
}

async function effect({ id }: { id: string }, { tx }: { tx: PoolClient }): Promise<void> {
  await tx.query({ name: "effect", text: "insert into effect (event_id) values ($1)", values: [id] });
}

async function bareEffects(pool: Pool, batch: Message[]): Promise<void> {
  await Promise.all(
    batch.map(async ({ MessageId }) => {
      const client = await pool.connect();
      await client.query("begin");
      await effect({ id: MessageId ?? "" }, { tx: client });
      await client.query("commit");
      client.release();
    }),
  );
}

/** The floor from end to end: a consumer's loop with the inbox row and the effect in one transaction, ten at a time. */
export async function bareInbox(
  sqs: SQSClient,
  pool: Pool,
  QueueUrl: string,
  consumer: number,
  more: () => boolean,
  done: (n: number) => void,
): Promise<void> {
  const handle = async ({ Body = "" }: Message) => {
    const { id } = JSON.parse(Body) as { id: string };
    const client = await pool.connect();
    await client.query("begin");
    await client.query({
      name: "inbox",
      text: "insert into inbox (event_id, consumer) values ($1, $2) on conflict do nothing",
      values: [id, consumer],
    });
    await effect({ id }, { tx: client });
    await client.query("commit");
    client.release();
  };
  while (more()) {
    await receiveAndDelete(
      sqs,
      QueueUrl,
      done,
      async (batch) => {
        await Promise.all(batch.map(handle));
      },
      1,
    );
  }
}

type Effect = (event: { id: string }, context: { tx: PoolClient }) => Promise<void>;

/** Our engine on a queue. */
export function consume(
  sqs: SQSClient,
  pool: Pool,
  queueUrl: string,
  {
    consumer = "bench",
    handler = effect,
    afterCommit,
  }: { consumer?: string; handler?: Effect; afterCommit: () => void },
): Promise<Worker> {
  return work<PoolClient>({
    consumer,
    queueUrl,
    sqs,
    pool,
    transaction: (client) => client,
    handlers: [on(thing, handler)],
    log: silent,
    waitSeconds: 1,
    afterCommit,
  });
}

async function engine(
  sqs: SQSClient,
  pool: Pool,
  queueUrl: string,
  messages: number,
  handler: Effect,
): Promise<number> {
  let done: (n: number) => void = () => {};
  const worker = await consume(sqs, pool, queueUrl, { handler, afterCommit: () => done(1) });
  const perSecond = await rate(messages, (count, finished) => {
    done = count;
    return finished;
  });
  await worker.stop();
  return perSecond;
}

/** Messages a second, from the first to the last. */
async function rate(
  messages: number,
  run: (done: (n: number) => void, finished: Promise<void>) => Promise<void>,
): Promise<number> {
  let count = 0;
  let startedAt = performance.now();
  let finish: (perSecond: number) => void = () => {};
  const all = new Promise<number>((resolve) => (finish = resolve));
  const finished = (async () => void (await all))();
  const done = (n: number) => {
    // Starting up is not what is measured.
    if (count === 0) startedAt = performance.now();
    count += n;
    if (count >= messages) finish((messages / (performance.now() - startedAt)) * 1000);
  };
  await run(done, finished);
  return all;
}

async function receiveAndDelete(
  sqs: SQSClient,
  QueueUrl: string,
  done: (n: number) => void,
  handle: (batch: Message[]) => Promise<void>,
  WaitTimeSeconds = 0,
): Promise<void> {
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds,
        MessageSystemAttributeNames: ["ApproximateReceiveCount", "MessageGroupId"],
      }),
    );
    if (Messages.length === 0) return;
    await handle(Messages);
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
      }),
    );
    done(Messages.length);
  }
}

export async function warm(pool: Pool): Promise<Pool> {
  const clients = await Promise.all(Array.from({ length: 8 }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

/** A pool whose every answer is there already: new, not parked, committed. */
function noDatabase(): Pool {
  const query = async (text: string | { name?: string }) => {
    const command = text === "commit" ? "COMMIT" : "SELECT";
    const answer = { command, rowCount: 0, rows: [{ id: 1, fresh: true, parked: false, no: false }] };
    return typeof text === "string" && text.startsWith("begin;") ? [answer, answer] : answer;
  };
  const client = { query, on() {}, off() {}, release() {}, getTransactionStatus: () => "T" };
  return { query, connect: async () => client } as unknown as Pool;
}
