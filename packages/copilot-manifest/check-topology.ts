import { suggest } from "./problem.ts";
import type { Problem, Queue, Subscription, Topology, Workload } from "./types.ts";

/** Subscriptions that nobody feeds, FIFO on one side only, topics that nobody can tell apart. */
export function checkTopology(
  workloads: Workload[],
  topology: Topology,
  problems: Problem[],
  elsewhere: string[],
): void {
  for (const worker of workloads) {
    for (const queue of [...(worker.queue ? [worker.queue] : []), ...worker.topicQueues]) {
      for (const subscription of queue.subscriptions) {
        const written = subscription.name !== "" && subscription.service !== "";
        if (written) checkSubscription(worker, queue, subscription, { workloads, problems, elsewhere });
      }
    }
  }
  for (const [i, topic] of topology.topics.entries()) {
    const twice = topology.topics.slice(0, i).some((other) => other.resourceName === topic.resourceName);
    if (twice)
      problems.push({
        rule: "duplicate-topic",
        message: `${topic.workload} publishes topic "${topic.name}" twice.`,
        hint: "Keep one of the two.",
        ...topic.at,
      });
  }
}

interface Context {
  workloads: Workload[];
  problems: Problem[];
  elsewhere: string[];
}

function checkSubscription(
  worker: Workload,
  queue: Queue,
  subscription: Subscription,
  context: Context,
): void {
  const { name, service, at } = subscription;
  const { workloads, problems, elsewhere } = context;
  const publisher = workloads.find((workload) => workload.name === service);
  if (!publisher) {
    if (elsewhere.includes(service)) return;
    const names = workloads.filter(({ publishes }) => publishes.length > 0).map((workload) => workload.name);
    const message = `${worker.name} has nothing to receive: there is no service \`${service}\` that could publish topic "${name}".`;
    const hint = `${suggest(service, names, "publishers")} If it lives in another repository: --elsewhere ${service}.`;
    problems.push({ rule: "no-publisher", message, hint, ...at });
    return;
  }
  const topic = publisher.publishes.find((published) => published.name === name);
  if (!topic) {
    const names = publisher.publishes.map((published) => published.name);
    const message = `${worker.name} has nothing to receive: ${service} does not publish topic "${name}".`;
    const near = names.length > 0 ? `${suggest(name, names, "topics")} ` : "";
    const hint = `${near}Add it under publish.topics in ${publisher.file}, or remove the subscription.`;
    problems.push({ rule: "no-publisher", message, hint, ...at });
    return;
  }
  if (topic.fifo === queue.fifo) return;
  const [kind, other] = topic.fifo ? ["FIFO", "a standard queue"] : ["standard", "a FIFO queue"];
  const message = `Topic "${name}" of ${service} is ${kind}, but ${worker.name} receives it in ${other}: Copilot says that the topic does not exist.`;
  const hint = topic.fifo
    ? "Write `fifo: true` (or a map) under subscribe.queue, or under this topic's own queue."
    : `Give this topic its own queue (\`queue: true\`), or write \`fifo: true\` beside it in ${publisher.file}.`;
  problems.push({ rule: "fifo-mismatch", message, hint, ...at });
}
