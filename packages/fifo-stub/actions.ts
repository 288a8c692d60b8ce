import type { Account } from "./account.ts";
import { AwsError, invalid, missing, whole } from "./aws-error.ts";
import type { Clock } from "./clock.ts";
import { md5, md5OfAttributes } from "./md5.ts";
import type { MessageAttribute } from "./md5.ts";
import { bytesOf } from "./queue.ts";
import type { FifoQueue, Message, Outgoing } from "./queue.ts";

export type Input = Record<string, unknown>;
type Surroundings = {
  account: Account;
  clock: Clock;
  /** Of a queue, as the client sees the stub. */
  urlOf: (queue: FifoQueue) => string;
  /** True once the stub is being closed: open receives return. */
  closing: () => boolean;
};
type Action = (input: Input, around: Surroundings) => object | Promise<object>;

/** What the stub does, by the names of AWS's JSON protocol. */
export const actions: Record<string, Action> = {
  CreateQueue: (input, { account, urlOf }) => ({
    QueueUrl: urlOf(account.create(text(input["QueueName"]), strings(input["Attributes"]))),
  }),
  GetQueueUrl: (input, { account, urlOf }) => ({ QueueUrl: urlOf(account.byUrl(input["QueueName"])) }),
  ListQueues: (input, { account, urlOf }) => ({
    QueueUrls: [...account.queues.values()]
      .filter(({ name }) => name.startsWith(text(input["QueueNamePrefix"])))
      .map(urlOf),
  }),
  DeleteQueue(input, { account }) {
    account.queues.delete(account.byUrl(input["QueueUrl"]).name);
    return {};
  },
  GetQueueAttributes: (input, { account }) => ({
    Attributes: attributesOf(account.byUrl(input["QueueUrl"]), list(input["AttributeNames"])),
  }),
  SetQueueAttributes(input, { account }) {
    account.change(account.byUrl(input["QueueUrl"]), strings(input["Attributes"]));
    return {};
  },
  PurgeQueue(input, { account }) {
    account.byUrl(input["QueueUrl"]).takeAll({ andInFlight: true });
    return {};
  },
  SendMessage: (input, { account }) => answerOf(account.byUrl(input["QueueUrl"]), input),
  SendMessageBatch(input, { account }) {
    const queue = account.byUrl(input["QueueUrl"]);
    const bytes = list<Input>(input["Entries"]).reduce(
      (sum, one) => sum + bytesOf(text(one["MessageBody"]), attributesIn(one)),
      0,
    );
    if (bytes > 1_048_576) {
      throw new AwsError(
        "BatchRequestTooLong",
        `Batch requests cannot be longer than 1048576 bytes. You have sent ${bytes} bytes.`,
      );
    }
    return batch(input, (entry) => answerOf(queue, entry));
  },
  ReceiveMessage: receive,
  DeleteMessage(input, { account }) {
    account.byUrl(input["QueueUrl"]).delete(handleOf(input));
    return {};
  },
  DeleteMessageBatch(input, { account }) {
    const queue = account.byUrl(input["QueueUrl"]);
    return batch(input, (entry) => {
      queue.delete(handleOf(entry));
      return {};
    });
  },
  ChangeMessageVisibility(input, { account }) {
    change(account.byUrl(input["QueueUrl"]), input);
    return {};
  },
  ChangeMessageVisibilityBatch(input, { account }) {
    const queue = account.byUrl(input["QueueUrl"]);
    return batch(input, (entry) => {
      change(queue, entry);
      return {};
    });
  },
  ListDeadLetterSourceQueues: (input, { account, urlOf }) => ({
    queueUrls: account.sourcesOf(account.byUrl(input["QueueUrl"])).map(urlOf),
  }),
  /** Moves at once. The messages are new ones at their destination: new ids, new times, receives counted from 0. */
  StartMessageMoveTask(input, { account }) {
    const source = account.byArn(text(input["SourceArn"]));
    if (!source)
      throw new AwsError(
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
        404,
      );
    const named = input["DestinationArn"];
    for (const message of source.takeAll()) {
      const arn = named === undefined ? message.deadLetterSourceArn : text(named);
      const target = arn === undefined ? undefined : account.byArn(arn);
      if (!target)
        throw new AwsError(
          "ResourceNotFoundException",
          "The source queue of a message does not exist any more.",
          404,
        );
      target.send({ ...message, deduplicationId: message.deduplicationId });
    }
    return { TaskHandle: Buffer.from(source.name).toString("base64") };
  },
};

function answerOf(queue: FifoQueue, input: Input): object {
  if (input["DelaySeconds"] !== undefined && input["DelaySeconds"] !== 0) {
    throw invalid(
      "DelaySeconds",
      input["DelaySeconds"],
      "The request include parameter that is not valid for this queue type.",
    );
  }
  if (!input["MessageBody"]) throw missing("MessageBody");
  const optional = (name: string) => (input[name] === undefined ? undefined : text(input[name]));
  const outgoing: Outgoing = {
    body: text(input["MessageBody"]),
    groupId: optional("MessageGroupId"),
    deduplicationId: optional("MessageDeduplicationId"),
    attributes: attributesIn(input),
  };
  const sent = queue.send(outgoing);
  return {
    MessageId: sent.id,
    MD5OfMessageBody: sent.md5,
    ...(sent.attributesMd5 ? { MD5OfMessageAttributes: sent.attributesMd5 } : {}),
    SequenceNumber: sequence(sent.sequence),
  };
}

