import { wholeSeconds } from "./duration.ts";
import { at, itemsOf, textOf, toValue } from "./node.ts";
import { logicalId, topicKey, topicLogicalId, topicQueueKey } from "./names.ts";
import { isTrue, numberOf, type Names } from "./read-workload.ts";
import type { DeadLetter, MapNode, Node, Queue, Subscription, Topic } from "./types.ts";

const day = 86_400;

/** The topics that a merged manifest publishes. */
export function publishedTopics(root: MapNode, workload: string, names: Names): Topic[] {
  return itemsOf(at(root, "publish", "topics")).map((item) => {
    const name = textOf(at(item, "name")) ?? "";
    const fifo = isFifo(at(item, "fifo"));
    return {
      name,
      workload,
      resourceName: topicResourceName(names, workload, name, fifo),
      key: topicKey(name, fifo),
      logicalId: topicLogicalId(name, fifo),
      fifo,
      contentBasedDeduplication: isTrue(at(item, "fifo", "content_based_deduplication")),
      at: at(item, "name")?.at ?? item.at,
    };
  });
}

function topicResourceName(names: Names, workload: string, name: string, fifo: boolean): string {
  return `${names.application}-${names.environment}-${workload}-${topicKey(name, fifo)}`;
}

/** FIFO is on for `true`, and for a map with any setting, even `{ high_throughput: false }`. */
function isFifo(node: Node | undefined): boolean {
  return isTrue(node) || (node?.kind === "map" && node.entries.size > 0);
}

/**
 * A worker's default queue, then the queues that topics have for themselves. Subscriptions sit on the queue that they
 * feed; a topic is FIFO for the worker when its queue is.
 */
export function queuesOf(root: MapNode, workload: string, names: Names): Queue[] {
  const topics = at(root, "subscribe", "topics");
  // Copilot leaves the whole `queue` section out when there is no `topics`: a plain standard queue, no dead letters.
  const settings = topics?.kind === "list" ? at(root, "subscribe", "queue") : undefined;
  const main = queue(
    settings,
    "EventsQueue",
    "DeadLetterQueue",
    workload,
    names,
    { variable: "COPILOT_QUEUE_URI" },
    settings?.at ?? root.at,
  );
  const own: Queue[] = [];
  for (const topic of itemsOf(topics)) {
    const service = textOf(at(topic, "service")) ?? "";
    const name = textOf(at(topic, "name")) ?? "";
    const queueNode = at(topic, "queue");
    const hasOwn = isTrue(queueNode) || (queueNode?.kind === "map" && queueNode.entries.size > 0);
    const fifo = hasOwn ? isFifo(at(queueNode, "fifo")) : main.fifo;
    const id = `${logicalId(service)}${logicalId(topicKey(name, fifo))}`;
    const target = hasOwn
      ? ownQueue(queueNode, id, topicQueueKey(service, name, fifo), workload, names, topic)
      : main;
    if (hasOwn) own.push(target);
    target.subscriptions.push(
      subscription(topic, { topic: topicResourceName(names, service, name, fifo), name, service }, id),
    );
  }
  return [main, ...own];
}

function ownQueue(
  node: Node | undefined,
  id: string,
  key: string,
  workload: string,
  names: Names,
  topic: Node,
): Queue {
  const env = { variable: "COPILOT_TOPIC_QUEUE_URIS" as const, key };
  return queue(node, `${id}EventsQueue`, `${id}DeadLetterQueue`, workload, names, env, node?.at ?? topic.at);
}

function subscription(
  topic: Node,
  of: Pick<Subscription, "topic" | "name" | "service">,
  id: string,
): Subscription {
  const filterPolicy = toValue(at(topic, "filter_policy"));
  return {
    ...of,
    rawDelivery: false,
    logicalId: `${id}SNSTopicSubscription`,
    at: at(topic, "name")?.at ?? topic.at,
    ...(filterPolicy && typeof filterPolicy === "object"
      ? { filterPolicy: filterPolicy as Record<string, unknown> }
      : {}),
  };
}

function queue(
  node: Node | undefined,
  id: string,
  deadLetterId: string,
  workload: string,
  names: Names,
  env: Queue["env"],
  place: Queue["at"],
): Queue {
  const fifoNode = at(node, "fifo");
  const fifo = isFifo(fifoNode);
  const high = isTrue(at(fifoNode, "high_throughput"));
  const throughputLimit = high ? "perMessageGroupId" : textOf(at(fifoNode, "throughput_limit"));
  const deduplicationScope = high ? "messageGroup" : textOf(at(fifoNode, "deduplication_scope"));
  const deadLetter = deadLetterOf(at(node, "dead_letter", "tries"), deadLetterId, workload, names, fifo);
  return {
    workload,
    logicalId: id,
    resourceName: queueResourceName(names, workload, id, fifo),
    fifo,
    contentBasedDeduplication: isTrue(at(fifoNode, "content_based_deduplication")),
    visibilityTimeoutSeconds: wholeSeconds(textOf(at(node, "timeout"))) ?? 30,
    retentionSeconds: wholeSeconds(textOf(at(node, "retention"))) ?? 4 * day,
    delaySeconds: wholeSeconds(textOf(at(node, "delay"))) ?? 0,
    env,
    subscriptions: [],
    at: place,
    ...(throughputLimit ? { throughputLimit: throughputLimit as NonNullable<Queue["throughputLimit"]> } : {}),
    ...(deduplicationScope
      ? { deduplicationScope: deduplicationScope as NonNullable<Queue["deduplicationScope"]> }
      : {}),
    ...(deadLetter ? { deadLetter } : {}),
  };
}

/** There is none unless `tries` is written; `tries: 0` gives one that takes a message before its first delivery. */
function deadLetterOf(
  node: Node | undefined,
  id: string,
  workload: string,
  names: Names,
  fifo: boolean,
): DeadLetter | undefined {
  const tries = numberOf(node);
  if (tries === undefined) return undefined;
  return {
    tries,
    logicalId: id,
    resourceName: queueResourceName(names, workload, id, fifo),
    retentionSeconds: 14 * day,
  };
}

/** CloudFormation makes the name from stack and logical id, and cuts it at 80 characters; its random part is left out here. */
function queueResourceName(names: Names, workload: string, id: string, fifo: boolean): string {
  const suffix = fifo ? ".fifo" : "";
  const stack = `${names.application}-${names.environment}-${workload}`;
  return (
    `${stack.slice(0, Math.max(1, 79 - id.length - suffix.length))}-${id}`.slice(0, 80 - suffix.length) +
    suffix
  );
}
