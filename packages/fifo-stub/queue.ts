import { createHash, randomUUID } from "node:crypto";
import { AwsError, invalid, missing } from "./aws-error.ts";
import type { Clock } from "./clock.ts";
import { md5, md5OfAttributes } from "./md5.ts";
import type { MessageAttribute } from "./md5.ts";

const DEDUPLICATION_MS = 5 * 60_000;
const LONGEST_VISIBILITY_MS = 12 * 3600_000;

export type Message = {
  id: string;
  body: string;
  attributes: Record<string, MessageAttribute> | undefined;
  groupId: string;
  deduplicationId: string;
  sequence: number;
  sentAt: number;
  availableAt: number;
  /** Receives across all queues, as SQS counts them. */
  receives: number;
  firstReceivedAt?: number;
  /** Of the latest receive: where it came from, until when it is hidden, whether its visibility was changed since. */
  held?: { handle: string; at: number; until: number; changed: boolean };
  deadLetterSourceArn?: string;
};

export type Settings = {
  visibilitySeconds: number;
  delaySeconds: number;
  waitSeconds: number;
  retentionSeconds: number;
  mostBytes: number;
  contentBasedDeduplication: boolean;
  deduplicationScope: "queue" | "messageGroup";
  redrive?: { deadLetterTargetArn: string; maxReceiveCount: number };
};

export type Limits = {
  /** Messages in flight at once; over it SQS gives nothing, without an error. */
  inFlight: number;
  /** How many messages from the front are searched for a free group. */
  searched: number;
};

export type Sent = { id: string; sequence: number; md5: string; attributesMd5: string | undefined };

export type Outgoing = {
  body: string;
  groupId: string | undefined;
  deduplicationId: string | undefined;
  attributes?: Record<string, MessageAttribute> | undefined;
};

/**
 * One FIFO queue by the rules that AWS documents. What a receive gives: groups in the order of their oldest message, of
 * each group as many messages as fit, in order; no group that has a message in flight.
 */
export class FifoQueue {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly settings: Settings;
  /** What has happened here, for tests. */
  readonly counts = { accepted: 0, repeated: 0, received: 0, deleted: 0, died: 0, receives: 0 };
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #deadLetterQueue: (arn: string) => FifoQueue | undefined;
  /** In the order of their sequence numbers. */
  readonly #messages = new Map<string, Message>();
  readonly #recent = new Map<string, { at: number; sent: Sent }>();
  readonly #attempts = new Map<string, { at: number; given: { message: Message; handle: string }[] }>();
  readonly #waiting = new Set<() => void>();
  #sequence = 0;

