import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TopicUnavailable } from "./publish.ts";
import { relay } from "./relay.ts";
import { snsPublisher } from "./sns.ts";
import { silent, testOutbox } from "./testing.ts";

const app = buildApp({ logger: false });
let sns: SNSClient;
let sqs: SQSClient;
let topicArn: string;
let queueUrl: string;

function settings(endpoint: string) {
  return {
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  };
}

beforeAll(async () => {
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  sns = new SNSClient(settings(endpoint));
  sqs = new SQSClient(settings(endpoint));
  const topic = await sns.send(
    new CreateTopicCommand({ Name: "sale.fifo", Attributes: { FifoTopic: "true" } }),
  );
  topicArn = topic.TopicArn ?? "";
  const queue = await sqs.send(
    new CreateQueueCommand({ QueueName: "q.fifo", Attributes: { FifoQueue: "true" } }),
  );
  queueUrl = queue.QueueUrl ?? "";
  await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: "sqs",
      Endpoint: "arn:aws:sqs:us-east-1:000000000000:q.fifo",
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
});
afterAll(async () => {
  sns.destroy();
  sqs.destroy();
  await app.close();
});

test("events travel from the table through SNS to the queue with body, group, deduplication id and attributes", async () => {
  const outbox = await testOutbox();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const group of ["a", "b"]) await outbox.write(group, [1, 2, 3], { traceparent });
  const engine = relay({
    connect: outbox.connect,
    publish: snsPublisher(sns, { "sale.fifo": topicArn }),
    log: silent,
  });

  const bodies: string[] = [];
  while (bodies.length < 6) {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        WaitTimeSeconds: 5,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
    );
    expect(Messages).toBeDefined();
    for (const message of Messages ?? []) {
      expect(message.Attributes?.["MessageGroupId"]).toBe(message.Body?.[0]);
      expect(message.Attributes?.["MessageDeduplicationId"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(message.MessageAttributes?.["type"]?.StringValue).toBe("sale.completed");
      expect(message.MessageAttributes?.["traceparent"]?.StringValue).toBe(traceparent);
      bodies.push(message.Body ?? "");
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
  for (const group of ["a", "b"]) {
    expect(bodies.filter((body) => body.startsWith(group))).toEqual([
      `${group}:1`,
      `${group}:2`,
      `${group}:3`,
    ]);
  }
  await engine.stop();
  expect(await outbox.depth()).toBe(0);
  await outbox.close();
});

const one = {
  groupId: "g",
  eventId: "0199aa00-0000-7000-8000-000000000001",
  type: "t",
  payload: "p",
  traceparent: null,
};

test("a topic without an ARN, and one that does not exist, are unavailable and name what is there", async () => {
  const publish = snsPublisher(sns, { sale: topicArn, gone: `${topicArn}x` });
  await expect(publish("typo", [one])).rejects.toThrow(TopicUnavailable);
  await expect(publish("typo", [one])).rejects.toThrow('No topic "typo": the given topics are sale, gone.');
  await expect(publish("gone", [one])).rejects.toThrow(TopicUnavailable);
});

/** Answers every call with `status` and `body`, in the form that SNS uses. */
async function answering<T>(
  status: number,
  body: string,
  use: (client: SNSClient) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(status, { "content-type": "text/xml" }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new SNSClient(settings(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  try {
    return await use(client);
  } finally {
    client.destroy();
    server.close();
  }
}

const error = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>m</Message></Error></ErrorResponse>`;
const failed = (code: string) =>
  `<PublishBatchResponse><PublishBatchResult><Successful><member><Id>1</Id></member></Successful><Failed><member><Id>0</Id>` +
  `<Code>${code}</Code><Message>m</Message><SenderFault>true</SenderFault></member></Failed></PublishBatchResult></PublishBatchResponse>`;
const two = [one, { ...one, groupId: "h" }];

test("each entry gets its own answer, and throttling is never the sender's fault", async () => {
  const publish = (client: SNSClient) => snsPublisher(client, { sale: topicArn })("sale", two);
  expect(await answering(200, failed("InvalidParameter"), publish)).toEqual([
    { ok: false, senderFault: true, code: "InvalidParameter", message: "m" },
    { ok: true },
  ]);
  expect((await answering(200, failed("ThrottledException"), publish))[0]).toMatchObject({
    senderFault: false,
  });
});

test("a refused call is unavailable when access is denied, and the event's fault when it was sent alone", async () => {
  const send = (events: typeof two) => (client: SNSClient) =>
    snsPublisher(client, { sale: topicArn })("sale", events);
  await expect(answering(403, error("AuthorizationError"), send(two))).rejects.toThrow(TopicUnavailable);
  await expect(answering(503, error("ServiceUnavailable"), send(two))).rejects.not.toThrow(TopicUnavailable);
  await expect(answering(400, error("InvalidParameter"), send(two))).rejects.not.toThrow(TopicUnavailable);
  expect(await answering(400, error("InvalidParameter"), send([one]))).toMatchObject([
    { ok: false, senderFault: true },
  ]);
});

test("what is wrong with the topic is no event's fault, also when one event was sent alone", async () => {
  const wrong = (reason: string) =>
    `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>${reason}</Message></Error></ErrorResponse>`;
  const send = (client: SNSClient) => snsPublisher(client, { sale: topicArn })("sale", [one]);
  await expect(answering(400, wrong("Invalid parameter: TopicArn"), send)).rejects.toThrow(TopicUnavailable);
  const reason = "The request includes MessageDeduplicationId, which is not valid for this topic type";
  const entry = `<member><Id>0</Id><Code>InvalidParameter</Code><SenderFault>true</SenderFault><Message>${reason}</Message></member>`;
  const answer = `<PublishBatchResponse><PublishBatchResult><Failed>${entry}</Failed></PublishBatchResult></PublishBatchResponse>`;
  await expect(answering(200, answer, send)).rejects.toThrow(TopicUnavailable);
});

test("credentials that never come do not hold a call up for ever", async () => {
  const client = new SNSClient({
    ...settings("http://127.0.0.1:1"),
    credentials: () => new Promise(() => {}),
  });
  await expect(snsPublisher(client, { sale: topicArn }, { timeoutMs: 100 })("sale", two)).rejects.toThrow(
    /timeout/i,
  );
  client.destroy();
});

test("a call without an answer is given up", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new SNSClient(settings(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const begun = performance.now();
  await expect(snsPublisher(client, { sale: topicArn }, { timeoutMs: 100 })("sale", two)).rejects.toThrow(
    /abort|timeout/i,
  );
  expect(performance.now() - begun).toBeLessThan(2000);
  client.destroy();
  server.closeAllConnections();
  server.close();
});
