import { type Database, inCompany, type Tx } from "@noren/database";
import { type Envelope, definitions } from "@noren/events";
import { logger } from "@noren/service";
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

/** Hands an event over as the worker does, in a transaction of its company: the first attempt, by the worker's own role. */
export function handOver(handler: Handler<Tx>, database: Database, event: Envelope): Promise<void> {
  const context = { log: logger("test"), signal: new AbortController().signal, attempt: 1 };
  return inCompany(database, event.companyId, (tx) => handler.prepare(event)({ ...context, tx }));
}
