import { SQSClient, SQSServiceException } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { RetryAfter } from "./errors.ts";
import { on } from "./handler.ts";
import type { Context } from "./handler.ts";
import { bench, common, credentials, thing } from "./testing.ts";
import type { Bench, TestQueue, Tx } from "./testing.ts";
import { work } from "./work.ts";

let lab: Bench;
beforeAll(async () => {
  lab = await bench();
});
afterAll(() => lab.close());

/** A client that may only do this (fauxqs knows no permissions). Copilot by itself grants a worker these two. */
const asCopilotGrants = ["ReceiveMessageCommand", "DeleteMessageBatchCommand"];

function allowing(...commands: string[]): SQSClient {
  const sqs = new SQSClient({ endpoint: lab.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      async (input) => {
        if (commands.includes(commandName ?? "")) return next(input);
        throw new SQSServiceException({
          name: "AccessDenied",
          $fault: "client",
          $metadata: { httpStatusCode: 403 },
        });
      },
    { step: "initialize" },
  );
  return sqs;
}

/** A worker whose errors are kept. */
async function start(queue: TestQueue, sqs: SQSClient, body: (name: string) => void) {
  const errors: string[] = [];
  const base = common(lab, queue);
  const error = (_: object, message: string) => void errors.push(message);
  const worker = await work({
    ...base,
    log: { ...base.log, error, child: () => base.log },
    sqs,
    handlers: [
      on(thing, async ({ name }, { tx }: Context<Tx>) => {
        body(name);
        await tx.write(name);
      }),
    ],
  });
  onTestFinished(() => worker.stop());
  return { errors, about: (permission: string) => errors.filter((message) => message.includes(permission)) };
}

test("with what Copilot grants by itself the engine works, and says once what it misses", async () => {
  const queue = await lab.queue();
  await queue.send("a", "a1");
  const { about } = await start(queue, allowing(...asCopilotGrants), () => {});
  await expect.poll(() => lab.effects(), { timeout: 20_000 }).toEqual(["a1"]);
  expect(about("sqs:GetQueueAttributes")).toHaveLength(1);
});

test("without the permission to keep messages in flight nothing is started after its visibility, and nothing is lost", async () => {
  const queue = await lab.queue({ visibility: 4 });
  const before = await lab.effects();
  let asked = 0;
  await queue.send("b", "waits");
  const sqs = allowing(...asCopilotGrants, "GetQueueAttributesCommand");
  const { about } = await start(queue, sqs, (name) => {
    if (name === "waits" && asked++ === 0) throw new RetryAfter(3, "longer than the message stays ours");
  });
  // Given up before its visibility ends, received again after it.
  await expect.poll(() => lab.effects(), { timeout: 20_000 }).toEqual([...before, "waits"]);
  expect(asked).toBe(2);
  await expect.poll(() => queue.counts()).toEqual({ left: 0, dead: 0 });
  expect(about("sqs:ChangeMessageVisibility")).toHaveLength(1);
});
