import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Workspace } from "./workspace.ts";

/** In staging's account, as every name here. */
const FAILURES = "noren-staging-backend-outbox-EmailWebhookFailures";

/**
 * A mail whose every attempt met an outage lies in the function's failure queue and rings: a person gives it to the
 * function again, as its CLAUDE.md says. Returns how many; throws when the function refuses one with nothing in its way.
 */
export async function handOver({ running }: Workspace): Promise<number> {
  const { aws, workloads } = running.state();
  const email = workloads.find(({ kind }) => kind === "function");
  if (!email) throw new Error("The workspace has no function that receives mail.");
  const sqs = new SQSClient({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: { accessKeyId: "soak", secretAccessKey: "soak" },
  });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: FAILURES }));
  for (let handed = 0; ; handed++) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const [message] = Messages;
    if (!message) return handed;
    const response = await fetch(
      `http://127.0.0.1:${email.port}/2015-03-31/functions/${email.name}/invocations`,
      { method: "POST", body: message.Body },
    );
    if (response.headers.has("x-amz-function-error"))
      throw new Error(`${email.name} refuses what it had given up: ${await response.text()}`);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
}
