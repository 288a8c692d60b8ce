import { randomUUID } from "node:crypto";
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { CreateTopicCommand, PublishBatchCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { buildApp } from "fauxqs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startFaultProxy } from "./proxy.ts";
import type { FaultProxy } from "./proxy.ts";

const emulator = buildApp({ logger: false });
let target: string;
let proxy: FaultProxy;
let sqs: SQSClient;
let sns: SNSClient;
let QueueUrl: string;
let TopicArn: string;

const settings = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "x", secretAccessKey: "x" },
  maxAttempts: 1,
});
beforeAll(async () => {
  target = await emulator.listen({ host: "127.0.0.1", port: 0 });
  proxy = await startFaultProxy({ target });
  sqs = new SQSClient(settings(proxy.url));
  sns = new SNSClient(settings(proxy.url));
});
afterAll(async () => {
  sqs.destroy();
  sns.destroy();
  await Promise.all([proxy.close(), emulator.close()]);
});
beforeEach(async () => {
  proxy.clear();
  const name = `${randomUUID()}.fifo`;
  QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { FifoQueue: "true" } })))
    .QueueUrl!;
  TopicArn = (await sns.send(new CreateTopicCommand({ Name: name, Attributes: { FifoTopic: "true" } })))
    .TopicArn!;
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: `arn:aws:sqs:us-east-1:000000000000:${name}`,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  proxy.calls.length = 0;
});

const send = (body: string, id = randomUUID() as string) =>
  sqs.send(
    new SendMessageCommand({ QueueUrl, MessageBody: body, MessageGroupId: body, MessageDeduplicationId: id }),
  );

/** What the queue holds, in order (fauxqs gives one message of a group at a time; every body is a group here). */
async function arrived(): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (!Messages?.length) return all;
    all.push(...Messages.map(({ Body = "" }) => Body));
  }
}

const entries = (...bodies: string[]) =>
  bodies.map((body, n) => ({
    Id: `e${n}`,
    MessageGroupId: body,
    MessageDeduplicationId: randomUUID(),
    body,
  }));
const publish = (...bodies: string[]) =>
  sns.send(
    new PublishBatchCommand({
      TopicArn,
      PublishBatchRequestEntries: entries(...bodies).map(({ body, ...entry }) => ({
        ...entry,
        Message: body,
      })),
    }),
  );

test("without a rule everything passes, and every call is written down", async () => {
  await send("a");
  await publish("b");
  expect(await arrived()).toEqual(["a", "b"]);
  expect(proxy.calls.slice(0, 2)).toMatchObject([
    { action: "SendMessage", text: expect.stringContaining(`"MessageBody":"a"`), status: 200 },
    {
      action: "PublishBatch",
      text: expect.stringContaining("PublishBatchRequestEntries.member.1.Message=b"),
      status: 200,
    },
  ]);
  expect(proxy.of("PublishBatch")).toHaveLength(1);
});

test("an error is answered in the protocol of the call, with its code and status, and nothing is delivered", async () => {
  const rule = proxy.add({
    actions: ["SendMessage", "PublishBatch"],
    fault: { kind: "error", status: 503, code: "ServiceUnavailable" },
  });
  for (const call of [send("a"), publish("b")]) {
    await expect(call).rejects.toMatchObject({
      name: "ServiceUnavailable",
      $metadata: { httpStatusCode: 503 },
    });
  }
  expect(rule.used).toBe(2);
  expect(await arrived()).toEqual([]);
});

test("silence: the client's own time-out ends the call, and nothing is delivered", async () => {
  proxy.add({ actions: ["SendMessage"], fault: { kind: "silence" } });
  const call = sqs.send(
    new SendMessageCommand({ QueueUrl, MessageBody: "a", MessageGroupId: "a", MessageDeduplicationId: "a" }),
    { abortSignal: AbortSignal.timeout(50) },
  );
  await expect(call).rejects.toThrow(/abort/i);
  expect(await arrived()).toEqual([]);
});

test("a lost answer: the client sees a broken connection, the message is there", async () => {
  proxy.add({ actions: ["SendMessage"], times: 1, fault: { kind: "lose" } });
  await expect(send("a")).rejects.toThrow(/socket hang up|ECONNRESET/);
  expect(await arrived()).toEqual(["a"]);
});

