import { randomUUID } from "node:crypto";
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import type { Message, ReceiveMessageCommandInput } from "@aws-sdk/client-sqs";
import { CreateTopicCommand, PublishBatchCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { buildApp } from "fauxqs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startFifoStub } from "./stub.ts";
import type { FifoStub } from "./stub.ts";

let stub: FifoStub;
const emulator = buildApp({ logger: false });
const settings = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "x", secretAccessKey: "x" },
  maxAttempts: 1,
});
const clients: Record<string, SQSClient> = {};
beforeAll(async () => {
  stub = await startFifoStub();
  clients["stub"] = new SQSClient(settings(stub.url));
  clients["fauxqs"] = new SQSClient(settings(await emulator.listen({ host: "127.0.0.1", port: 0 })));
});
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await Promise.all([stub.close(), emulator.close()]);
});

/** A queue of its own, and what one does with it. */
async function queueOn(on: string, attributes: Record<string, string> = {}) {
  const sqs = clients[on]!;
  const name = `${randomUUID()}.fifo`;
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { FifoQueue: "true", ...attributes } }),
  );
  return {
    name,
    url: QueueUrl!,
    arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
    async send(body: string, more: { group?: string; id?: string } = {}) {
      return sqs.send(
        new SendMessageCommand({
          QueueUrl,
          MessageBody: body,
          MessageGroupId: more.group ?? body[0],
          MessageDeduplicationId: more.id ?? randomUUID(),
        }),
      );
    },
    async receive(most = 10, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
      const input = {
        QueueUrl,
        MaxNumberOfMessages: most,
        MessageSystemAttributeNames: ["All" as const],
        ...more,
      };
      return (await sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
    },
    delete: ({ ReceiptHandle }: Message) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
    deleteBatch: async (...messages: Message[]) =>
      sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
        }),
      ),
    hide: ({ ReceiptHandle }: Message, seconds: number) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: seconds })),
    async count() {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
      );
      return [
        Number(Attributes["ApproximateNumberOfMessages"]),
        Number(Attributes["ApproximateNumberOfMessagesNotVisible"]),
      ];
    },
  };
}

const bodies = (messages: Message[]) => messages.map(({ Body }) => Body);
const deadLettering = (arn: string, maxReceiveCount: number) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount }),
});

// Where the emulator does as AWS does, both must say the same.
describe.each(["stub", "fauxqs"])("%s, like AWS", (on) => {
  test("messages of a group come in order, and none while an earlier one is in flight", async () => {
    const queue = await queueOn(on);
    for (const body of ["a1", "a2", "b1"]) await queue.send(body);
    const [a1] = await queue.receive(1);
    expect(a1).toMatchObject({
      Body: "a1",
      Attributes: { MessageGroupId: "a", ApproximateReceiveCount: "1" },
    });
    expect(bodies(await queue.receive(10))).toEqual(["b1"]);
    expect(await queue.receive(10)).toEqual([]);
    await queue.delete(a1!);
    expect(bodies(await queue.receive(10))).toEqual(["a2"]);
  });

  test("a message given back comes again first, and its receive is counted", async () => {
    const queue = await queueOn(on);
    for (const body of ["a1", "a2"]) await queue.send(body);
    const [a1] = await queue.receive(1);
    await queue.hide(a1!, 0);
    const [again] = await queue.receive(1);
    expect(again).toMatchObject({ Body: "a1", Attributes: { ApproximateReceiveCount: "2" } });
  });

  test("the same deduplication id is accepted and dropped, also after the message was deleted", async () => {
    const queue = await queueOn(on);
    const first = await queue.send("a1", { id: "same" });
    const [a1] = await queue.receive();
    await queue.delete(a1!);
    const second = await queue.send("a1", { id: "same" });
    expect(second.MessageId).toBe(first.MessageId);
    expect(await queue.receive()).toEqual([]);
  });

  test("after its last receive a message goes to the dead letter queue, and its group continues without it", async () => {
    const dead = await queueOn(on);
    const queue = await queueOn(on, deadLettering(dead.arn, 2));
    for (const body of ["a1", "a2"]) await queue.send(body);
    for (const count of ["1", "2"]) {
      const [a1] = await queue.receive(1);
      expect(a1).toMatchObject({ Body: "a1", Attributes: { ApproximateReceiveCount: count } });
      await queue.hide(a1!, 0);
    }
    expect(bodies(await queue.receive(1))).toEqual(["a2"]);
    expect(bodies(await dead.receive())).toEqual(["a1"]);
  });

  test("a long poll returns when a message arrives", async () => {
    const queue = await queueOn(on);
    const waiting = queue.receive(10, { WaitTimeSeconds: 20 });
    await queue.send("a1");
    expect(bodies(await waiting)).toEqual(["a1"]);
  });

  test("a message without a group, or without a deduplication id, is refused", async () => {
    const { url: QueueUrl } = await queueOn(on);
    const send = (more: object) =>
      clients[on]!.send(new SendMessageCommand({ QueueUrl, MessageBody: "x", ...more }));
    await expect(send({ MessageDeduplicationId: "1" })).rejects.toThrow("MessageGroupId");
    await expect(send({ MessageGroupId: "g" })).rejects.toThrow("ContentBasedDeduplication");
  });

  test("counts tell ready and in flight", async () => {
    const queue = await queueOn(on);
    for (const body of ["a1", "b1", "c1"]) await queue.send(body);
    await queue.receive(1);
    expect(await queue.count()).toEqual([2, 1]);
  });
});

