import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { inTime } from "./in-time.ts";
import type { Log } from "./log.ts";
import { unwrap } from "./message.ts";
import type { Incoming } from "./message.ts";

const PER_CALL = 10;
const DELETE_AFTER_MS = 50;
/** A call without an answer for so long (beyond what a receive waits) has none to expect: its connection is dead. */
const CALL_MS = 10_000;

/** One SQS queue: receiving, deleting in batches, and keeping messages in flight. */
export class Queue {
  /** Seconds that a received message stays hidden. SQS's default until limits() has asked. */
  visibilitySeconds = 30;
  /** At this receive the engine parks a message, so that SQS never dead-letters it. */
  maxReceives = 5;
  /**
   * false once SQS has refused to change a visibility: messages cannot be kept for longer than it, nor given back. limits()
   * lets it try again, as permissions may come late.
   */
  canHold = true;

  readonly #sqs: SQSClient;
  readonly #url: string;
  readonly #log: Log;
  #doomed: Incoming[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #deleting = new Set<Promise<void>>();
  readonly #told = new Set<string>();

  constructor(sqs: SQSClient, url: string, log: Log) {
    this.#sqs = sqs;
    this.#url = url;
    this.#log = log;
  }

  /** Reads the queue's own settings: the manifest is their only source. Rejects unless SQS answers. */
  async limits(): Promise<void> {
    try {
      const command = new GetQueueAttributesCommand({
        QueueUrl: this.#url,
        AttributeNames: ["VisibilityTimeout", "RedrivePolicy"],
      });
      const { Attributes } = await inCall((abortSignal) => this.#sqs.send(command, { abortSignal }));
      const seconds = Number(Attributes?.VisibilityTimeout ?? this.visibilitySeconds);
      if (seconds < 1)
        throw new Error("The queue's visibility time-out is 0: nobody could keep a message. Set it.");
      this.visibilitySeconds = seconds;
      const redrive = JSON.parse(Attributes?.RedrivePolicy ?? "{}") as { maxReceiveCount?: number | string };
      if (redrive.maxReceiveCount !== undefined) this.maxReceives = Number(redrive.maxReceiveCount);
    } catch (err) {
      if (!denied(err)) throw err;
      const { visibilitySeconds, maxReceives } = this;
      this.#tell(
        { err, visibilitySeconds, maxReceives },
        "may not read the queue's attributes (sqs:GetQueueAttributes), so these are guessed",
      );
    }
    this.canHold = true;
  }

  /** Waits up to `waitSeconds` for at most `size` messages. Not aborted before: SQS could strand what it was about to give. */
  async receive(size: number, waitSeconds: number): Promise<Incoming[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: size,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ["ApproximateReceiveCount", "MessageGroupId"],
    });
    const { Messages } = await inCall(
      (abortSignal) => this.#sqs.send(command, { abortSignal }),
      waitSeconds * 1000 + CALL_MS,
    );
    return (Messages ?? []).map(({ MessageId = "", ReceiptHandle = "", Body = "", Attributes }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      groupId: Attributes?.MessageGroupId ?? MessageId,
      receives: Number(Attributes?.ApproximateReceiveCount ?? 1),
      body: unwrap(Body),
    }));
  }

  /** Deletes soon, ten at a time. What cannot be deleted comes again and is recognised by the inbox. */
  delete(message: Incoming): void {
    this.#doomed.push(message);
    if (this.#doomed.length >= PER_CALL) this.deleteNow();
    else this.#timer ??= setTimeout(() => this.deleteNow(), DELETE_AFTER_MS);
  }

  /** Resolves when everything that delete() was given has been tried. */
  async flush(): Promise<void> {
    this.deleteNow();
    await Promise.all(this.#deleting);
  }

  /** Sends what waits for company. */
  deleteNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#doomed.length === 0) return;
    const batch = this.#doomed;
    this.#doomed = [];
    const work = this.#deleteBatch(batch).finally(() => this.#deleting.delete(work));
    this.#deleting.add(work);
  }

  async #deleteBatch(batch: Incoming[]): Promise<void> {
    for (let rest = batch, tries = 0; rest.length > 0; tries++) {
      try {
        const command = new DeleteMessageBatchCommand({
          QueueUrl: this.#url,
          Entries: rest.map(({ receiptHandle }, n) => ({ Id: String(n), ReceiptHandle: receiptHandle })),
        });
        const { Failed } = await inCall((abortSignal) => this.#sqs.send(command, { abortSignal }));
        const again = (Failed ?? []).filter(({ SenderFault }) => !SenderFault);
        rest = again.flatMap(({ Id }) => rest[Number(Id)] ?? []);
        if (rest.length > 0) throw new Error(`${again[0]?.Code}: ${again[0]?.Message}`);
      } catch (err) {
        if (tries < 3 && !denied(err)) {
          await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
          continue;
        }
        this.#log.warn(
          { err, messages: rest.length },
          "handled messages could not be deleted and will come again",
        );
        return;
      }
    }
  }

  /**
   * Hides messages for `seconds` from now; 0 gives them back. Returns those that SQS no longer counts as ours, and whether
   * it was asked at all. Never rejects: without the permission `canHold` turns false.
   */
  async hide(messages: Incoming[], seconds: number): Promise<{ lost: Incoming[]; reached: boolean }> {
    const lost: Incoming[] = [];
    let reached = this.canHold;
    for (let at = 0; at < messages.length && this.canHold; at += PER_CALL) {
      const some = messages.slice(at, at + PER_CALL);
      try {
        const command = new ChangeMessageVisibilityBatchCommand({
          QueueUrl: this.#url,
          Entries: some.map(({ receiptHandle }, n) => ({
            Id: String(n),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: seconds,
          })),
        });
        // Later than its time-out nobody is held any more: the lane has to know.
        const { Failed } = await inCall(
          (abortSignal) => this.#sqs.send(command, { abortSignal }),
          Math.max(2000, Math.min(CALL_MS, this.visibilitySeconds * 1000)),
        );
        for (const { Id, SenderFault } of Failed ?? []) {
          const message = some[Number(Id)];
          if (SenderFault && message) lost.push(message);
          else reached = false;
        }
      } catch (err) {
        reached = false;
        if (denied(err)) {
          this.canHold = false;
          this.#tell(
            { err },
            "may not keep messages in flight (sqs:ChangeMessageVisibility): none is worked on longer than its visibility",
          );
        } else {
          this.#log.warn(
            { err, messages: some.length, seconds },
            "could not change the visibility of messages",
          );
        }
      }
    }
    return { lost, reached };
  }

  /** Once: it stays so until somebody changes a policy. */
  #tell(fields: object, message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#log.error(fields, message);
  }
}

/** The SDK waits for an answer, and for credentials, without an end of its own. */
async function inCall<T>(send: (signal: AbortSignal) => Promise<T>, ms = CALL_MS): Promise<T> {
  const given = new AbortController();
  try {
    return await inTime(ms, send(given.signal));
  } catch (error) {
    // Only then: after an answer it would end a connection that the next call could use.
    given.abort();
    throw error;
  }
}

function denied(error: unknown): boolean {
  return error instanceof Error && /AccessDenied|AuthorizationError|NotAuthorized/.test(error.name);
}
