import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Message } from "@aws-sdk/client-sqs";
import { askForReplay, deadLetterToParked, unwrap } from "worker";
import { queueOf, workerOf } from "./manifests.ts";
import { fieldsOf, operate } from "./operate.ts";
import type { Intent } from "./operate.ts";
import { age, count, printRows } from "./print.ts";
import { countsOf } from "./queues.ts";
import { misuse } from "./refusal.ts";
import type { Target } from "./target.ts";

type DeadLetter = {
  event: string | null;
  type: string | null;
  group: string;
  company: string | null;
  /** How often it was handed out, looks at it included. */
  receives: number;
  sentAt: Date;
  messageId: string;
  body: string;
};

type Of = { workload: string; topic?: string | undefined; undelivered: boolean; limit: number };

/** Long enough to look at them; if this process dies, they come back by themselves after it. */
const HOLD_SECONDS = 60;

async function deadLetterUrl(
  target: Target,
  { workload, topic, undelivered }: Omit<Of, "limit">,
): Promise<string> {
  const queue = queueOf(workerOf(target.manifests, workload), topic);
  if (undelivered) return target.queueUrl(queue, "undelivered");
  if (!queue.deadLetter) {
    throw misuse(`${workload} has no dead-letter queue.`, "Its manifest has no subscribe.queue.dead_letter.");
  }
  return target.queueUrl(queue, "dead");
}

/**
 * Shows dead letters and gives them back: nothing is deleted, only their receive count rises. SQS hands out a group from its
 * front, so what stands behind may stay unseen; the note says how many there are.
 */
export async function peek(target: Target, of: Of, { output }: Pick<Intent, "output">): Promise<void> {
  const url = await deadLetterUrl(target, of);
  const letters = await held(target, url, of.limit, async (messages) => messages.map(letterOf));
  printRows(
    output,
    letters,
    {
      event: (row) => row.event,
      type: (row) => row.type,
      group: (row) => row.group,
      receives: (row) => row.receives,
      age: (row) => age(row.sentAt),
      company: (row) => row.company,
    },
    "No dead letter.",
  );
  if (letters.length === 0) return;
  const { ready, inFlight } = await countsOf(target, url);
  const and = of.undelivered ? " --undelivered" : "";
  output.note(
    `${count(letters.length, "message")} shown of ${ready + inFlight}, and given back. Next: pnpm ops redrive ${target.name} ${of.workload}${and} --dry-run`,
  );
}

type Redriven = {
  event: string | null;
  type: string | null;
  group: string;
  result: "parked" | "handled before";
};

/**
 * Moves dead letters to the end of their parked groups, in order, each parked before it is deleted. They are not handled by
 * that: a replay is asked for afterwards, or by `perSecond` at once.
 */
export async function redrive(
  target: Target,
  of: Of & { perSecond?: number | undefined },
  intent: Intent,
): Promise<void> {
  const { output, dryRun } = intent;
  const url = await deadLetterUrl(target, of);
  const moved: Redriven[] = [];
  const park = (messages: Message[]) =>
    operate(target, { ...intent, output: { ...output, note: () => {} } }, async (client, record) => {
      const results: Redriven[] = [];
      for (const { messageId, event, type, group, receives, body } of messages.map(letterOf)) {
        const result = await deadLetterToParked(client, {
          consumer: of.workload,
          groupId: group,
          body,
          attempts: Math.min(receives, 32_767),
          reason: of.undelivered
            ? "SNS could not deliver it: the queue's policy or key was wrong."
            : "SQS had dead-lettered it: a process that worked on it ended, or the database could not be reached.",
        });
        await record({
          action: "redrive",
          workload: of.workload,
          subject: event ?? messageId,
          detail: { group, result },
        });
        results.push({ event, type, group, result: result === "seen" ? "handled before" : "parked" });
      }
      return results;
    });

  if (dryRun) {
    moved.push(...(await held(target, url, of.limit, park)));
  } else {
    while (moved.length < of.limit) {
      const messages = await receive(target, url, of.limit - moved.length);
      if (messages.length === 0) break;
      moved.push(...(await park(messages)));
      for (const { ReceiptHandle } of messages) {
        await target.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      }
    }
  }
  printRows(
    output,
    moved,
    {
      event: (row) => row.event,
      type: (row) => row.type,
      group: (row) => row.group,
      result: (row) => row.result,
    },
    "No dead letter.",
  );

  const { ready, inFlight } = await countsOf(target, url);
  if (dryRun) {
    output.note(
      `Dry run: nothing was changed. ${count(ready + inFlight, "dead letter")} in all. To do it, type the same without --dry-run.`,
    );
    return;
  }
  const groups = [...new Set(moved.filter(({ result }) => result === "parked").map(({ group }) => group))];
  if (moved.length === 0) return;
  output.note(`${count(moved.length, "message")} moved; ${ready + inFlight} left in the dead-letter queue.`);
  if (of.perSecond !== undefined && groups.length > 0) {
    await operate(target, intent, async (client, record) => {
      for (const groupId of groups) {
        await askForReplay(client, { consumer: of.workload, groupId, perSecond: of.perSecond });
        await record({
          action: "replay",
          workload: of.workload,
          subject: groupId,
          detail: { perSecond: of.perSecond },
        });
      }
    });
    output.note(
      `Their replay is asked for. To take it back: pnpm ops redrive ${target.name} ${of.workload} --cancel`,
    );
  } else if (groups.length > 0) {
    output.note(`Next: pnpm ops parked replay ${target.name} ${of.workload} --all`);
  }
}

/** Runs `work` on messages that are held meanwhile, and gives them back, the last one first. */
async function held<T>(
  target: Target,
  url: string,
  limit: number,
  work: (messages: Message[]) => Promise<T>,
): Promise<T> {
  const messages: Message[] = [];
  try {
    while (messages.length < limit) {
      const some = await receive(target, url, limit - messages.length);
      if (some.length === 0) break;
      messages.push(...some);
    }
    return await work(messages);
  } finally {
    const back = messages.toReversed();
    for (let at = 0; at < back.length; at += 10) {
      await target.sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: url,
          Entries: back.slice(at, at + 10).map(({ ReceiptHandle }, n) => ({
            Id: String(n),
            ReceiptHandle,
            VisibilityTimeout: 0,
          })),
        }),
      );
    }
  }
}

async function receive(target: Target, url: string, most: number): Promise<Message[]> {
  const { Messages = [] } = await target.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: Math.min(10, most),
      VisibilityTimeout: HOLD_SECONDS,
      // A poll without waiting asks only some of SQS's servers.
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return Messages;
}

function letterOf({ MessageId = "", Body = "", Attributes = {} }: Message): DeadLetter {
  const body = unwrap(Body);
  const { id, type, companyId } = fieldsOf(body);
  return {
    event: id ?? null,
    type: type ?? null,
    group: Attributes.MessageGroupId ?? id ?? MessageId,
    company: companyId ?? null,
    receives: Number(Attributes.ApproximateReceiveCount ?? 0),
    sentAt: new Date(Number(Attributes.SentTimestamp ?? 0)),
    messageId: MessageId,
    body,
  };
}