describe("receive", () => {
  test("one receive gives as many of one group as fit, then of the next, the group of the oldest message first", async () => {
    const queue = await queueOn("stub");
    for (const body of ["a1", "b1", "a2", "b2", "a3", "c1"]) await queue.send(body);
    expect(bodies(await queue.receive(4))).toEqual(["a1", "a2", "a3", "b1"]);
    expect(bodies(await queue.receive(10))).toEqual(["c1"]);
  });

  test("every message of a receive is counted, tried or not, and all die together", async () => {
    const dead = await queueOn("stub");
    const queue = await queueOn("stub", deadLettering(dead.arn, 1));
    for (const body of ["a1", "a2", "a3"]) await queue.send(body);
    const three = await queue.receive();
    expect(three.map(({ Attributes }) => Attributes?.ApproximateReceiveCount)).toEqual(["1", "1", "1"]);
    for (const message of three) await queue.hide(message, 0);
    expect(await queue.receive()).toEqual([]);
    // Nobody has tried a2 and a3.
    expect(bodies(await dead.receive())).toEqual(["a1", "a2", "a3"]);
  });

  test("a group stays closed until the last of its messages in flight is done, given back or timed out", async () => {
    const queue = await queueOn("stub", { VisibilityTimeout: "30" });
    for (const body of ["a1", "a2", "a3", "a4"]) await queue.send(body);
    const [a1, a2, a3] = await queue.receive(3);
    await queue.delete(a1!);
    await queue.hide(a2!, 0);
    expect(await queue.receive()).toEqual([]);
    await queue.hide(a3!, 0);
    expect(bodies(await queue.receive())).toEqual(["a2", "a3", "a4"]);
    expect(await queue.receive()).toEqual([]);
    stub.advance(29_000);
    expect(await queue.receive()).toEqual([]);
    stub.advance(1000);
    expect(bodies(await queue.receive())).toEqual(["a2", "a3", "a4"]);
  });

  test("a long poll returns when a time-out ends, also by the stub's clock, and when the group is freed", async () => {
    const queue = await queueOn("stub");
    await queue.send("a1");
    await queue.receive();
    const waiting = queue.receive(10, { WaitTimeSeconds: 20, VisibilityTimeout: 1 });
    stub.advance(10_000);
    expect(stub.state(queue.name).messages).toMatchObject([{ inFlight: true, receives: 1 }]);
    const late = queue.receive(10, { WaitTimeSeconds: 20 });
    expect(stub.expire(queue.name)).toBe(1);
    expect(bodies([...(await waiting), ...(await late)])).toEqual(["a1", "a1"]);
  });

  test("a receive that is tried again gives the same messages and handles, until one of them was changed", async () => {
    const queue = await queueOn("stub");
    for (const body of ["a1", "a2"]) await queue.send(body);
    const attempt = { ReceiveRequestAttemptId: "once" };
    const first = await queue.receive(10, attempt);
    stub.advance(20_000);
    const second = await queue.receive(10, attempt);
    expect(second.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(
      first.map(({ ReceiptHandle }) => ReceiptHandle),
    );
    expect(second[0]?.Attributes?.ApproximateReceiveCount).toBe("1");
    // Hidden anew for 30 s.
    stub.advance(20_000);
    expect(await queue.receive()).toEqual([]);
    await queue.delete(second[0]!);
    await expect(queue.receive(10, attempt)).rejects.toThrow("not retryable");
  });

  test("a receive whose client has gone away may still take messages, which are then in nobody's hands", async () => {
    const queue = await queueOn("stub");
    const gone = new AbortController();
    const aborted = clients["stub"]!.send(
      new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 20 }),
      {
        abortSignal: gone.signal,
      },
    );
    // It has arrived when the stub counts it.
    await vi.waitFor(() => expect(stub.state(queue.name).counts.receives).toBe(1));
    gone.abort();
    await expect(aborted).rejects.toThrow(/abort/i);
    await queue.send("a1");
    expect(stub.state(queue.name).messages).toMatchObject([{ inFlight: true, receives: 1 }]);
    expect(await queue.receive()).toEqual([]);
  });

  test("over the limit of messages in flight there is nothing, and no error; a hidden backlog hides later groups", async () => {
    const small = await startFifoStub({ inFlightLimit: 2, searchLimit: 3 });
    clients["small"] = new SQSClient(settings(small.url));
    const queue = await queueOn("small");
    for (const body of ["a1", "a2", "a3", "b1"]) await queue.send(body);
    const [a1] = await queue.receive(1);
    // b1 is the fourth message: not searched.
    expect(await queue.receive()).toEqual([]);
    await queue.delete(a1!);
    expect(bodies(await queue.receive(10))).toEqual(["a2", "a3"]);
    expect(await queue.receive()).toEqual([]);
    await small.close();
  });

  test("what is older than the retention is gone", async () => {
    const queue = await queueOn("stub", { MessageRetentionPeriod: "60" });
    await queue.send("a1");
    stub.advance(60_000);
    expect(await queue.receive()).toEqual([]);
  });

  test("a delayed queue keeps a message, and with it its group, until its time", async () => {
    const queue = await queueOn("stub", { DelaySeconds: "10" });
    await queue.send("a1");
    expect(await queue.receive()).toEqual([]);
    stub.advance(10_000);
    expect(bodies(await queue.receive())).toEqual(["a1"]);
  });
});

