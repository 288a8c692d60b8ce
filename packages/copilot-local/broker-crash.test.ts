import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
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
let port: number;
let cloud: Cloud;
let sqs: SQSClient;
let sns: SNSClient;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "broker-crash-"));
  port = await freePort();
  cloud = await startCloud({ region: "eu-north-1", port, directory, topology, buckets: [] });
  const client = {
    region: "eu-north-1",
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    // What a cut connection means must be seen.
    maxAttempts: 1,
  };
  sqs = new SQSClient(client);
  sns = new SNSClient(client);
});
afterEach(async () => {
  await cloud.stop();
  rmSync(directory, { recursive: true });
});

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
const queueUrl = (workload: string) =>
  cloud.queueUrl(topology.queues.find((queue) => queue.workload === workload)!);
const receive = async (QueueUrl = queueUrl("worker-raw"), WaitTimeSeconds = 0) => {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      WaitTimeSeconds,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return Messages;
};
const remove = (ReceiptHandle: string | undefined, QueueUrl = queueUrl("worker-raw")) =>
  sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
/** What a client sees, whatever it was doing. */
const cut = /socket hang up|ECONNRESET|ECONNREFUSED|EPIPE/;
const lengths = () => cloud.queues().map(({ ready, inFlight }) => ready + inFlight);

test("the call that it dies in is kept whole and not answered, so a repetition comes twice", async () => {
  // The SDK's first call takes its time; the broker does not wait for it.
  await publish("another", "warm");
  const crash = cloud.crash(0);
  await expect(publish("1")).rejects.toThrow(cut);
  await crash;
  // In both queues of the topic: half a fan-out would be a loss that nobody could see.
  expect(lengths()).toEqual([2, 2]);
  await publish("1");
  expect(lengths()).toEqual([3, 3]);
});

test("a long poll is cut, connections are refused while it is away, and it comes back on the same port", async () => {
  const poll = receive(queueUrl("worker-raw"), 20);
  await new Promise((connected) => setImmediate(connected));
  let back = false;
  const crash = cloud.crash(60_000).then(() => (back = true));
  await expect(poll).rejects.toThrow(cut);
  await eventually(() => refused());
  expect(back).toBe(false);
  // Who stops the workspace does not wait for it.
  await cloud.stop();
  await crash;
  expect(await refused()).toBe(true);
  cloud = await startCloud({ region: "eu-north-1", port, directory, topology, buckets: [] });
  expect(await receive()).toEqual([]);
});

test("a second crash while it is away is the same one", async () => {
  await Promise.all([cloud.crash(200), cloud.crash(60_000)]);
  expect(await receive()).toEqual([]);
});

test("what somebody holds stays held, and its receipt stays good", async () => {
  await publish("1");
  await publish("2");
  const [first] = await receive();
  await cloud.crash(0);
  expect(await receive()).toEqual([]);
  await remove(first!.ReceiptHandle);
  expect((await receive()).map(({ Body }) => Body)).toEqual(["2"]);
});

test("what nobody has got, because it died before the answer, is there again at once", async () => {
  await publish("1");
  const crash = cloud.crash(0);
  await expect(receive()).rejects.toThrow(cut);
  await crash;
  const [message] = await receive();
  expect([message!.Body, message!.Attributes?.ApproximateReceiveCount]).toEqual(["1", "1"]);
});

test("a message that it dies with on the way to the dead-letter queue is there", async () => {
  await publish("poison");
  for (let tries = 0; tries < 3; tries++) {
    const [message] = await receive();
    const { ReceiptHandle } = message!;
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl("worker-raw"),
        ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
  }
  const crash = cloud.crash(0);
  await expect(receive()).rejects.toThrow(cut);
  await crash;
  const { ready, inFlight, deadLetter } = cloud.queues().find(({ workload }) => workload === "worker-raw")!;
  expect({ ready, inFlight, dead: deadLetter!.messages }).toEqual({ ready: 0, inFlight: 0, dead: 1 });
});

test("a queue that somebody made himself is there with its messages and its subscription", async () => {
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: "own.fifo", Attributes: { FifoQueue: "true" } }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn: cloud.topicArn(topology.topics.find(({ name }) => name === "orders")!),
      Protocol: "sqs",
      Endpoint: "arn:aws:sqs:eu-north-1:000000000000:own.fifo",
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  await publish("before", "a");
  await cloud.crash(0);
  await publish("after", "b");
  const bodies = [...(await receive(QueueUrl)), ...(await receive(QueueUrl))].map(({ Body }) => Body);
  expect(bodies).toEqual(["before", "after"]);
});

test("of all that was accepted through ten crashes nothing is lost, and each group comes in order", async () => {
  const groups = ["a", "b", "c"];
  const each = 60;
  const insist = async (ask: () => Promise<unknown>) => {
    for (;;) {
      try {
        return await ask();
      } catch {
        await new Promise((soon) => setImmediate(soon));
      }
    }
  };
  const got = new Map(groups.map((group) => [group, [] as number[]]));
  const all = () => [...got.values()].every((numbers) => new Set(numbers).size === each);
  const write = async (group: string) => {
    for (let n = 0; n < each; n++) await insist(() => publish(`${group}:${n}`, group));
  };
  const read = async () => {
    while (!all()) {
      const messages = await receive(queueUrl("worker-raw"), 1).catch(() => []);
      for (const { Body, ReceiptHandle } of messages) {
        const [group, n] = Body!.split(":");
        got.get(group!)!.push(Number(n));
        await insist(() => remove(ReceiptHandle));
      }
    }
  };
  const crashes = async () => {
    for (let n = 0; n < 10; n++) await cloud.crash(5);
  };
  await Promise.all([...groups.map(write), read(), crashes()]);
  for (const numbers of got.values()) {
    const first = [...new Set(numbers)];
    expect(first).toEqual(Array.from({ length: each }, (_, n) => n));
  }
});

/** Whether a connection is refused, rather than cut. */
function refused(): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      done(false);
    });
    socket.once("error", (error) => done((error as NodeJS.ErrnoException).code === "ECONNREFUSED"));
  });
}
