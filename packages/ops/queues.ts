import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { blockedEvents } from "outbox";
import { parkedCounts, strays } from "worker";
import { explain } from "./explain.ts";
import { queueOf, queuesOf, workerOf } from "./manifests.ts";
import { look } from "./operate.ts";
import { count, printRows } from "./print.ts";
import type { Output } from "./print.ts";
import { formatError } from "./refusal.ts";
import type { Target, Which } from "./target.ts";

type QueueRow = {
  workload: string;
  topics: string[];
  ready: number;
  inFlight: number;
  delayed: number;
  dead: number | null;
  /** What SNS could not deliver; null where no queue keeps it. */
  undelivered: number | null;
  tries: number | null;
  /** Messages that the worker has put aside; null when the database cannot be reached. */
  parked: number | null;
};

/** Every queue of an environment, with what waits in it, beside it and in its dead-letter queue. */
export async function listQueues(target: Target, output: Output): Promise<void> {
  const all = target.manifests.workers.flatMap((worker) => queuesOf(worker));
  const counted = await Promise.all(
    all.map(async (queue): Promise<Omit<QueueRow, "parked">> => {
      const counts = await countsOf(target, await target.queueUrl(queue));
      const dead = queue.deadLetter && (await countsOf(target, await target.queueUrl(queue, "dead")));
      return {
        workload: queue.workload,
        topics: queue.subscriptions.map(({ name }) => name),
        ...counts,
        dead: dead ? sum(dead) : null,
        undelivered: target.keepsUndelivered
          ? sum(await countsOf(target, await target.queueUrl(queue, "undelivered")))
          : null,
        tries: queue.deadLetter?.tries ?? null,
      };
    }),
  );
  let inDatabase: Awaited<ReturnType<typeof countsInDatabase>> | undefined;
  try {
    inDatabase = await countsInDatabase(target);
  } catch (error) {
    output.note(`Only the queues are counted. ${formatError(explain(error, target.name))}`);
  }
  const rows = counted.map((row): QueueRow => ({
    ...row,
    parked: inDatabase ? (inDatabase.parked.get(row.workload) ?? 0) : null,
  }));
  printRows(output, rows, {
    workload: (row) => row.workload,
    ready: (row) => row.ready,
    "in-flight": (row) => row.inFlight,
    delayed: (row) => row.delayed,
    parked: (row) => row.parked,
    dead: (row) => row.dead,
    undelivered: (row) => row.undelivered,
    tries: (row) => row.tries,
    topics: (row) => row.topics.join(","),
  });
  for (const line of waitingForSomebody(target.name, rows, inDatabase)) output.note(line);
}

/** What an operator should look at, each with the command for it. */
function waitingForSomebody(
  name: string,
  rows: QueueRow[],
  inDatabase: { blocked: number; strays: number } | undefined,
): string[] {
  const lines = rows.flatMap(({ workload, parked, dead, undelivered }) => [
    ...(parked
      ? [`${workload}: ${count(parked, "message")} parked. pnpm ops parked ${name} ${workload}`]
      : []),
    ...(dead ? [`${workload}: ${count(dead, "dead letter")}. pnpm ops dlq peek ${name} ${workload}`] : []),
    ...(undelivered
      ? [`${workload}: ${undelivered} undelivered. pnpm ops dlq peek ${name} ${workload} --undelivered`]
      : []),
  ]);
  const { blocked = 0, strays = 0 } = inDatabase ?? {};
  if (blocked > 0) lines.push(`outbox: ${count(blocked, "blocked event")}. pnpm ops blocked ${name}`);
  if (strays > 0) lines.push(`inbox: ${count(strays, "stray")}. pnpm ops strays ${name}`);
  if (lines.length === 0 && inDatabase) lines.push("Nothing waits for a person.");
  return lines;
}

async function countsInDatabase(
  target: Target,
): Promise<{ parked: Map<string, number>; blocked: number; strays: number }> {
  return look(target, async (client) => {
    const parked = await parkedCounts(client);
    return {
      parked: new Map(parked.map(({ consumer, messages }) => [consumer, messages])),
      blocked: (await blockedEvents(client)).length,
      strays: (await strays(client)).length,
    };
  });
}

const sum = (counts: { ready: number; inFlight: number; delayed: number }): number =>
  counts.ready + counts.inFlight + counts.delayed;

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
