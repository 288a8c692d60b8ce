import { join } from "node:path";
import type { Queue, Topic, Topology } from "copilot-manifest";
import { loadEmulator, type EmulatedQueue } from "./emulator.ts";
import { openQueueStore } from "./queue-store.ts";
import { text } from "./text.ts";

/** The account that every local ARN carries. */
export const account = "000000000000";

export interface CloudOptions {
  region: string;
  port: number;
  /** Where messages and objects are kept over a restart. */
  directory: string;
  topology: Topology;
  buckets: string[];
  /** Queues that an addon declares for itself. */
  plainQueues?: { name: string; properties: Record<string, unknown> }[];
}

/** A queue at a glance; `oldestSeconds` is the age of the oldest message that nobody has received yet. */
export interface QueueState {
  workload: string;
  name: string;
  url: string;
  fifo: boolean;
  topics: string[];
  ready: number;
  inFlight: number;
  delayed: number;
  oldestSeconds: number | null;
  deadLetter: { name: string; messages: number; tries: number } | null;
}

export interface Cloud {
  /** What AWS_ENDPOINT_URL is set to. */
  endpoint: string;
  queueUrl(queue: Queue): string;
  queueArn(queue: Queue): string;
  topicArn(topic: Topic): string;
  queues(): QueueState[];
  send(queueArn: string, body: string): void;
  putObject(bucket: string, key: string, body: Buffer, contentType: string): void;
  /** Answers the long polls that are waiting on a workload's queues, so that a worker that was told to stop can. */
  wake(workload?: string): void;
  /**
   * Dies as by kill -9, with the next thing that it has kept and before it has answered: connections are cut, those that
   * come are refused, and only what was kept is there when it listens again after `downMs`. Which messages it has had
   * (deduplication) is forgotten. Resolves when it listens; at once when it is dead already.
   */
  crash(downMs: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * SNS, SQS and S3 on the loopback, with exactly the topics, queues and subscriptions that the manifests describe.
 * They are made afresh at each start; messages and objects are kept in `directory`.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { region, port, directory, topology, buckets, plainQueues = [] } = options;
  const { buildApp, newSqs, sns, s3, keepObjects, createMessage } = await loadEmulator();
  const endpoint = `http://127.0.0.1:${port}`;
  const arn = (service: string, name: string) => `arn:aws:${service}:${region}:${account}:${name}`;
  const url = (name: string) => `${endpoint}/${account}/${name}`;
  const objects = keepObjects(join(directory, "s3"));
  objects.loadS3(s3);
  s3.persistence = objects;

  let sqs!: ReturnType<typeof newSqs>;
  let store!: ReturnType<typeof openQueueStore>;
  const openStore = () => {
    store = openQueueStore(join(directory, "messages.db"));
    sqs = newSqs();
    sqs.persistence = store;
    // "": queue URLs carry the address that was asked, not sqs.<region>.localhost, which does not resolve here.
    sqs.host = "";
  };
  openStore();
  const create = (name: string, attributes: Record<string, string>) => {
    const queue = sqs.createQueue(name, url(name), arn("sqs", name), attributes);
    store.restore(queue);
    return queue;
  };
  for (const queue of topology.queues) {
    // The dead-letter queue first: its messages must find it when the queue's own are restored.
    if (queue.deadLetter) {
      create(queue.deadLetter.resourceName, {
        ...kind(queue),
        MessageRetentionPeriod: String(queue.deadLetter.retentionSeconds),
      });
    }
    create(
      queue.resourceName,
      attributesOf(queue, (name) => arn("sqs", name)),
    );
  }
  for (const { name, properties } of plainQueues) {
    const attributes: Record<string, string> = {};
    for (const key of settable) {
      if (properties[key] !== undefined) attributes[key] = text(properties[key]);
    }
    create(name, attributes);
  }
  for (const topic of topology.topics) {
    const attributes: Record<string, string> = topic.fifo
      ? { FifoTopic: "true", ContentBasedDeduplication: String(topic.contentBasedDeduplication) }
      : {};
    sns.createTopic(topic.resourceName, attributes, undefined, region);
  }
  for (const queue of topology.queues) {
    for (const subscription of queue.subscriptions) {
      const attributes: Record<string, string> = {};
      if (subscription.rawDelivery) attributes.RawMessageDelivery = "true";
      if (subscription.filterPolicy) attributes.FilterPolicy = JSON.stringify(subscription.filterPolicy);
      sns.subscribe(arn("sns", subscription.topic), "sqs", arn("sqs", queue.resourceName), attributes);
    }
  }
  for (const bucket of buckets) if (!s3.hasBucket(bucket)) s3.createBucket(bucket);

  const listen = async () => {
    const server = buildApp({
      logger: false,
      defaultRegion: region,
      stores: { sqsStore: sqs, snsStore: sns, s3Store: s3 } as never,
    });
    // Programs send no Origin; the page of a web site, which could otherwise publish an event from a browser here, does.
    server.addHook("onRequest", async (request, reply) => {
      if (request.headers.origin !== undefined) await reply.code(403).send("Only programs may ask here.");
    });
    // Messages that were received for a connection that is gone (a worker was killed while it waited, or a crash has cut
    // it) go back at once.
    // In AWS they come back after the visibility timeout; here somebody is waiting for the restarted worker.
    server.addHook("onSend", async (request, _reply, payload) => {
      if (request.raw.socket.destroyed && request.headers["x-amz-target"] === "AmazonSQS.ReceiveMessage") {
        giveBack(sqs.getQueue((request.body as { QueueUrl: string }).QueueUrl), String(payload));
      }
    });
    await server.listen({ port, host: "127.0.0.1" });
    return server;
  };
  let app = await listen();

  let stopped = false;
  let endPause = () => {};
  let crashing: Promise<void> | undefined;
  const dieAndRise = async (downMs: number) => {
    await new Promise<void>((dead) => {
      const die = () => {
        clearTimeout(idle);
        store.close();
        app.server.close();
        app.server.closeAllConnections();
        // What was kept is read at once, not when it listens again: whoever looks meanwhile sees it.
        const queues = [...sqs.allQueues()];
        openStore();
        for (const { name, attributes } of queues) create(name, attributes);
        dead();
      };
      // When nobody calls it dies all the same.
      const idle = setTimeout(die, 250);
      store.onceKept(die);
    });
    await app.close();
    await new Promise<void>((done) => {
      const pause = setTimeout(done, downMs);
      endPause = () => {
        clearTimeout(pause);
        done();
      };
      if (stopped) endPause();
    });
    if (!stopped) app = await listen();
  };

  const emulated = (name: string) => sqs.getQueueByName(name)!;
  return {
    endpoint,
    queueUrl: (queue) => url(queue.resourceName),
    queueArn: (queue) => arn("sqs", queue.resourceName),
    topicArn: (topic) => arn("sns", topic.resourceName),
    queues: () => topology.queues.map((queue) => stateOf(queue, emulated)),
    send(queueArn, body) {
      const queue = sqs.getQueueByName(queueArn.split(":").at(-1) ?? "");
      queue?.enqueue(createMessage(body));
    },
    putObject(bucket, key, body, contentType) {
      s3.putObject(bucket, key, body, contentType);
    },
    wake(workload) {
      for (const queue of topology.queues) {
        if (workload === undefined || queue.workload === workload)
          emulated(queue.resourceName).cancelWaiters();
      }
    },
    crash(downMs) {
      crashing ??= dieAndRise(downMs).finally(() => (crashing = undefined));
      return crashing;
    },
    async stop() {
      stopped = true;
      endPause();
      await crashing;
      await app.close();
      store.close();
      objects.close();
    },
  };
}

const settable = [
  "FifoQueue",
  "ContentBasedDeduplication",
  "VisibilityTimeout",
  "MessageRetentionPeriod",
  "DelaySeconds",
  "MaximumMessageSize",
  "ReceiveMessageWaitTimeSeconds",
];

function kind(queue: Queue): Record<string, string> {
  if (!queue.fifo) return {};
  return {
    FifoQueue: "true",
    ContentBasedDeduplication: String(queue.contentBasedDeduplication),
    DeduplicationScope: queue.deduplicationScope ?? "queue",
    FifoThroughputLimit: queue.throughputLimit ?? "perQueue",
  };
}

function attributesOf(queue: Queue, arn: (name: string) => string): Record<string, string> {
  const attributes: Record<string, string> = {
    ...kind(queue),
    VisibilityTimeout: String(queue.visibilityTimeoutSeconds),
    MessageRetentionPeriod: String(queue.retentionSeconds),
    DelaySeconds: String(queue.delaySeconds),
  };
  if (queue.deadLetter) {
    attributes.RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: arn(queue.deadLetter.resourceName),
      maxReceiveCount: queue.deadLetter.tries,
    });
  }
  return attributes;
}

