import { definitions } from "@noren/events";
import { readWorkspace, resolve } from "copilot-manifest";
import type { Handler } from "worker";

const root = new URL("../../", import.meta.url).pathname;

/** What the manifest lets into a worker's queue: `topic/type`, sorted. */
export function subscribed(workload: string): string[] {
  const found = resolve(readWorkspace(root), "staging").workloads.find(({ name }) => name === workload);
  if (!found) throw new Error(`There is no copilot/${workload}/manifest.yml.`);
  return (found.queue?.subscriptions ?? [])
    .flatMap(
      ({ name, filterPolicy }) =>
        (filterPolicy?.["type"] as string[] | undefined)?.map((type) => `${name}/${type}`) ?? [`${name}/*`],
    )
    .sort();
}

/** What a list of handlers answers for, in the same form: the topic is the one that the event is published on. */
export function handled(handlers: Pick<Handler<never>, "type">[]): string[] {
  return handlers
    .map(({ type }) => `${definitions.find((event) => event.type === type)?.topic ?? "?"}/${type}`)
    .sort();
}
