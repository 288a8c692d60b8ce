import { readSettings, readWorkspace, resolve } from "copilot-manifest";
import type { Queue, Resolved, Workload } from "copilot-manifest";
import { misuse } from "./refusal.ts";

/** What the manifests say about one environment: every name that a command takes or prints comes from here. */
export type Manifests = {
  environment: string;
  /** People live from it: what cannot be undone needs a second name. */
  production: boolean;
  workers: Workload[];
  stackOf(workload: string): string;
};

/** Throws a Refusal that lists the environments there are. */
export function readManifests(root: string, environment: string): Manifests {
  const workspace = readWorkspace(root);
  if (!workspace.environments.includes(environment)) {
    throw misuse(
      `there is no environment "${environment}" below copilot/environments.`,
      `Use one of ${workspace.environments.join(", ")}, or "local" for the workspace that runs here.`,
    );
  }
  const resolved: Resolved = resolve(workspace, environment);
  return {
    environment,
    production: readSettings(workspace).settings.production?.includes(environment) ?? false,
    workers: resolved.workloads.filter(({ type }) => type === "Worker Service"),
    stackOf: (workload) => `${resolved.application}-${environment}-${workload}`,
  };
}

/** The worker of that name. Throws a Refusal that lists the workers there are. */
export function workerOf({ workers, environment }: Manifests, name: string): Workload {
  const found = workers.find((worker) => worker.name === name);
  if (found) return found;
  throw misuse(
    `"${name}" is no worker of ${environment}.`,
    `Workers are ${workers.map((worker) => worker.name).join(", ")}.`,
  );
}

/** The queue of a worker that messages come from; a worker whose topics have queues of their own has several. */
export function queuesOf({ queue, topicQueues }: Workload): Queue[] {
  const main = queue && (queue.subscriptions.length > 0 || topicQueues.length === 0) ? [queue] : [];
  return [...main, ...topicQueues];
}

/** The one queue that a command is about. `topic` chooses among several. */
export function queueOf(worker: Workload, topic: string | undefined): Queue {
  const queues = queuesOf(worker);
  const chosen =
    topic === undefined
      ? queues
      : queues.filter((queue) => queue.subscriptions.some(({ name }) => name === topic));
  if (chosen.length === 1 && chosen[0]) return chosen[0];
  const topics = queues.map((queue) => queue.subscriptions.map(({ name }) => name).join("+"));
  throw misuse(
    `${worker.name} has ${queues.length} queues${topic === undefined ? "" : ` and ${chosen.length} for topic ${topic}`}.`,
    `Name one by its topic: --topic <${topics.join(" | ")}>.`,
  );
}
