import { setTimeout as pause } from "node:timers/promises";
import {
  askForReplay,
  cancelReplay,
  discardParked,
  parkedCounts,
  parkedGroups,
  parkedMessages,
} from "worker";
import type { ParkedGroup, ParkedMessage } from "worker";
import { workerOf } from "./manifests.ts";
import { demandReason, look, operate } from "./operate.ts";
import type { Intent } from "./operate.ts";
import { age, count, printRows } from "./print.ts";
import type { Output } from "./print.ts";
import { Refusal, misuse } from "./refusal.ts";
import type { Target } from "./target.ts";

type GroupRow = ParkedGroup & { workload: string };

/** The parked groups of one worker, or of all that have any, oldest first. */
export async function listParked(target: Target, output: Output, workload?: string): Promise<void> {
  if (workload !== undefined) workerOf(target.manifests, workload);
  const rows = await look(target, async (client) => {
    // Also a consumer that no manifest knows any more: what it parked is still there.
    const names =
      workload === undefined ? (await parkedCounts(client)).map(({ consumer }) => consumer) : [workload];
    const found: GroupRow[] = [];
    for (const name of names) {
      for (const group of await parkedGroups(client, name)) found.push({ workload: name, ...group });
    }
    return found;
  });
  printGroups(output, rows);
  const [first] = rows;
  if (first)
    output.note(
      `Next: pnpm ops parked look ${target.name} ${first.workload} ${first.groupId}, then parked replay when the cause is mended.`,
    );
}

function printGroups(output: Output, rows: GroupRow[]): void {
  printRows(
    output,
    rows,
    {
      workload: (row) => row.workload,
      group: (row) => row.groupId,
      messages: (row) => row.messages,
      type: (row) => row.type,
      attempts: (row) => row.attempts,
      parked: (row) => age(row.parkedAt),
      replay: (row) => (row.replayAt === null ? null : "asked"),
      error: (row) => row.error ?? row.reason,
    },
    "Nothing is parked.",
  );
}

export type Place = { workload: string; groupId: string };

/** The messages of a group in the order in which they will be handled; with `n` one of them whole. */
export async function lookAtParked(
  target: Target,
  output: Output,
  { workload, groupId, n }: Place & { n?: string | undefined },
): Promise<void> {
  const messages = await messagesOf(target, { workload, groupId });
  if (n === undefined) return printMessages(output, messages);
  const message = messageOf(messages, { workload, groupId, n }, target);
  if (output.json) return output.out(JSON.stringify(message, null, 2));
  const rest = `${target.name} ${workload} ${groupId}`;
  output.note(
    `${message.type ?? "no event"}, parked ${age(message.parkedAt)} ago, ${count(message.attempts, "attempt")}`,
  );
  if (message.error !== null) output.note(message.error);
  output.out(pretty(message.body));
  output.note(
    `Next: mend the code or the data it speaks of, or the message: pnpm ops parked edit ${rest} ${n} --reason "…". Then pnpm ops parked replay ${rest}`,
  );
}

function printMessages(output: Output, messages: ParkedMessage[]): void {
  printRows(output, messages, {
    n: (row) => row.n,
    event: (row) => row.eventId,
    type: (row) => row.type,
    attempts: (row) => row.attempts,
    parked: (row) => age(row.parkedAt),
    error: (row) => row.error,
  });
}

/** The messages of a parked group. Throws a Refusal when nothing is parked under that name. */
export async function messagesOf(target: Target, { workload, groupId }: Place): Promise<ParkedMessage[]> {
  workerOf(target.manifests, workload);
  const messages = await look(target, (client) => parkedMessages(client, { consumer: workload, groupId }));
  if (messages.length > 0) return messages;
  throw new Refusal(
    `${workload} has no parked group ${groupId}.`,
    `pnpm ops parked ${target.name} ${workload} lists them.`,
  );
}

/** One of them. Throws a Refusal when there is none with that number. */
export function messageOf(
  messages: ParkedMessage[],
  { workload, groupId, n }: Place & { n: string },
  target: Target,
): ParkedMessage {
  const message = messages.find((one) => one.n === n);
  if (message) return message;
  throw new Refusal(
    `group ${groupId} of ${workload} has no message ${n}.`,
    `pnpm ops parked look ${target.name} ${workload} ${groupId} lists them.`,
  );
}

/** JSON over several lines, or the text as it is. */
export function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

type Replayed = { group: string; before: number; left: number; error: string | null };

/**
 * Asks the running worker to replay a group, or all of its groups, and waits for the outcome.
 *
 * Resolves to false when something is still parked after it: a message failed again, or `waitSeconds` are over.
 */