function attributesIn(input: Input): Record<string, MessageAttribute> | undefined {
  return input["MessageAttributes"] as Record<string, MessageAttribute> | undefined;
}

async function receive(input: Input, { account, clock, closing }: Surroundings): Promise<object> {
  const queue = account.byUrl(input["QueueUrl"]);
  const most = whole("MaxNumberOfMessages", input["MaxNumberOfMessages"] ?? 1, 1, 10);
  const wait = whole("WaitTimeSeconds", input["WaitTimeSeconds"] ?? queue.settings.waitSeconds, 0, 20);
  const visibility = whole(
    "VisibilityTimeout",
    input["VisibilityTimeout"] ?? queue.settings.visibilitySeconds,
    0,
    43_200,
  );
  const attempt = input["ReceiveRequestAttemptId"];
  const attemptId = attempt === undefined ? undefined : text(attempt);
  const until = clock.now() + wait * 1000;
  for (;;) {
    // Also for a client that has gone away meanwhile: AWS may give messages to a receive that nobody waits for any more.
    const messages = queue.receive(most, visibility, attemptId);
    if (messages.length > 0) return { Messages: messages.map((message) => given(message, input)) };
    if (clock.now() >= until || closing()) return {};
    await queue.changed(until);
  }
}

function given(message: Message, input: Input): object {
  const system = new Set(list<string>(input["MessageSystemAttributeNames"] ?? input["AttributeNames"]));
  const all: Record<string, string | undefined> = {
    ApproximateReceiveCount: String(message.receives),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    SentTimestamp: String(message.sentAt),
    SenderId: "AIDASTUB",
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId,
    SequenceNumber: sequence(message.sequence),
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
  const attributes = Object.fromEntries(
    Object.entries(all).filter(
      ([name, value]) => value !== undefined && (system.has("All") || system.has(name)),
    ),
  );
  const asked = list<string>(input["MessageAttributeNames"]);
  const own = Object.fromEntries(
    Object.entries(message.attributes ?? {}).filter(([name]) =>
      asked.some(
        (one) =>
          ["All", ".*", name].includes(one) || (one.endsWith(".*") && name.startsWith(one.slice(0, -1))),
      ),
    ),
  );
  const digest = md5OfAttributes(own);
  return {
    MessageId: message.id,
    ReceiptHandle: message.held?.handle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(Object.keys(attributes).length > 0 ? { Attributes: attributes } : {}),
    ...(digest ? { MessageAttributes: own, MD5OfMessageAttributes: digest } : {}),
  };
}

/** Each entry by itself: what one is refused for does not touch the others. */
function batch(input: Input, one: (entry: Input) => object): object {
  const entries = list<Input>(input["Entries"]);
  const ids = entries.map(({ Id }) => text(Id));
  if (entries.length === 0)
    throw new AwsError("EmptyBatchRequest", "There should be at least one entry in the request.");
  if (entries.length > 10) {
    throw new AwsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  if (new Set(ids).size < ids.length)
    throw new AwsError("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.");
  const [successful, failed]: [object[], object[]] = [[], []];
  for (const [n, entry] of entries.entries()) {
    try {
      successful.push({ Id: ids[n], ...one(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      // A time-out that is over has a code of its own in a batch.
      const code = error.message.endsWith("The receipt handle has expired.")
        ? "ReceiptHandleIsInvalid"
        : error.code;
      failed.push({ Id: ids[n], SenderFault: true, Code: code, Message: error.message });
    }
  }
  return { Successful: successful, Failed: failed };
}

function change(queue: FifoQueue, input: Input): void {
  queue.changeVisibility(handleOf(input), whole("VisibilityTimeout", input["VisibilityTimeout"], 0, 43_200));
}

function handleOf(input: Input): string {
  if (!input["ReceiptHandle"]) throw missing("ReceiptHandle");
  return text(input["ReceiptHandle"]);
}

function attributesOf(queue: FifoQueue, names: string[]): Record<string, string> {
  const { settings } = queue;
  const messages = queue.messages();
  const count = (which: (one: { inFlight: boolean; delayed: boolean }) => boolean) =>
    String(messages.filter(which).length);
  const all: Record<string, string> = {
    QueueArn: queue.arn,
    FifoQueue: "true",
    ContentBasedDeduplication: String(settings.contentBasedDeduplication),
    DeduplicationScope: settings.deduplicationScope,
    FifoThroughputLimit: settings.deduplicationScope === "queue" ? "perQueue" : "perMessageGroupId",
    VisibilityTimeout: String(settings.visibilitySeconds),
    DelaySeconds: String(settings.delaySeconds),
    ReceiveMessageWaitTimeSeconds: String(settings.waitSeconds),
    MessageRetentionPeriod: String(settings.retentionSeconds),
    MaximumMessageSize: String(settings.mostBytes),
    CreatedTimestamp: String(Math.trunc(queue.createdAt / 1000)),
    ApproximateNumberOfMessages: count(({ inFlight, delayed }) => !inFlight && !delayed),
    ApproximateNumberOfMessagesNotVisible: count(({ inFlight }) => inFlight),
    ApproximateNumberOfMessagesDelayed: count(({ delayed }) => delayed),
    ...(settings.redrive ? { RedrivePolicy: JSON.stringify(settings.redrive) } : {}),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name)),
  );
}

function sequence(n: number): string {
  return String(n).padStart(20, "0");
}

function list<T = string>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

function strings(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries((value ?? {}) as Record<string, unknown>).map(([name, one]) => [name, String(one)]),
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
