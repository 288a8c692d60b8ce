import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { testDatabase } from "@noren/database/testing";
import type { TestDatabase } from "@noren/database/testing";
import { buildApp } from "fauxqs";
import { insert } from "outbox";
import { afterAll, beforeAll, expect, test } from "vitest";

const app = buildApp({ logger: false });
let database: TestDatabase;
let endpoint: string;
let sns: SNSClient;
let sqs: SQSClient;
beforeAll(async () => {
  database = await testDatabase();
  endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  const settings = {
    endpoint,
    region: "ap-northeast-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  sns = new SNSClient(settings);
  sqs = new SQSClient(settings);
});
afterAll(async () => {
  sns.destroy();
  sqs.destroy();
  await app.close();
  await database.drop();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Runs main.ts with nothing in its environment but what is given, as Copilot would. */
function run(environment: Record<string, string>) {
  const child = spawn(process.execPath, ["main.ts"], {
    cwd: import.meta.dirname,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, "close").then(([status]) => ({ status: status as number | null, ...output }));
  return { child, ended };
}

test("a row that a workload commits reaches the topic's queue; SIGTERM ends the service with 0", async () => {
  const name = `${randomUUID()}.fifo`;
  const { TopicArn = "" } = await sns.send(
    new CreateTopicCommand({ Name: "item.fifo", Attributes: { FifoTopic: "true" } }),
  );
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { FifoQueue: "true" } }),
  );
  const Attributes = { RawMessageDelivery: "true" };
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: `arn:aws:sqs:ap-northeast-1:000000000000:${name}`,
      Attributes,
    }),
  );

  const port = await freePort();
  const { child, ended } = run({
    PORT: String(port),
    DATABASE_HOST: database.settings.host,
    DATABASE_PORT: String(database.settings.port),
    DATABASE_NAME: database.settings.name,
    DATABASE_USER: "backend_outbox",
    COPILOT_SNS_TOPIC_ARNS: JSON.stringify({ "item.fifo": TopicArn }),
    AWS_REGION: "ap-northeast-1",
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
    AWS_ENDPOINT_URL: endpoint,
  });
  const health = () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      async (response) => ({ status: response.status, body: (await response.json()) as object }),
      () => undefined,
    );
  await expect
    .poll(health, { timeout: 20_000 })
    .toMatchObject({ status: 200, body: { shards: 64, error: null } });

  // As a workload that may insert, and read nothing.
  const { pool } = database.connect("worker_item");
  const event = { id: randomUUID(), type: "item.registered" };
  await insert(pool, [
    {
      tenant: randomUUID(),
      topic: "item",
      groupId: "an-item",
      eventId: event.id,
      type: event.type,
      version: 1,
      payload: JSON.stringify(event),
    },
  ]);
  await expect(pool.query("select from outbox")).rejects.toThrow("permission denied");

  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
  expect(JSON.parse(Messages?.[0]?.Body ?? "null")).toEqual(event);
  child.kill("SIGTERM");
  const { status, stdout, stderr } = await ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { service: string; msg: string });
  expect(lines.at(-1)).toMatchObject({ service: "backend-outbox", msg: "stopped" });
});

test("what is missing or malformed in the environment is listed at once", async () => {
  const { ended } = run({ PORT: "8011", COPILOT_SNS_TOPIC_ARNS: "{}" });
  const { status, stderr } = await ended;
  expect(status).toBe(1);
  expect(stderr).toContain("COPILOT_SNS_TOPIC_ARNS: has no topic: declare them under publish.topics");
  for (const name of ["HOST", "PORT", "NAME", "USER"])
    expect(stderr).toContain(`DATABASE_${name}: is not set`);
  expect(stderr).not.toContain("    at ");
});
