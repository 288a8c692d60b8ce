import { realpathSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";
import type { buildApp } from "fauxqs";

/** What copilot-local uses of fauxqs beyond its exports. The version is pinned; the tests of cloud.ts hold it. */

export interface Message {
  messageId: string;
  body: string;
  messageAttributes: Record<string, unknown>;
  sentTimestamp: number;
  approximateReceiveCount: number;
  approximateFirstReceiveTimestamp?: number;
  delayUntil?: number;
  messageGroupId?: string;
  messageDeduplicationId?: string;
  sequenceNumber?: string;
}

interface InFlight {
  message: Message;
  receiptHandle: string;
  visibilityDeadline: number;
}

export interface EmulatedQueue {
  name: string;
  url: string;
  arn: string;
  attributes: Record<string, string>;
  persistence?: Persistence;
  messages: Message[];
  delayedMessages: Message[];
  inflightMessages: Map<string, InFlight>;
  fifoMessages: Map<string, Message[]>;
  fifoDelayed: Map<string, Message[]>;
  fifoLockedGroups: Map<string, number>;
  sequenceCounter: number;
  isFifo(): boolean;
  enqueue(message: Message): void;
  getAttribute(name: string): string | undefined;
  inspectMessages(): { ready: Message[]; delayed: Message[]; inflight: InFlight[] };
  changeVisibility(receiptHandle: string, timeoutSeconds: number): void;
  processTimers(): void;
  /** Answers every long poll that is waiting. */
  cancelWaiters(): void;
}

export interface Persistence {
  insertQueue(queue: EmulatedQueue): void;
  deleteQueue(name: string): void;
  updateQueueAttributes(name: string, attributes: Record<string, string>, lastModified: number): void;
  updateQueueSequenceCounter(name: string, counter: number): void;
  insertMessage(queue: string, message: Message): void;
  deleteMessage(id: string): void;
  updateMessageInflight(
    id: string,
    receiptHandle: string,
    deadline: number,
    count: number,
    first: number | undefined,
  ): void;
  updateMessageReady(id: string): void;
  deleteQueueMessages(queue: string): void;
  deleteAllMessages(): void;
}

interface SqsStore {
  host: string;
  region?: string;
  persistence?: Persistence;
  createQueue(name: string, url: string, arn: string, attributes: Record<string, string>): EmulatedQueue;
  getQueueByName(name: string): EmulatedQueue | undefined;
  getQueue(url: string): EmulatedQueue | undefined;
  allQueues(): Iterable<EmulatedQueue>;
}

interface SnsStore {
  region?: string;
  createTopic(
    name: string,
    attributes: Record<string, string>,
    tags: undefined,
    region: string,
  ): { arn: string };
  subscribe(topicArn: string, protocol: "sqs", queueArn: string, attributes: Record<string, string>): unknown;
}

interface S3Store {
  persistence?: unknown;
  hasBucket(name: string): boolean;
  createBucket(name: string): void;
  putObject(bucket: string, key: string, body: Buffer, contentType?: string): unknown;
}

interface FilePersistence {
  loadS3(store: S3Store): void;
  close(): void;
}

export interface Emulator {
  buildApp: typeof buildApp;
  /** Without queues yet. */
  newSqs: () => SqsStore;
  sns: SnsStore;
  s3: S3Store;
  createMessage: (body: string) => Message;
  /** Objects of S3 as files below `directory`. */
  keepObjects: (directory: string) => FilePersistence;
}

/** fauxqs with stores of its own, so that topology and messages can be put in without a request for each. */
export async function loadEmulator(): Promise<Emulator> {
  const root = pathToFileURL(realpathSync(findPackageJSON("fauxqs", import.meta.url)!));
  const load = async (path: string) => (await import(new URL(path, root).href)) as Record<string, never>;
  const [app, sqs, sns, s3, files] = await Promise.all([
    import("fauxqs"),
    load("./dist/sqs/sqsStore.js"),
    load("./dist/sns/snsStore.js"),
    load("./dist/s3/s3Store.js"),
    load("./dist/s3/fileS3Persistence.js"),
  ]);
  const make = (type: unknown, ...args: unknown[]) =>
    new (type as new (...args: unknown[]) => never)(...args);
  return {
    buildApp: app.buildApp,
    newSqs: () => make(sqs.SqsStore),
    sns: make(sns.SnsStore),
    s3: make(s3.S3Store),
    createMessage: (body) =>
      (sqs.SqsStore as unknown as { createMessage(body: string): Message }).createMessage(body),
    keepObjects: (directory) => make(files.FileS3Persistence, directory),
  };
}