  constructor(
    { name, arn, settings }: { name: string; arn: string; settings: Settings },
    around: { clock: Clock; limits: Limits; deadLetterQueue: (arn: string) => FifoQueue | undefined },
  ) {
    this.name = name;
    this.arn = arn;
    this.settings = settings;
    this.#clock = around.clock;
    this.#limits = around.limits;
    this.#deadLetterQueue = around.deadLetterQueue;
    this.createdAt = around.clock.now();
    around.clock.onAdvance(() => this.#changed());
  }

  send({ body, groupId, deduplicationId, attributes }: Outgoing): Sent {
    if (!groupId) throw missing("MessageGroupId");
    const key = deduplicationId ?? (this.settings.contentBasedDeduplication ? sha256(body) : undefined);
    if (key === undefined) {
      throw new AwsError(
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
      );
    }
    if (bytesOf(body, attributes) > this.settings.mostBytes) {
      throw new AwsError(
        "InvalidParameterValue",
        `One or more parameters are invalid. Reason: Message must be shorter than ${this.settings.mostBytes} bytes.`,
      );
    }
    const now = this.#clock.now();
    const scoped = this.settings.deduplicationScope === "messageGroup" ? `${groupId}\n${key}` : key;
    const before = this.#recent.get(scoped);
    // Five minutes count from the first one, and also after its deletion.
    if (before && now - before.at < DEDUPLICATION_MS) {
      this.counts.repeated += 1;
      return before.sent;
    }
    const message = this.#put({
      id: randomUUID(),
      body,
      attributes,
      groupId,
      deduplicationId: key,
      receives: 0,
    });
    const sent = {
      id: message.id,
      sequence: message.sequence,
      md5: md5(body),
      attributesMd5: md5OfAttributes(attributes),
    };
    for (const [old, { at }] of this.#recent) {
      if (now - at < DEDUPLICATION_MS) break;
      this.#recent.delete(old);
    }
    this.#recent.delete(scoped);
    this.#recent.set(scoped, { at: now, sent });
    this.counts.accepted += 1;
    return sent;
  }

  /** Takes over what another queue gives up: the message id becomes its deduplication id, the retention clock starts anew. */
  adopt(message: Message, deadLetterSourceArn: string | undefined): void {
    const { id, body, attributes, groupId, receives, firstReceivedAt } = message;
    this.#put({
      id,
      body,
      attributes,
      groupId,
      receives,
      deduplicationId: id,
      ...(firstReceivedAt === undefined ? {} : { firstReceivedAt }),
      ...(deadLetterSourceArn === undefined ? {} : { deadLetterSourceArn }),
    });
  }

  #put(message: Omit<Message, "sequence" | "sentAt" | "availableAt">): Message {
    const sentAt = this.#clock.now();
    const availableAt = sentAt + this.settings.delaySeconds * 1000;
    const placed = { ...message, sequence: ++this.#sequence, sentAt, availableAt };
    this.#messages.set(placed.id, placed);
    this.#changed();
    return placed;
  }

  receive(most: number, visibilitySeconds: number, attemptId?: string): Message[] {
    const now = this.#clock.now();
    this.counts.receives += 1;
    const again = attemptId === undefined ? undefined : this.#repeat(attemptId, visibilitySeconds);
    if (again) return again;

    const given: Message[] = [];
    const room = Math.min(most, this.#limits.inFlight - this.#inFlight().length);
    for (const group of this.#freeGroups()) {
      for (const message of group) {
        if (given.length >= room) break;
        if (message.availableAt > now) break;
        if (this.#die(message)) continue;
        const handle = Buffer.from(`${message.id}/${randomUUID()}`).toString("base64");
        message.held = { handle, at: now, until: now + visibilitySeconds * 1000, changed: false };
        message.receives += 1;
        message.firstReceivedAt ??= now;
        given.push(message);
      }
    }
    this.counts.received += given.length;
    if (attemptId !== undefined && given.length > 0) {
      const handles = given.map((message) => ({ message, handle: message.held!.handle }));
      this.#attempts.set(attemptId, { at: now, given: handles });
    }
    return given;
  }

  /** A receive that is tried again gives the same messages and handles, and hides them anew. */
  #repeat(attemptId: string, visibilitySeconds: number): Message[] | undefined {
    const before = this.#attempts.get(attemptId);
    const now = this.#clock.now();
    if (!before || now - before.at >= DEDUPLICATION_MS) return undefined;
    const same = before.given.map(({ message, handle }) =>
      this.#messages.has(message.id) && message.held?.handle === handle && !message.held.changed
        ? message.held
        : undefined,
    );
    if (!same.every((held) => held !== undefined)) {
      throw invalid(
        "ReceiveRequestAttemptId",
        attemptId,
        "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.",
      );
    }
    if (same.some((held) => held.until <= now)) return undefined;
    for (const held of same) held.until = now + visibilitySeconds * 1000;
    return before.given.map(({ message }) => message);
  }

  /** Groups without a message in flight, their messages in order, the group of the oldest message first. */
  #freeGroups(): Message[][] {
    this.#retire();
    const locked = new Set(this.#inFlight().map(({ groupId }) => groupId));
    const groups = new Map<string, Message[]>();
    let position = 0;
    for (const message of this.#messages.values()) {
      position += 1;
      if (locked.has(message.groupId)) continue;
      const group = groups.get(message.groupId);
      if (group) group.push(message);
      else if (position <= this.#limits.searched) groups.set(message.groupId, [message]);
    }
    return [...groups.values()];
  }

  /** At its `maxReceiveCount` a message is moved away instead of given out, and its group goes on without it. */
  #die(message: Message): boolean {
    const { redrive } = this.settings;
    const dead = redrive && this.#deadLetterQueue(redrive.deadLetterTargetArn);
    // Where its queue was deleted nobody can die.
    if (!dead || message.receives < redrive.maxReceiveCount) return false;
    this.#messages.delete(message.id);
    this.counts.died += 1;
    dead.adopt(message, this.arn);
    return true;
  }

  /** Deletes what this receive had in hand. Deleted already: nothing to do. Its time was over: AWS refuses. */
  delete(handle: string): void {
    const message = this.#holder(handle);
    if (!message) return;
    this.#messages.delete(message.id);
    this.counts.deleted += 1;
    this.#changed();
  }

  changeVisibility(handle: string, seconds: number): void {
    const message = this.#holder(handle);
    if (!message?.held) {
      throw invalid(
        "ReceiptHandle",
        handle,
        "Message does not exist or is not available for visibility timeout change.",
      );
    }
    const until = this.#clock.now() + seconds * 1000;
    if (until - message.held.at > LONGEST_VISIBILITY_MS) {
      throw invalid(
        "VisibilityTimeout",
        seconds,
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
      );
    }
    message.held.until = until;
    message.held.changed = true;
    this.#changed();
  }

  /** The message that a handle holds; undefined when it was deleted; throws when the handle is old or none. */
  #holder(handle: string): Message | undefined {
    const [id = "", receive] = Buffer.from(handle, "base64").toString().split("/");
    if (!receive)
      throw new AwsError(
        "ReceiptHandleIsInvalid",
        `The input receipt handle "${handle}" is not a valid receipt handle.`,
      );
    const message = this.#messages.get(id);
    if (!message) return undefined;
    if (message.held?.handle !== handle || message.held.until <= this.#clock.now()) {
      throw invalid("ReceiptHandle", handle, "The receipt handle has expired.");
    }
    return message;
  }

  /** Ends the visibility time-outs of what is in flight, while whoever received it may still be at it. */
  expire(): number {
    const now = this.#clock.now();
    const inFlight = this.#inFlight();
    for (const { held } of inFlight) held!.until = now;
    this.#changed();
    return inFlight.length;
  }

  /** Takes out everything that nobody has in hand, in order (for a move task, or a purge). */
  takeAll({ andInFlight = false } = {}): Message[] {
    const inFlight = new Set(andInFlight ? [] : this.#inFlight());
    const taken = [...this.#messages.values()].filter((message) => !inFlight.has(message));
    for (const { id } of taken) this.#messages.delete(id);
    this.#changed();
    return taken;
  }

  /** All messages, in order. */
  messages(): { message: Message; inFlight: boolean; delayed: boolean }[] {
    this.#retire();
    const now = this.#clock.now();
    return [...this.#messages.values()].map((message) => ({
      message,
      inFlight: (message.held?.until ?? 0) > now,
      delayed: message.availableAt > now,
    }));
  }

  /** Resolves at the next change that may let a receive succeed, or at `until` (of the stub's clock). */
  async changed(until: number): Promise<void> {
    const now = this.#clock.now();
    const times = [...this.#messages.values()].flatMap(({ held, availableAt }) => [
      held?.until ?? 0,
      availableAt,
    ]);
    const next = times.reduce((least, at) => (at > now && at < least ? at : least), until);
    let timer: NodeJS.Timeout | undefined;
    let wake!: () => void;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      timer = setTimeout(resolve, Math.min(2 ** 31 - 1, Math.max(1, next - now)));
    });
    clearTimeout(timer);
    this.#waiting.delete(wake);
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
  }

  #inFlight(): Message[] {
    const now = this.#clock.now();
    return [...this.#messages.values()].filter(({ held }) => held !== undefined && held.until > now);
  }

  #retire(): void {
    const oldest = this.#clock.now() - this.settings.retentionSeconds * 1000;
    for (const { id, sentAt } of this.#messages.values()) if (sentAt <= oldest) this.#messages.delete(id);
  }
}

/** What counts against the limits: the body, and of each attribute its name, type and value. */
export function bytesOf(body: string, attributes: Record<string, MessageAttribute> = {}): number {
  const all = Object.entries(attributes).map(
    ([name, { DataType, StringValue = "", BinaryValue = "" }]) =>
      Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(BinaryValue, "base64"),
  );
  return all.reduce((sum, bytes) => sum + bytes, Buffer.byteLength(body));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
