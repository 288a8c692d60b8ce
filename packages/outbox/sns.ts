import { PublishBatchCommand } from "@aws-sdk/client-sns";
import type { PublishBatchRequestEntry, SNSClient } from "@aws-sdk/client-sns";
import { TopicUnavailable } from "./publish.ts";
import type { OutgoingEvent, Publish, PublishAnswer } from "./publish.ts";

/** Errors of a call that say: this topic, or these credentials, will not do. */
const FORBIDDEN =
  /^(Authorization|AccessDenied|NotFound|InvalidClientTokenId|ExpiredToken|UnrecognizedClient|Signature|KMS|Credentials)/;

/** Errors of a call that say: these bytes will not do. */
const MALFORMED =
  /^(InvalidParameter|ParameterValueInvalid|Validation|InvalidBatchEntryId|BatchRequestTooLong)/;

/** What such an error says when it means the topic after all: an ARN of nowhere, or a topic that is not FIFO. */
const OF_THE_TOPIC = /TopicArn|topic type|FIFO topics/i;

/** Codes that SNS may report as the sender's fault although waiting helps. */
const TEMPORARY = /throttl|limit|unavailable|internal|timeout/i;

/**
 * Publishes with PublishBatch to SNS FIFO topics: the event id is the deduplication id, `type` and `traceparent` become
 * message attributes.
 *
 * Give it `new SNSClient({ maxAttempts: 1 })`. A call that has no answer after `timeoutMs` (5000) is given up; if SNS had
 * accepted it, the repetition carries the same deduplication id.
 *
 * @param topicArns ARN by topic name; keys with `.fifo`, as Copilot writes them in COPILOT_SNS_TOPIC_ARNS, are fine.
 */
export function snsPublisher(
  sns: SNSClient,
  topicArns: Record<string, string>,
  { timeoutMs = 5000 }: { timeoutMs?: number } = {},
): Publish {
  return async (topic, events) => {
    const arn = topicArns[topic] ?? topicArns[`${topic}.fifo`];
    if (!arn) {
      const known = Object.keys(topicArns).join(", ") || "none";
      throw new TopicUnavailable(
        `No topic "${topic}": the given topics are ${known}. Add it under publish.topics in the manifest of the relay.`,
      );
    }
    try {
      const answer = await inTime(timeoutMs, (abortSignal) =>
        sns.send(new PublishBatchCommand({ TopicArn: arn, PublishBatchRequestEntries: events.map(entry) }), {
          abortSignal,
        }),
      );
      const accepted = new Set(answer.Successful?.map(({ Id }) => Id));
      const failed = new Map(answer.Failed?.map((failure) => [failure.Id, failure]));
      const topicless = answer.Failed?.find(({ Message }) => OF_THE_TOPIC.test(Message ?? ""));
      if (topicless && accepted.size === 0) {
        throw new TopicUnavailable(
          `Cannot publish to topic "${topic}" (${arn}): ${topicless.Code}: ${topicless.Message}`,
        );
      }
      return events.map((_, n): PublishAnswer => {
        if (accepted.has(String(n))) return { ok: true };
        const failure = failed.get(String(n));
        const code = failure?.Code ?? "NoAnswer";
        const senderFault = (failure?.SenderFault ?? false) && !TEMPORARY.test(code);
        return { ok: false, senderFault, code, message: failure?.Message ?? "" };
      });
    } catch (error) {
      if (error instanceof TopicUnavailable || !(error instanceof Error)) throw error;
      const malformed = MALFORMED.test(error.name);
      if (FORBIDDEN.test(error.name) || (malformed && OF_THE_TOPIC.test(error.message))) {
        throw new TopicUnavailable(
          `Cannot publish to topic "${topic}" (${arn}): ${error.name}: ${error.message}`,
          {
            cause: error,
          },
        );
      }
      // Sent alone, a malformed call has only one event to blame; together, the relay sends them again one by one.
      if (malformed && events.length === 1) {
        return [{ ok: false, senderFault: true, code: error.name, message: error.message }];
      }
      throw error;
    }
  };
}

function entry(event: OutgoingEvent, n: number): PublishBatchRequestEntry {
  const text = (value: string) => ({ DataType: "String", StringValue: value });
  return {
    Id: String(n),
    Message: event.payload,
    MessageGroupId: event.groupId,
    MessageDeduplicationId: event.eventId,
    MessageAttributes: {
      type: text(event.type),
      ...(event.traceparent ? { traceparent: text(event.traceparent) } : {}),
    },
  };
}

/** The SDK heeds an abort signal only once it sends: what comes before, such as asking for credentials, may hang as well. */
async function inTime<T>(ms: number, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const given = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      given.abort();
      reject(new DOMException(`Timeout: no answer within ${ms} ms.`, "TimeoutError"));
    }, ms);
  });
  try {
    return await Promise.race([send(given.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
