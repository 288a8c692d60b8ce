import type { Queue, Topic } from "copilot-manifest";
import type { Block } from "./blocks.ts";
import type { Model } from "./model.ts";
import { code, codes, duration, list, table } from "./words.ts";

/** In the folder of a workload that publishes: its topics and who receives them. In a worker's: its queues. */
export const messageTable: Block = (model, dir) => {
  const workload = model.workloads.find((each) => each.dir === dir);
  if (!workload) return undefined;
  const { publishes, queue, topicQueues } = workload.any;
  const [topic] = publishes;
  if (topic)
    return model.sourced(
      table(
        ["トピック", "FIFO", "受け手(受信の回数)"],
        publishes.map((each) => topicRow(model, each)),
      ),
      topic.at,
    );
  const queues = [...(queue ? [queue] : []), ...topicQueues].filter(
    ({ subscriptions }) => subscriptions.length > 0,
  );
  const [first] = queues;
  if (!first) return undefined;
  const head = ["トピック", "型", "可視性", "受信", "保持"];
  return model.sourced(table(head, queues.flatMap(queueRows)), first.at);
};

function topicRow(model: Model, topic: Topic): string[] {
  const receivers = model.workloads.flatMap(({ name, any }) =>
    [any.queue, ...any.topicQueues].flatMap((queue) =>
      queue?.subscriptions.some((each) => each.name === topic.name && each.service === topic.workload)
        ? [`${name}(${queue.deadLetter?.tries ?? "DLQ なし"})`]
        : [],
    ),
  );
  return [
    code(topic.name),
    topic.fifo ? "はい" : "いいえ",
    receivers.length === 0 ? "なし" : list(receivers),
  ];
}

function queueRows(queue: Queue): string[][] {
  return queue.subscriptions.map(({ name, filterPolicy }) => [
    code(name),
    filterPolicy === undefined ? "すべて" : list(Object.values(filterPolicy).map(filterValues)),
    duration(queue.visibilityTimeoutSeconds),
    queue.deadLetter ? `${queue.deadLetter.tries} 回で DLQ` : "DLQ なし",
    duration(queue.retentionSeconds),
  ]);
}

function filterValues(value: unknown): string {
  return Array.isArray(value)
    ? codes(value.map((each) => (typeof each === "string" ? each : JSON.stringify(each))))
    : code(JSON.stringify(value));
}
