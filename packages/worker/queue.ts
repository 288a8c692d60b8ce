import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Log } from "./log.ts";
import { unwrap } from "./message.ts";
import type { Incoming } from "./message.ts";

const PER_CALL = 10;
const DELETE_AFTER_MS = 50;

/** One SQS queue: receiving, deleting in batches, and keeping messages in flight. */
export class Queue {
  /** Seconds that a received message stays hidden. SQS's default until limits() has asked. */
  visibilitySeconds = 30;
  /** At this receive the engine parks a message, so that SQS never dead-letters it. */
  maxReceives = 5;
  /** false once SQS has refused to change a visibility: messages cannot be kept for longer than it, nor given back. */
  canHold = true;

  readonly #sqs: SQSClient;
  readonly #url: string;
  readonly #log: Log;
  #doomed: Incoming[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #deleting = new Set<Promise<void>>();

  constructor(sqs: SQSClient, url: string, log: Log) {
    this.#sqs = sqs;
    this.#url = url;
    this.#log = log;
  }

  /** Reads the queue's own settings: the manifest is their only source. Rejects unless SQS answers. */
  async limits(): Promise<void> {
    try {
      const { Attributes } = await this.#sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: this.#url,
          AttributeNames: ["VisibilityTimeout", "RedrivePolicy"],
        }),
      );
      this.visibilitySeconds = Number(Attributes?.VisibilityTimeout ?? this.visibilitySeconds);
      const redrive = JSON.parse(Attributes?.RedrivePolicy ?? "{}") as { maxReceiveCount?: number | string };
      if (redrive.maxReceiveCount !== undefined) this.maxReceives = Number(redrive.maxReceiveCount);
    } catch (err) {
      if (!denied(err)) throw err;
      const { visibilitySeconds, maxReceives } = this;
      this.#log.error(
        { err, visibilitySeconds, maxReceives },
        "may not read the queue's attributes (sqs:GetQueueAttributes), so these are guessed",
      );
    }
  }

  /** Waits up to `waitSeconds` for at most `size` messages. Never aborted: SQS could strand what it was about to give. */
  async receive(size: number, waitSeconds: number): Promise<Incoming[]> {
    const { Messages } = await this.#sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url,
        MaxNumberOfMessages: size,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["ApproximateReceiveCount", "MessageGroupId"],
      }),
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
        const { Failed } = await this.#sqs.send(
          new DeleteMessageBatchCommand({
            QueueUrl: this.#url,
            Entries: rest.map(({ receiptHandle }, n) => ({ Id: String(n), ReceiptHandle: receiptHandle })),
          }),
        );
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
   * Hides messages for `seconds` from now; 0 gives them back. Returns those that SQS no longer counts as ours. Never
   * rejects: without the permission `canHold` turns false.
   */
  async hide(messages: Incoming[], seconds: number): Promise<Incoming[]> {
    const lost: Incoming[] = [];
    for (let at = 0; at < messages.length && this.canHold; at += PER_CALL) {
      const some = messages.slice(at, at + PER_CALL);
      try {
        const { Failed } = await this.#sqs.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl: this.#url,
            Entries: some.map(({ receiptHandle }, n) => ({
              Id: String(n),
              ReceiptHandle: receiptHandle,
              VisibilityTimeout: seconds,
            })),
          }),
        );
        for (const { Id, SenderFault } of Failed ?? []) {
          const message = some[Number(Id)];
          if (SenderFault && message) lost.push(message);
        }
      } catch (err) {
        if (denied(err)) {
          this.canHold = false;
          this.#log.error(
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
    return lost;
  }
}

function denied(error: unknown): boolean {
  return error instanceof Error && /AccessDenied|AuthorizationError|NotAuthorized/.test(error.name);
}
