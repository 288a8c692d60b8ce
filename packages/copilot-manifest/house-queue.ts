import type { Found, Scene } from "./finding.ts";
import { queuePath } from "./queues.ts";
import { parseDuration } from "./duration.ts";
import { valueAt } from "./values.ts";
import type { HouseRule } from "./rules.ts";
import type { Queue, Workload } from "./types.ts";

type Rule = (queue: Queue, workload: Workload, scene: Scene) => Found[];

const none: Found[] = [];
const days14 = 14 * 86_400;

/** House rules for each queue that something is sent to. */
export const queueRules: Partial<Record<HouseRule, Rule>> = {
  "dead-letter": (queue, workload) => {
    const { name } = workload;
    const tries = queue.deadLetter?.tries;
    if (tries !== undefined && tries >= 3 && tries <= 10) return none;
    const path = [...queuePath(queue, workload), "dead_letter"];
    const hint = "Write `dead_letter: { tries: <3 to 10> }`.";
    if (tries === undefined) {
      const message = `A message that ${name} cannot handle comes back until it expires, and is then lost.`;
      return [{ path, message, hint }];
    }
    const why = tries < 3 ? "a passing fault is enough to set it aside" : "it keeps others waiting";
    const message = `${name} tries a message ${tries} times: ${why}.`;
    return [{ path: [...path, "tries"], message, hint }];
  },
  "raw-delivery": (queue, workload) =>
    queue.subscriptions
      .filter(({ rawDelivery }) => !rawDelivery)
      .map(({ name, logicalId }) => ({
        path: [...queuePath(queue, workload).slice(0, 1), "topics"],
        message: `${workload.name} gets messages of "${name}" in SNS's envelope, their attributes inside it.`,
        hint: `Add to copilot/${workload.name}/overrides/cfn.patches.yml: { op: add, path: /Resources/${logicalId}/Properties/RawMessageDelivery, value: true }.`,
      })),
  "dead-letter-retention": (queue, workload) => {
    const { name } = workload;
    // A FIFO queue's message gets a new time when it is moved; a standard queue's keeps its first.
    if (queue.fifo || !queue.deadLetter || queue.retentionSeconds < days14) return none;
    const message = `A message that ${name} gives up late is deleted as it arrives among the dead letters: its age counts on, and they live 14 days too.`;
    const hint = "Write a `retention` of less than 336h, like 96h.";
    return [{ path: [...queuePath(queue, workload), "retention"], message, hint }];
  },
  "queue-retention-margin": (queue, workload) => {
    const { deadLetter, retentionSeconds, visibilityTimeoutSeconds } = queue;
    const tried = (deadLetter?.tries ?? 0) * visibilityTimeoutSeconds;
    if (tried < retentionSeconds) return none;
    const message = `A message of ${workload.name} lives ${retentionSeconds} s, and its ${deadLetter?.tries} tries may take ${tried} s: it is deleted before it becomes a dead letter.`;
    const hint = `Write a \`retention\` of more than ${tried}s, fewer \`tries\`, or a shorter \`timeout\`.`;
    return [{ path: [...queuePath(queue, workload), "retention"], message, hint }];
  },
  "queue-timeout-margin": (queue, workload, { settings }) => {
    const limit = longestMessage(workload, settings.workloads[workload.name]?.handlerLimitSeconds);
    if (!limit || queue.visibilityTimeoutSeconds >= 3 * limit.seconds) return none;
    const message = `${workload.name} hides a message for ${queue.visibilityTimeoutSeconds} s, and it may take ${limit.seconds} s (${limit.from}): a slow one is handled twice.`;
    const hint = `Write a \`timeout\` of ${3 * limit.seconds}s or more.`;
    return [{ path: [...queuePath(queue, workload), "timeout"], message, hint }];
  },
};

/** The longest that one message may take: the settings' `handler_limit`, else what the scaling reckons with. */
function longestMessage(
  { manifest }: Workload,
  limit: number | undefined,
): { seconds: number; from: string } | undefined {
  if (limit !== undefined) return { seconds: limit, from: "`handler_limit` in copilot-manifest.yml" };
  const text = valueAt(manifest, "count", "queue_delay", "msg_processing_time");
  const seconds = typeof text === "string" ? parseDuration(text) : undefined;
  return seconds === undefined ? undefined : { seconds, from: "`msg_processing_time`" };
}
