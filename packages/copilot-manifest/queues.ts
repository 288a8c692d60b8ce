import type { Queue, Workload } from "./types.ts";
import { valueAt } from "./values.ts";

/** Where the queue's settings stand in the manifest. */
export function queuePath(queue: Queue, { manifest }: Workload): (string | number)[] {
  const [feeding] = queue.subscriptions;
  const topics = valueAt(manifest, "subscribe", "topics");
  if (queue.env.variable === "COPILOT_QUEUE_URI" || !feeding || !Array.isArray(topics))
    return ["subscribe", "queue"];
  const index = topics.findIndex(
    (topic) => valueAt(topic, "name") === feeding.name && valueAt(topic, "service") === feeding.service,
  );
  return ["subscribe", "topics", index, "queue"];
}

/** A worker's queues that get messages: the default one only where a topic feeds it, or no topic has its own. */
export function usedQueues({ queue, topicQueues }: Workload): Queue[] {
  const used = queue && (queue.subscriptions.length > 0 || topicQueues.length === 0) ? [queue] : [];
  return [...used, ...topicQueues];
}