export async function replayParked(
  target: Target,
  {
    workload,
    groupId,
    perSecond,
    waitSeconds,
  }: {
    workload: string;
    groupId?: string | undefined;
    perSecond?: number | undefined;
    waitSeconds: number;
  },
  intent: Intent,
): Promise<boolean> {
  workerOf(target.manifests, workload);
  const { output, dryRun } = intent;
  const before = await operate(target, intent, async (client, record) => {
    const asked = await askForReplay(client, { consumer: workload, groupId, perSecond });
    if (groupId !== undefined && asked.length === 0) {
      throw new Refusal(
        `${workload} has no parked group ${groupId}.`,
        `pnpm ops parked ${target.name} ${workload} lists them.`,
      );
    }
    for (const subject of asked) {
      await record({
        action: "replay",
        workload,
        subject,
        detail: perSecond === undefined ? {} : { perSecond },
      });
    }
    const groups = await parkedGroups(client, workload);
    return groups.filter((group) => asked.includes(group.groupId));
  });
  if (dryRun || before.length === 0 || waitSeconds === 0) {
    printGroups(
      output,
      before.map((group) => ({ workload, ...group })),
    );
    if (!dryRun && before.length > 0) output.note("Asked for; the running worker begins within a second.");
    return true;
  }

  const until = Date.now() + waitSeconds * 1000;
  let now = before;
  for (;;) {
    const all = await look(target, (client) => parkedGroups(client, workload));
    now = all.filter((group) => before.some((one) => one.groupId === group.groupId));
    if (now.every(({ replayAt }) => replayAt === null) || Date.now() > until) break;
    await pause(300);
  }
  const rows = before.map((group): Replayed => {
    const after = now.find((one) => one.groupId === group.groupId);
    return {
      group: group.groupId,
      before: group.messages,
      left: after?.messages ?? 0,
      error: after ? (after.error ?? after.reason) : null,
    };
  });
  printRows(output, rows, {
    group: (row) => row.group,
    before: (row) => row.before,
    left: (row) => row.left,
    error: (row) => row.error,
  });
  const waiting = now.filter(({ replayAt }) => replayAt !== null);
  const failed = now.filter(({ replayAt }) => replayAt === null);
  if (failed[0])
    output.note(
      `${count(failed.length, "group")} failed again and stays parked. Next: pnpm ops parked look ${target.name} ${workload} ${failed[0].groupId}`,
    );
  if (waiting.length > 0) {
    const same = waiting.every(
      (group) => before.find((one) => one.groupId === group.groupId)?.messages === group.messages,
    );
    output.note(
      `After ${waitSeconds} s ${count(waiting.length, "group")} still to go.` +
        (same ? ` Is ${workload} running?` : "") +
        ` It goes on by itself; to take it back: pnpm ops parked replay ${target.name} ${workload} --cancel`,
    );
  }
  return now.length === 0;
}

/** Takes back what replayParked asked for: the message in hand is finished, the others stay parked. */
export async function cancelParked(
  target: Target,
  { workload, groupId }: { workload: string; groupId?: string | undefined },
  intent: Intent,
): Promise<void> {
  workerOf(target.manifests, workload);
  const groups = await operate(target, intent, async (client, record) => {
    const withdrawn = await cancelReplay(client, { consumer: workload, groupId });
    for (const subject of withdrawn) await record({ action: "cancel", workload, subject });
    return withdrawn;
  });
  printRows(
    intent.output,
    groups.map((group) => ({ group })),
    { group: (row) => row.group },
    "No replay was asked for.",
  );
  if (groups.length > 0) intent.output.note("What was not yet replayed stays parked.");
}

/** Deletes one parked message, or the whole group, for good. Its body stays in operator_log. */
export async function discard(
  target: Target,
  { workload, groupId, n, all }: Place & { n?: string | undefined; all: boolean },
  intent: Intent,
): Promise<void> {
  if ((n === undefined) !== all) {
    throw misuse(
      "it must be clear what is discarded.",
      "Name one message by its n, or the whole group by --all.",
    );
  }
  demandReason(target, intent);
  const messages = await messagesOf(target, { workload, groupId });
  if (n !== undefined) messageOf(messages, { workload, groupId, n }, target);
  const gone = await operate(target, intent, async (client, record) => {
    const discarded = await discardParked(client, { consumer: workload, groupId, n });
    if (discarded.length === 0) {
      throw new Refusal(
        "it is not parked any more: somebody replayed or discarded it meanwhile.",
        `pnpm ops log ${target.name} says who.`,
      );
    }
    for (const { eventId, type, body, error, attempts } of discarded) {
      await record({
        action: "discard",
        workload,
        subject: eventId ?? groupId,
        detail: { group: groupId, type, error, attempts, body },
        companies: { bodies: [body], action: "event.discarded" },
      });
    }
    return discarded;
  });
  printMessages(intent.output, gone);
  if (intent.dryRun) return;
  const left = messages.length - gone.length;
  intent.output.note(
    left > 0
      ? `${count(left, "message")} of the group still parked. Next: pnpm ops parked replay ${target.name} ${workload} ${groupId}`
      : "The group flows again.",
  );
}
