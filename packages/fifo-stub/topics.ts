import { randomUUID } from "node:crypto";
import { ACCOUNT, REGION } from "./account.ts";
import type { Account } from "./account.ts";
import { AwsError } from "./aws-error.ts";
import type { Clock } from "./clock.ts";
import type { MessageAttribute } from "./md5.ts";
import type { FifoQueue } from "./queue.ts";

const DEDUPLICATION_MS = 5 * 60_000;
const MOST_BYTES = 262_144;

type Subscription = { queue: FifoQueue; raw: boolean };
type Topic = { arn: string; subscriptions: Subscription[]; recent: Map<string, { at: number; id: string }> };
type Values = { [name: string]: string | Values | undefined };

/** SNS FIFO topics, as much of them as a relay needs to reach queues: publishing, and deduplication on the topic. */
export class Topics {
  readonly #account: Account;
  readonly #clock: Clock;
  readonly #topics = new Map<string, Topic>();

  constructor(account: Account, clock: Clock) {
    this.#account = account;
    this.#clock = clock;
  }

  /** One action of the query protocol. Returns the XML inside its result element. */
  act(action: string, input: Values): string {
    switch (action) {
      case "CreateTopic":
        return `<TopicArn>${this.#create(text(input["Name"]))}</TopicArn>`;
      case "Subscribe":
        return `<SubscriptionArn>${this.#subscribe(input)}</SubscriptionArn>`;
      case "Publish":
        return `<MessageId>${this.#publish(this.#topic(input), input)}</MessageId>`;
      case "PublishBatch":
        return this.#publishBatch(this.#topic(input), input);
      default:
        throw new AwsError("InvalidAction", `This stub does not know SNS's ${action}.`);
    }
  }

  #create(name: string): string {
    if (!name.endsWith(".fifo"))
      throw new AwsError("InvalidParameter", "This stub has FIFO topics only: the name ends in .fifo.");
    const arn = `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`;
    if (!this.#topics.has(arn)) this.#topics.set(arn, { arn, subscriptions: [], recent: new Map() });
    return arn;
  }

  #subscribe(input: Values): string {
    const topic = this.#topic(input);
    const queue = this.#account.byArn(text(input["Endpoint"]));
    if (!queue)
      throw new AwsError("InvalidParameter", `Invalid parameter: no queue ${text(input["Endpoint"])}.`);
    const attributes = entries(input["Attributes"], "key", "value");
    if ("FilterPolicy" in attributes)
      throw new AwsError("InvalidParameter", "This stub delivers everything: no FilterPolicy.");
    topic.subscriptions.push({ queue, raw: attributes["RawMessageDelivery"] === "true" });
    return `${topic.arn}:${randomUUID()}`;
  }

  #topic(input: Values): Topic {
    const topic = this.#topics.get(text(input["TopicArn"]));
    if (!topic) throw new AwsError("NotFound", "Topic does not exist", 404);
    return topic;
  }

  #publishBatch(topic: Topic, input: Values): string {
    const all = members(input["PublishBatchRequestEntries"]);
    const ids = all.map((entry) => text(entry["Id"]));
    if (all.length === 0)
      throw new AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.");
    if (all.length > 10)
      throw new AwsError(
        "TooManyEntriesInBatchRequest",
        "The batch request contains more entries than permissible (10).",
      );
    if (new Set(ids).size < ids.length)
      throw new AwsError(
        "BatchEntryIdsNotDistinct",
        "Two or more batch entries in the request have the same Id.",
      );
    const bytes = all.reduce((sum, entry) => sum + Buffer.byteLength(text(entry["Message"])), 0);
    if (bytes > MOST_BYTES)
      throw new AwsError(
        "BatchRequestTooLong",
        `The length of all the messages put together is more than ${MOST_BYTES} bytes.`,
      );
    const [successful, failed]: [string[], string[]] = [[], []];
    for (const [n, entry] of all.entries()) {
      const id = escape(ids[n] ?? "");
      try {
        successful.push(
          `<member><Id>${id}</Id><MessageId>${this.#publish(topic, entry)}</MessageId></member>`,
        );
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        failed.push(
          `<member><Id>${id}</Id><Code>${error.code}</Code><Message>${escape(error.message)}</Message><SenderFault>true</SenderFault></member>`,
        );
      }
    }
    return `<Successful>${successful.join("")}</Successful><Failed>${failed.join("")}</Failed>`;
  }

  #publish(topic: Topic, input: Values): string {
    const [body, groupId, key] = [
      text(input["Message"]),
      text(input["MessageGroupId"]),
      text(input["MessageDeduplicationId"]),
    ];
    if (!body) throw new AwsError("InvalidParameter", "Invalid parameter: Empty message");
    if (!groupId)
      throw new AwsError(
        "InvalidParameter",
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
      );
    if (!key)
      throw new AwsError(
        "InvalidParameter",
        "Invalid parameter: The topic should have a MessageDeduplicationId provided explicitly",
      );
    const now = this.#clock.now();
    const before = topic.recent.get(key);
    if (before && now - before.at < DEDUPLICATION_MS) return before.id;
    const id = randomUUID();
    topic.recent.delete(key);
    topic.recent.set(key, { at: now, id });
    const attributes = entries(input["MessageAttributes"], "Name", "Value") as Record<string, Values>;
    for (const { queue, raw } of topic.subscriptions) {
      const own = Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, value as unknown as MessageAttribute]),
      );
      const envelope = {
        Type: "Notification",
        MessageId: id,
        TopicArn: topic.arn,
        Message: body,
        Timestamp: new Date(now).toISOString(),
        MessageAttributes: Object.fromEntries(
          Object.entries(own).map(([name, { DataType, StringValue }]) => [
            name,
            { Type: DataType, Value: StringValue },
          ]),
        ),
      };
      queue.send({
        body: raw ? body : JSON.stringify(envelope),
        groupId,
        deduplicationId: key,
        ...(raw && Object.keys(own).length > 0 ? { attributes: own } : {}),
      });
    }
    return id;
  }
}

/** Reads the query protocol: `A.member.1.B=x` becomes `{ A: { member: { 1: { B: "x" } } } }`. */
export function fromQuery(body: string): { [name: string]: string | Values | undefined } {
  const values: Values = {};
  for (const [path, value] of new URLSearchParams(body)) {
    const names = path.split(".");
    let place = values;
    for (const name of names.slice(0, -1)) place = (place[name] ??= {}) as Values;
    place[names.at(-1) ?? ""] = value;
  }
  return values;
}

export function escape(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function members(value: string | Values | undefined): Values[] {
  const all = ((value as Values | undefined)?.["member"] ?? {}) as Values;
  return Object.keys(all)
    .toSorted((a, b) => Number(a) - Number(b))
    .map((n) => all[n] as Values);
}

function entries(value: string | Values | undefined, name: string, content: string): Record<string, unknown> {
  const all = ((value as Values | undefined)?.["entry"] ?? {}) as Values;
  return Object.fromEntries(
    Object.values(all).map((one) => [text((one as Values)[name]), (one as Values)[content]]),
  );
}

function text(value: string | Values | undefined): string {
  return typeof value === "string" ? value : "";
}
