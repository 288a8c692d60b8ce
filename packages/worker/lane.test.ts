import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { Lane } from "./lane.ts";
import { Queue } from "./queue.ts";
import { until } from "./testing-until.ts";
import { credentials, silent } from "./testing.ts";

test("a lane whose heartbeats do not reach SQS starts nothing more once its messages may be another's", async () => {
  // Nobody listens there: SQS is out of reach, and says nothing about the messages.
  const sqs = new SQSClient({
    endpoint: "http://127.0.0.1:1",
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
  });
  const queue = new Queue(sqs, "http://127.0.0.1:1/queue", silent);
  queue.visibilitySeconds = 1;
  const message = { messageId: "m", receiptHandle: "r", groupId: "g", receives: 1, body: "{}" };
  const lane = new Lane(message, queue);
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  lane.start(() => held);
  expect(lane.expired()).toBe(false);
  await until(() => lane.expired()).toBe(true);
  release();
  await lane.done;
  sqs.destroy();
});
