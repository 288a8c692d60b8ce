import { AwsError, invalid, whole } from "./aws-error.ts";
import type { Clock } from "./clock.ts";
import { FifoQueue } from "./queue.ts";
import type { Limits, Settings } from "./queue.ts";

export const REGION = "us-east-1";
export const ACCOUNT = "000000000000";

/** What a queue may be given: all that changes how it behaves here, and what changes nothing about messages. */
const KNOWN = new Set([
  "FifoQueue",
  "VisibilityTimeout",
  "DelaySeconds",
  "ReceiveMessageWaitTimeSeconds",
  "MessageRetentionPeriod",
  "MaximumMessageSize",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
  "RedrivePolicy",
  "Policy",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
  "SqsManagedSseEnabled",
]);

/** The queues of one account, by name. FIFO queues only: this is what the stub is for. */
export class Account {
  readonly queues = new Map<string, FifoQueue>();
  readonly #clock: Clock;
  readonly #limits: Limits;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Creates a queue, or finds the one of that name when its attributes are the same. */
  create(name: string, attributes: Record<string, string>): FifoQueue {
    if (!/^[\w-]{1,75}\.fifo$/.test(name) || attributes["FifoQueue"] !== "true") {
      throw new AwsError(
        "InvalidParameterValue",
        "This stub has FIFO queues only: the name ends in .fifo and the attribute FifoQueue is true.",
      );
    }
    const settings = this.#settings(attributes);
    const existing = this.queues.get(name);
    if (existing) {
      if (JSON.stringify(existing.settings) === JSON.stringify(settings)) return existing;
      throw new AwsError(
        "QueueNameExists",
        "A queue already exists with the same name and a different value for an attribute.",
      );
    }
    const queue = new FifoQueue(
      { name, arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`, settings },
      { clock: this.#clock, limits: this.#limits, deadLetterQueue: (arn) => this.byArn(arn) },
    );
    this.queues.set(name, queue);
    return queue;
  }

  change(queue: FifoQueue, attributes: Record<string, string>): void {
    if ("FifoQueue" in attributes)
      throw invalid("FifoQueue", attributes["FifoQueue"], "It cannot be changed.");
    Object.assign(queue.settings, this.#settings(attributes, queue.settings));
    if (attributes["RedrivePolicy"] === "") delete queue.settings.redrive;
  }

  byUrl(url: unknown): FifoQueue {
    const name = String(url).split("/").at(-1) ?? "";
    const queue = this.queues.get(name);
    if (!queue) throw new AwsError("QueueDoesNotExist", "The specified queue does not exist.");
    return queue;
  }

  byArn(arn: string): FifoQueue | undefined {
    return [...this.queues.values()].find((queue) => queue.arn === arn);
  }

  /** The queues whose dead letter queue this is. */
  sourcesOf(queue: FifoQueue): FifoQueue[] {
    return [...this.queues.values()].filter(
      ({ settings }) => settings.redrive?.deadLetterTargetArn === queue.arn,
    );
  }

  #settings(attributes: Record<string, string>, before?: Settings): Settings {
    for (const name of Object.keys(attributes)) {
      if (!KNOWN.has(name))
        throw new AwsError("InvalidAttributeName", `Unknown Attribute ${name}. This stub does not do it.`);
    }
    const number = (name: string, otherwise: number, least: number, most: number) =>
      attributes[name] === undefined ? otherwise : whole(name, attributes[name], least, most);
    const redrive = attributes["RedrivePolicy"]
      ? this.#redrive(attributes["RedrivePolicy"])
      : before?.redrive;
    const scope = attributes["DeduplicationScope"] ?? before?.deduplicationScope ?? "queue";
    if (scope !== "queue" && scope !== "messageGroup") {
      throw invalid("DeduplicationScope", scope, "Must be queue or messageGroup.");
    }
    if (attributes["FifoThroughputLimit"] === "perMessageGroupId" && scope === "queue") {
      throw invalid(
        "FifoThroughputLimit",
        "perMessageGroupId",
        "DeduplicationScope must be messageGroup then.",
      );
    }
    return {
      visibilitySeconds: number("VisibilityTimeout", before?.visibilitySeconds ?? 30, 0, 43_200),
      delaySeconds: number("DelaySeconds", before?.delaySeconds ?? 0, 0, 900),
      waitSeconds: number("ReceiveMessageWaitTimeSeconds", before?.waitSeconds ?? 0, 0, 20),
      retentionSeconds: number("MessageRetentionPeriod", before?.retentionSeconds ?? 345_600, 60, 1_209_600),
      mostBytes: number("MaximumMessageSize", before?.mostBytes ?? 1_048_576, 1024, 1_048_576),
      contentBasedDeduplication:
        attributes["ContentBasedDeduplication"] === undefined
          ? (before?.contentBasedDeduplication ?? false)
          : attributes["ContentBasedDeduplication"] === "true",
      deduplicationScope: scope,
      ...(redrive ? { redrive } : {}),
    };
  }

  #redrive(text: string): NonNullable<Settings["redrive"]> {
    const refused = (reason: string) => invalid("RedrivePolicy", text, reason);
    let policy: { deadLetterTargetArn?: string; maxReceiveCount?: number | string };
    try {
      policy = JSON.parse(text) as typeof policy;
    } catch {
      throw refused("Amazon SQS can't create the redrive policy, as it's in an unsupported format.");
    }
    const { deadLetterTargetArn, maxReceiveCount } = policy;
    if (!deadLetterTargetArn || !this.byArn(deadLetterTargetArn))
      throw refused("Dead letter target does not exist.");
    return { deadLetterTargetArn, maxReceiveCount: whole("maxReceiveCount", maxReceiveCount, 1, 1000) };
  }
}
