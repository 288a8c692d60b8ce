import { setTimeout as pause } from "node:timers/promises";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { nothingWrong } from "./lab.ts";
import { labs, until } from "./testing.ts";

const open = labs();

test("nothing is received while a message runs that may have ended a process: it would be counted, and die with it", async (context) => {
  const lab = await open(context);
  const queue = await lab.queue();
  const sqs = new SQSClient({
    endpoint: lab.stub.url,
    region: "us-east-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  });
  const [suspect] = await lab.sendAll(queue, "a-1");
  // It was received before, and its process ended while it ran.
  await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url, VisibilityTimeout: 0 }));
  sqs.destroy();
  await lab.rows("insert into consumer (name) values ($1)", [queue.name]);
  await lab.rows(
    "insert into attempt (event_id, consumer, n, running) select $1, id, 1, true from consumer",
    [suspect!.id],
  );
  await lab.behave("a", 1, "slow 1500");
  lab.worker(queue);
  const runs = async () => lab.rows<{ ended: Date | null }>("select ended from run");
  await until(async () => (await runs()).length, 1);
  await lab.sendAll(queue, "b-1");
  // A worker that asks has had it within milliseconds.
  await pause(500);
  expect(queue.state().messages.find(({ groupId }) => groupId === "b")).toMatchObject({ receives: 0 });
  expect(await runs()).toEqual([{ ended: null }]);
  expect(await lab.settled()).toEqual(nothingWrong);
});
