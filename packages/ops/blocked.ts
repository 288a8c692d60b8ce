import { blockedEvents, retryBlocked, skipBlocked } from "outbox";
import type { BlockedEvent } from "outbox";
import { demandReason, look, operate } from "./operate.ts";
import type { Intent } from "./operate.ts";
import { age, printRows } from "./print.ts";
import type { Output } from "./print.ts";
import { Refusal, misuse } from "./refusal.ts";
import type { Target } from "./target.ts";

/** The events that a topic refuses for good, with what waits behind each. */
export async function listBlocked(target: Target, output: Output): Promise<void> {
  printBlocked(output, await look(target, (client) => blockedEvents(client)));
}

function printBlocked(output: Output, events: BlockedEvent[]): void {
  printRows(output, events, {
    id: (row) => row.id,
    topic: (row) => row.topic,
    type: (row) => row.type,
    group: (row) => row.groupId,
    behind: (row) => row.behind,
    blocked: (row) => age(row.blockedAt),
    error: (row) => row.error,
  });
}

/** `retry`: the relay tries again. `skip`: it is never published, its group goes on; needs a reason. */
export async function settleBlocked(
  target: Target,
  { id, action }: { id: string; action: "retry" | "skip" },
  intent: Intent,
): Promise<void> {
  if (!/^\d+$/.test(id))
    throw misuse(`"${id}" is not an id of a blocked event.`, `pnpm ops blocked ${target.name} lists them.`);
  if (action === "skip") demandReason(target, intent);
  const event = await operate(target, intent, async (client, record) => {
    const found = await (action === "retry" ? retryBlocked : skipBlocked)(client, id);
    if (!found) {
      throw new Refusal(`no blocked event has the id ${id}.`, `pnpm ops blocked ${target.name} lists them.`);
    }
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
        ? "The relay tries it again. If the topic still refuses it, it is blocked again within seconds."
        : "It will not be published; its group goes on.",
    );
  }
}