describe("delete and visibility", () => {
  test("a receipt whose time is over, or that was given back, deletes nothing; a message deleted before is fine", async () => {
    const queue = await queueOn("stub");
    for (const body of ["a1", "b1", "c1"]) await queue.send(body);
    const [a1, b1, c1] = await queue.receive();
    await queue.delete(a1!);
    await queue.delete(a1!);
    await queue.hide(b1!, 0);
    await expect(queue.delete(b1!)).rejects.toThrow("The receipt handle has expired");
    stub.advance(31_000);
    expect(await queue.deleteBatch(c1!)).toMatchObject({
      Failed: [{ Id: "0", Code: "ReceiptHandleIsInvalid", SenderFault: true }],
    });
    await expect(queue.hide(c1!, 30)).rejects.toThrow("expired");
    expect(bodies(await queue.receive())).toEqual(["b1", "c1"]);
  });

  test("a message is hidden for at most twelve hours from its receive", async () => {
    const queue = await queueOn("stub");
    await queue.send("a1");
    const [a1] = await queue.receive();
    await queue.hide(a1!, 40_000);
    stub.advance(39_000_000);
    await queue.hide(a1!, 4000);
    await expect(queue.hide(a1!, 5000)).rejects.toThrow("beyond the limit");
  });

  test("one bad entry of a batch fails alone", async () => {
    const queue = await queueOn("stub");
    await queue.send("a1");
    const [a1] = await queue.receive();
    const result = await clients["stub"]!.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: "good", ReceiptHandle: a1!.ReceiptHandle, VisibilityTimeout: 10 },
          { Id: "bad", ReceiptHandle: "nonsense", VisibilityTimeout: 10 },
        ],
      }),
    );
    expect(result).toMatchObject({
      Successful: [{ Id: "good" }],
      Failed: [{ Id: "bad", Code: "ReceiptHandleIsInvalid" }],
    });
  });
});