function giveBack(queue: EmulatedQueue | undefined, payload: string) {
  const { Messages = [] } = JSON.parse(payload || "{}") as { Messages?: { ReceiptHandle: string }[] };
  // Backwards, since each goes to the front of its group.
  for (const { ReceiptHandle } of Messages.toReversed()) {
    const held = queue?.inflightMessages.get(ReceiptHandle);
    if (!held) continue;
    held.message.approximateReceiveCount--;
    queue!.changeVisibility(ReceiptHandle, 0);
  }
}

function stateOf(queue: Queue, emulated: (name: string) => EmulatedQueue): QueueState {
  const live = emulated(queue.resourceName);
  // fauxqs moves expired messages only when somebody receives; a queue without a reader must tell the truth too.
  live.processTimers();
  const { ready, delayed, inflight } = live.inspectMessages();
  const oldest = ready.reduce((least, message) => Math.min(least, message.sentTimestamp), Infinity);
  const dead = queue.deadLetter && emulated(queue.deadLetter.resourceName).inspectMessages();
  return {
    workload: queue.workload,
    name: queue.resourceName,
    url: live.url,
    fifo: queue.fifo,
    topics: queue.subscriptions.map((subscription) => subscription.topic),
    ready: ready.length,
    inFlight: inflight.length,
    delayed: delayed.length,
    oldestSeconds: ready.length > 0 ? Math.max(0, Math.round((Date.now() - oldest) / 1000)) : null,
    deadLetter:
      queue.deadLetter && dead
        ? {
            name: queue.deadLetter.resourceName,
            messages: dead.ready.length + dead.inflight.length + dead.delayed.length,
            tries: queue.deadLetter.tries,
          }
        : null,
  };
}
