import { blockedEvents, retryBlocked, skipBlocked } from "outbox";
import type { BlockedEvent } from "outbox";
import { demandReason, look, operate } from "./operate.ts";
import type { Intent } from "./operate.ts";
import { pretty } from "./parked.ts";
import { age, count, printRows } from "./print.ts";
import type { Output } from "./print.ts";
import { Refusal, misuse } from "./refusal.ts";
import type { Target } from "./target.ts";

/** The events that a topic refuses for good, with what waits behind each. */
export async function listBlocked(target: Target, output: Output): Promise<void> {
  const events = await look(target, (client) => blockedEvents(client));
  printBlocked(output, events);
  if (events.length > 0)
    output.note(
      `Next: pnpm ops blocked look ${target.name} <id>, then when the cause is mended blocked retry, or blocked skip.`,
    );
}

/** One of them, with its body. */
export async function lookAtBlocked(target: Target, output: Output, id: string): Promise<void> {
  proveId(target, id);
  const [event] = await look(target, (client) => blockedEvents(client, id));
  if (!event) throw noSuch(target, id);
  if (output.json) return output.out(JSON.stringify(event, null, 2));
  const { type, topic, blockedAt, behind, error, payload } = event;
  output.note(
    `${type} to ${topic}, blocked ${age(blockedAt)} ago, ${count(behind, "event")} of its group behind it`,
  );
  if (error !== null) output.note(error);
  output.out(pretty(payload));
}

function proveId(target: Target, id: string): void {
  if (!/^\d{1,18}$/.test(id))
    throw misuse(`"${id}" is not an id of a blocked event.`, `pnpm ops blocked ${target.name} lists them.`);
}

function noSuch(target: Target, id: string): Refusal {
  return new Refusal(
    `no blocked event has the id ${id}: somebody settled it meanwhile, or it never was blocked.`,
    `pnpm ops blocked ${target.name} lists them, pnpm ops log ${target.name} what was done.`,
  );
}

function printBlocked(output: Output, events: BlockedEvent[]): void {
  printRows(
    output,
    events,
    {
      id: (row) => row.id,
      topic: (row) => row.topic,
      type: (row) => row.type,
      group: (row) => row.groupId,
      behind: (row) => row.behind,
      blocked: (row) => age(row.blockedAt),
      error: (row) => row.error,
    },
    "No event is blocked.",
  );
}

/** `retry`: the relay tries again. `skip`: it is never published, its group goes on; needs a reason. */
export async function settleBlocked(
  target: Target,
  { id, action }: { id: string; action: "retry" | "skip" },
  intent: Intent,
): Promise<void> {
  proveId(target, id);
  if (action === "skip") demandReason(target, intent);
  const event = await operate(target, intent, async (client, record) => {
    const found = await (action === "retry" ? retryBlocked : skipBlocked)(client, id);
    if (!found) throw noSuch(target, id);
    const { topic, type, groupId, error, payload } = found;
    await record({
      action,
      subject: found.eventId,
      detail: { topic, type, group: groupId, error, ...(action === "skip" ? { body: payload } : {}) },
      ...(action === "skip" ? { companies: { bodies: [payload], action: "event.skipped" } } : {}),
    });
    return found;
  });
  printBlocked(intent.output, [event]);
  if (!intent.dryRun) {
    intent.output.note(
      action === "retry"
        ? `The relay tries it again. If the topic still refuses it, it is blocked again within seconds: pnpm ops blocked ${target.name}`
        : "It will not be published; its group goes on.",
    );
  }
}
