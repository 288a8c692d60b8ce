import { ListTopicsCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { QueueAttributeName } from "@aws-sdk/client-sqs";
import type { Workspace } from "./workspace.ts";

/** An event as a subscriber of its topic gets it. */
export type Heard = {
  topic: string;
  id: string;
  type: string;
  aggregate: { type: string; id: string; seq?: number };
};

/** A queue of our own that is subscribed to every topic: it hears what every worker could hear. */
export type Tap = {
  hear(): Promise<Heard[]>;
  /** How many messages lie in each other queue, dead letters and failed invocations too. */
  lengths(): Promise<{ queue: string; messages: number }[]>;
};

const counts: QueueAttributeName[] = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

export async function openTap({ running }: Workspace): Promise<Tap> {
  const { endpoint, region } = running.state().aws;
  const settings = { endpoint, region, credentials: { accessKeyId: "soak", secretAccessKey: "soak" } };
  const [sns, sqs] = [new SNSClient(settings), new SQSClient(settings)];
  const name = "soak-tap.fifo";
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { FifoQueue: "true", VisibilityTimeout: "600" },
    }),
  );
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  for (const { TopicArn } of Topics) {
    if (!TopicArn?.endsWith(".fifo")) continue;
    await sns.send(
      // Not raw: the notification says which topic it came from.
      new SubscribeCommand({
        TopicArn,
        Protocol: "sqs",
        Endpoint: `arn:aws:sqs:${region}:000000000000:${name}`,
      }),
    );
  }
  const heard: Heard[] = [];
  return {
    async lengths() {
      const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
      const lengths = QueueUrls.filter((url) => url !== QueueUrl).map(async (url) => {
        const { Attributes } = await sqs.send(
          new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: counts }),
        );
        const messages = counts.reduce((sum, name) => sum + Number(Attributes?.[name]), 0);
        return { queue: url.split("/").at(-1)!, messages };
      });
      return Promise.all(lengths);
    },
    async hear() {
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return heard;
        for (const { Body = "" } of Messages) {
          const { TopicArn, Message } = JSON.parse(Body) as { TopicArn: string; Message: string };
          heard.push({
            topic: TopicArn.split(":").at(-1)!,
            ...(JSON.parse(Message) as Omit<Heard, "topic">),
          });
        }
        await sqs.send(
          new DeleteMessageBatchCommand({
            QueueUrl,
            Entries: Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
          }),
        );
      }
    },
  };
}
