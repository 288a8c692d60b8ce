import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { parkedCounts } from "worker";
import { queueOf, queuesOf, workerOf } from "./manifests.ts";
import { look } from "./operate.ts";
import { printRows } from "./print.ts";
import type { Output } from "./print.ts";
import type { Target, Which } from "./target.ts";

type QueueRow = {
  workload: string;
  topics: string[];
  ready: number;
  inFlight: number;
  delayed: number;
  dead: number | null;
  tries: number | null;
  /** Messages that the worker has put aside; null when the database cannot be reached. */
  parked: number | null;
};

/** Every queue of an environment, with what waits in it, beside it and in its dead-letter queue. */
export async function listQueues(target: Target, output: Output): Promise<void> {
  let parked: Map<string, number> | undefined;
  try {
    const counts = await look(target, (client) => parkedCounts(client));
    parked = new Map(counts.map(({ consumer, messages }) => [consumer, messages]));
  } catch (error) {
    output.note(`Parked messages are not counted: ${(error as Error).message}`);
  }
  const all = target.manifests.workers.flatMap((worker) => queuesOf(worker));
  const rows = await Promise.all(
    all.map(async (queue): Promise<QueueRow> => {
      const counts = await countsOf(target, await target.queueUrl(queue));
      const dead = queue.deadLetter && (await countsOf(target, await target.queueUrl(queue, "dead")));
      return {
        workload: queue.workload,
        topics: queue.subscriptions.map(({ name }) => name),
        ...counts,
        dead: dead ? dead.ready + dead.inFlight + dead.delayed : null,
        tries: queue.deadLetter?.tries ?? null,
        parked: parked ? (parked.get(queue.workload) ?? 0) : null,
      };
    }),
  );
  printRows(output, rows, {
    workload: (row) => row.workload,
    ready: (row) => row.ready,
    "in-flight": (row) => row.inFlight,
    delayed: (row) => row.delayed,
    parked: (row) => row.parked,
    dead: (row) => row.dead,
    tries: (row) => row.tries,
    topics: (row) => row.topics.join(","),
  });
}

/** The address of one queue, alone on its line: for `aws sqs … --queue-url "$(pnpm -s ops queue …)"`. */
export async function printQueueUrl(
  target: Target,
  output: Output,
  { workload, topic, which }: { workload: string; topic?: string | undefined; which: Which },
): Promise<void> {
  const queue = queueOf(workerOf(target.manifests, workload), topic);
  const url = await target.queueUrl(queue, which);
  output.out(output.json ? JSON.stringify({ url }) : url);
}

/** How many messages are in a queue, as SQS counts them: approximately. */
export async function countsOf(
  target: Target,
  url: string,
): Promise<{ ready: number; inFlight: number; delayed: number }> {
  const { Attributes = {} } = await target.sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    }),
  );
  return {
    ready: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
  };
}
