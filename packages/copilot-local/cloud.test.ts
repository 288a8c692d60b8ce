import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWorkspace, resolve } from "copilot-manifest";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startCloud, type Cloud } from "./cloud.ts";
import { freePort } from "./ports.ts";
import { eventually, tinyWorkspace } from "./testing.ts";

const workspace = tinyWorkspace();
const { topology } = resolve(readWorkspace(workspace.root), "test", {});
workspace.remove();

let directory: string;
let cloud: Cloud;
let sqs: SQSClient;
let sns: SNSClient;
const queue = topology.queues.find(({ workload }) => workload === "worker-raw")!;

async function open() {
  const port = await freePort();
  const plainQueues = [{ name: "plain", properties: { DelaySeconds: 1, VisibilityTimeout: "7" } }];
  cloud = await startCloud({
    region: "eu-north-1",
    port,
    directory,
    topology,
    buckets: ["a-bucket"],
    plainQueues,
  });
  const client = {
    region: "eu-north-1",
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  };
  sqs = new SQSClient(client);
  sns = new SNSClient(client);
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "cloud-"));
  await open();
});
afterEach(async () => {
  await cloud.stop();
  rmSync(directory, { recursive: true });
});

async function reopen() {
  await cloud.stop();
  await open();
}

const publish = (id: string, group = "g") =>
  sns.send(
    new PublishCommand({
      TopicArn: cloud.topicArn(topology.topics.find(({ name }) => name === "orders")!),
      Message: id,
      MessageGroupId: group,
      MessageDeduplicationId: id,
      MessageAttributes: { type: { DataType: "String", StringValue: "order.placed" } },
    }),
  );
async function receive(QueueUrl = cloud.queueUrl(queue)) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    }),
  );
  return Messages;
}
const release = (ReceiptHandle: string | undefined) =>
  sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: cloud.queueUrl(queue),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }),
  );

test("a queue has the settings of its manifest", async () => {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: cloud.queueUrl(queue), AttributeNames: ["All"] }),
  );
  expect(Attributes).toMatchObject({
    FifoQueue: "true",
    VisibilityTimeout: "20",
    MessageRetentionPeriod: String(14 * 86_400),
    DelaySeconds: "0",
    FifoThroughputLimit: "perMessageGroupId",
    DeduplicationScope: "messageGroup",
    ContentBasedDeduplication: "false",
  });
  expect(JSON.parse(Attributes!.RedrivePolicy!)).toEqual({
    deadLetterTargetArn: expect.stringMatching(/:tiny-test-worker-raw-DeadLetterQueue\.fifo$/),
    maxReceiveCount: 3,
  });
});

test("a message that was given back with visibility 0 comes again, also after a restart", async () => {
  await publish("1");
  await publish("2");
  for (const count of ["1", "2"]) {
    const [message] = await receive();
    expect(message!.Body).toBe("1");
    expect(message!.Attributes!.ApproximateReceiveCount).toBe(count);
    await release(message!.ReceiptHandle);
    await reopen();
  }
  expect((await receive())[0]!.Body).toBe("1");
});

test("a message in flight stays so over a restart, and holds its group", async () => {
  await publish("1");
  await publish("2");
  await publish("3", "another");
  const [first, other] = await receive();
  expect([first!.Body, other!.Body]).toEqual(["1", "3"]);
  await release(other!.ReceiptHandle);
  await reopen();
  expect((await receive()).map(({ Body }) => Body)).toEqual(["3"]);
  expect(cloud.queues().find(({ workload }) => workload === "worker-raw")).toMatchObject({
    ready: 1,
    inFlight: 2,
  });
  // The receipt from before the restart is still good.
  await sqs.send(
    new DeleteMessageCommand({ QueueUrl: cloud.queueUrl(queue), ReceiptHandle: first!.ReceiptHandle }),
  );
  expect((await receive()).map(({ Body }) => Body)).toEqual(["2"]);
});

test("what was deleted does not come back with a restart, and attributes survive it", async () => {
  await publish("1");
  const [message] = await receive();
  await sqs.send(
    new DeleteMessageCommand({ QueueUrl: cloud.queueUrl(queue), ReceiptHandle: message!.ReceiptHandle }),
  );
  await publish("2");
  await reopen();
  const again = await receive();
  expect(again.map(({ Body }) => Body)).toEqual(["2"]);
  expect(again[0]!.MessageAttributes).toMatchObject({ type: { StringValue: "order.placed" } });
  expect(again[0]!.Attributes!.MessageDeduplicationId).toBe("2");
});

test("after its tries a message is in the dead-letter queue, which the state shows, and stays there", async () => {
  await publish("poison");
  for (let tries = 0; tries < 3; tries++) await release((await receive())[0]!.ReceiptHandle);
  expect(await receive()).toEqual([]);
  const dead = () => cloud.queues().find(({ workload }) => workload === "worker-raw")!.deadLetter!.messages;
  expect(dead()).toBe(1);
  await reopen();
  expect(dead()).toBe(1);
});

test("a queue of an addon has its own settings; what is sent to its ARN arrives", async () => {
  const url = `${cloud.endpoint}/000000000000/plain`;
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "later" }));
  cloud.send("arn:aws:sqs:eu-north-1:000000000000:plain", "now");
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(["now"]);
  const [late] = await eventually(async () => {
    const found = await receive(url);
    return found.length > 0 && found;
  });
  expect(late!.Body).toBe("later");
});

test("a web site's page cannot publish through somebody's browser", async () => {
  const response = await fetch(cloud.endpoint, {
    method: "POST",
    headers: { origin: "https://evil.example", "content-type": "application/x-www-form-urlencoded" },
    body: "Action=ListTopics&Version=2010-03-31",
  });
  expect(response.status).toBe(403);
});

test("objects are kept over a restart", async () => {
  cloud.putObject("a-bucket", "folder/手紙", Buffer.from("hello"), "text/plain");
  await reopen();
  const object = await fetch(
    `${cloud.endpoint}/a-bucket/${encodeURIComponent("folder/手紙").replace("%2F", "/")}`,
  );
  expect(await object.text()).toBe("hello");
});