test("a delay holds the answer back, or the call itself", async () => {
  for (const of of ["answer", "call"] as const) {
    const rule = proxy.add({ actions: ["SendMessage"], fault: { kind: "delay", ms: 100, of } });
    const begun = performance.now();
    await send(of);
    expect(performance.now() - begun).toBeGreaterThan(95);
    proxy.remove(rule);
  }
  expect((await arrived()).toSorted()).toEqual(["answer", "call"]);
});

test("a repeated call is delivered twice", async () => {
  proxy.add({ actions: ["SendMessage"], fault: { kind: "repeat" } });
  // Without a deduplication id of its own the second delivery would be a second message; with it, fauxqs drops it.
  await send("a");
  const counted = await startFaultProxy({ target: proxy.url });
  const behind = new SQSClient(settings(counted.url));
  proxy.clear();
  counted.add({ actions: ["SendMessage"], fault: { kind: "repeat", times: 3 } });
  proxy.calls.length = 0;
  await behind.send(
    new SendMessageCommand({ QueueUrl, MessageBody: "b", MessageGroupId: "b", MessageDeduplicationId: "b" }),
  );
  expect(proxy.of("SendMessage")).toHaveLength(3);
  expect(await arrived()).toEqual(["a", "b"]);
  behind.destroy();
  await counted.close();
});

test("of an SNS batch the entries that a rule names fail, the others are delivered", async () => {
  proxy.add({ match: "Message=bad", fault: { kind: "partial", code: "InternalError", senderFault: false } });
  const answer = await publish("good", "bad", "<b>&");
  expect(answer.Successful?.map(({ Id }) => Id)).toEqual(["e0", "e2"]);
  expect(answer.Failed).toEqual([
    { Id: "e1", Code: "InternalError", SenderFault: false, Message: "made by a rule" },
  ]);
  expect(await arrived()).toEqual(["good", "<b>&"]);
  // Nothing left: nothing is delivered at all.
  expect((await publish("bad")).Failed).toHaveLength(1);
});

test("of an SQS batch too, as the sender's fault where the rule says so", async () => {
  proxy.add({
    match: /"bad\d"/,
    fault: { kind: "partial", code: "InvalidMessageContents", senderFault: true },
  });
  const batch = (...bodies: string[]) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: entries(...bodies).map(({ body, ...entry }) => ({ ...entry, MessageBody: body })),
      }),
    );
  const answer = await batch("bad1", "good", "bad2");
  expect(answer.Failed).toMatchObject([
    { Id: "e0", Code: "InvalidMessageContents", SenderFault: true },
    { Id: "e2", SenderFault: true },
  ]);
  expect(answer.Successful?.map(({ Id }) => Id)).toEqual(["e1"]);
  expect(await batch("bad1")).toMatchObject({ Successful: [], Failed: [{ Id: "e0" }] });
  expect(await arrived()).toEqual(["good"]);
});

test("skip, times and match say which calls are struck", async () => {
  proxy.add({
    actions: ["SendMessage"],
    match: `"MessageBody":"a`,
    skip: 1,
    times: 2,
    fault: { kind: "error", status: 500, code: "InternalError" },
  });
  const outcomes = [];
  for (const body of ["a1", "b1", "a2", "a3", "a4"])
    outcomes.push(
      await send(body).then(
        () => body,
        () => "failed",
      ),
    );
  expect(outcomes).toEqual(["a1", "b1", "failed", "failed", "a4"]);
});

test("the same seed strikes the same calls, another one others", async () => {
  const run = async (seed: number) => {
    const seeded = await startFaultProxy({
      target,
      seed,
      rules: [{ chance: 0.5, fault: { kind: "error", status: 500, code: "InternalError" } }],
    });
    const statuses = [];
    for (let n = 0; n < 20; n++)
      statuses.push((await fetch(seeded.url, { method: "POST" })).status === 500 ? 1 : 0);
    await seeded.close();
    return statuses.join("");
  };
  const first = await run(7);
  expect(first).toContain("01");
  expect(await run(7)).toBe(first);
  expect(await run(8)).not.toBe(first);
});

test("a target that is down breaks the connection, as it would without a proxy", async () => {
  const orphan = await startFaultProxy({ target: "http://127.0.0.1:1" });
  await expect(fetch(orphan.url, { method: "POST" })).rejects.toThrow("fetch failed");
  await orphan.close();
});