describe("deduplication", () => {
  test("lasts five minutes from the first message", async () => {
    const queue = await queueOn("stub");
    await queue.send("a1", { id: "same" });
    stub.advance(299_000);
    await queue.send("a1", { id: "same" });
    expect(stub.state(queue.name).counts).toMatchObject({ accepted: 1, repeated: 1 });
    stub.advance(1000);
    await queue.send("a1", { id: "same" });
    expect(stub.state(queue.name).counts).toMatchObject({ accepted: 2, repeated: 1 });
  });

  test("is per group where the queue says so", async () => {
    const queue = await queueOn("stub", {
      DeduplicationScope: "messageGroup",
      FifoThroughputLimit: "perMessageGroupId",
    });
    for (const group of ["a", "b", "a"]) await queue.send("x", { group, id: "same" });
    expect(await queue.receive()).toHaveLength(2);
  });

  test("is by content where the queue says so", async () => {
    const queue = await queueOn("stub", { ContentBasedDeduplication: "true" });
    for (const body of ["a1", "a1", "a2"]) {
      await clients["stub"]!.send(
        new SendMessageBatchCommand({
          QueueUrl: queue.url,
          Entries: [{ Id: "0", MessageBody: body, MessageGroupId: "a" }],
        }),
      );
    }
    expect(bodies(await queue.receive())).toEqual(["a1", "a2"]);
  });
});

describe("dead letters", () => {
  test("get the message id as deduplication id, keep their receives, and are new messages after a redrive", async () => {
    const dead = await queueOn("stub");
    const queue = await queueOn("stub", deadLettering(dead.arn, 1));
    await queue.send("a1", { id: "event" });
    const [a1] = await queue.receive();
    await queue.hide(a1!, 0);
    expect(await queue.receive()).toEqual([]);
    expect(stub.state(queue.name).counts.died).toBe(1);
    const [inDead] = await dead.receive();
    expect(inDead).toMatchObject({
      MessageId: a1!.MessageId,
      Attributes: {
        MessageDeduplicationId: a1!.MessageId,
        DeadLetterQueueSourceArn: queue.arn,
        ApproximateReceiveCount: "2",
      },
    });
    await dead.hide(inDead!, 0);

    const sqs = clients["stub"]!;
    expect(await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url }))).toMatchObject({
      queueUrls: [queue.url],
    });
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    const [again] = await queue.receive();
    expect(again).toMatchObject({ Body: "a1", Attributes: { ApproximateReceiveCount: "1" } });
    expect(again!.MessageId).not.toBe(a1!.MessageId);
    expect(again!.Attributes?.MessageDeduplicationId).not.toBe("event");
    expect(await dead.count()).toEqual([0, 0]);
  });

  test("need a queue that exists, and FIFO", async () => {
    await expect(
      queueOn("stub", deadLettering("arn:aws:sqs:us-east-1:000000000000:none.fifo", 1)),
    ).rejects.toThrow("Dead letter target does not exist");
    await expect(clients["stub"]!.send(new CreateQueueCommand({ QueueName: "standard" }))).rejects.toThrow(
      "FIFO queues only",
    );
  });
});

test("what a message weighs is its body and its attributes, and a batch weighs what its messages do", async () => {
  const queue = await queueOn("stub", { MaximumMessageSize: "1024" });
  const entry = (bytes: number) => ({
    MessageBody: "a".repeat(bytes),
    MessageGroupId: "a",
    MessageAttributes: { kind: { DataType: "String", StringValue: "12345678" } },
    MessageDeduplicationId: randomUUID(),
  });
  const send = (bytes: number) =>
    clients["stub"]!.send(new SendMessageCommand({ QueueUrl: queue.url, ...entry(bytes) }));
  await send(1024 - 18);
  await expect(send(1024 - 17)).rejects.toThrow("shorter than 1024 bytes");
  const big = Array.from({ length: 2 }, (_, n) => ({ Id: String(n), ...entry(524_288 - 10) }));
  await expect(
    clients["stub"]!.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries: big })),
  ).rejects.toThrow("longer than 1048576 bytes");
});

test("what the stub does not do is refused, not passed over", async () => {
  await expect(queueOn("stub", { RedriveAllowPolicy: "{}" })).rejects.toThrow(
    "Unknown Attribute RedriveAllowPolicy",
  );
  await expect(queueOn("stub", { FifoThroughputLimit: "perMessageGroupId" })).rejects.toThrow(
    "DeduplicationScope",
  );
});

describe("topics", () => {
  test("fan out in both forms, drop repetitions for five minutes, and refuse an entry alone", async () => {
    const sns = new SNSClient(settings(stub.url));
    const [raw, wrapped] = [await queueOn("stub"), await queueOn("stub")];
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `${randomUUID()}.fifo` }));
    for (const [queue, Attributes] of [
      [raw, { RawMessageDelivery: "true" }],
      [wrapped, {}],
    ] as const) {
      await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
    }
    const publish = () =>
      sns.send(
        new PublishBatchCommand({
          TopicArn,
          PublishBatchRequestEntries: [
            {
              Id: "0",
              Message: `{"a":"<&é"}`,
              MessageGroupId: "a",
              MessageDeduplicationId: "1",
              MessageAttributes: { type: { DataType: "String", StringValue: "t" } },
            },
            { Id: "1", Message: "no group", MessageDeduplicationId: "2" },
          ],
        }),
      );
    expect(await publish()).toMatchObject({
      Successful: [{ Id: "0" }],
      Failed: [{ Id: "1", Code: "InvalidParameter", SenderFault: true }],
    });
    await publish();
    const [first, ...rest] = await raw.receive(10, { MessageAttributeNames: ["All"] });
    expect(first).toMatchObject({ Body: `{"a":"<&é"}`, MessageAttributes: { type: { StringValue: "t" } } });
    expect(rest).toEqual([]);
    const [envelope] = await wrapped.receive();
    expect(JSON.parse(envelope!.Body!)).toMatchObject({
      Type: "Notification",
      TopicArn,
      Message: `{"a":"<&é"}`,
    });
    await Promise.all([raw.delete(first!), wrapped.delete(envelope!)]);
    stub.advance(300_000);
    await publish();
    expect(await raw.receive()).toHaveLength(1);
    sns.destroy();
  });
});

test("another process moves the clock, looks into a queue and ends time-outs by HTTP", async () => {
  const queue = await queueOn("stub");
  await queue.send("a1");
  await queue.receive();
  const call = async (path: string, body?: object) =>
    (
      await fetch(`${stub.url}/_stub/${path}`, body ? { method: "POST", body: JSON.stringify(body) } : {})
    ).json();
  const before = ((await call("clock")) as { now: number }).now;
  expect(((await call("clock", { advanceMs: 5000 })) as { now: number }).now).toBeGreaterThanOrEqual(
    before + 5000,
  );
  expect(await call(`queues/${queue.name}`)).toMatchObject({ messages: [{ body: "a1", inFlight: true }] });
  expect(await call(`queues/${queue.name}/expire`, {})).toEqual({ expired: 1 });
  expect(bodies(await queue.receive())).toEqual(["a1"]);
});
