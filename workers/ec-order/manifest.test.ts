import { definitions } from "@noren/events";
import { readWorkspace, resolve } from "copilot-manifest";
import { expect, test } from "vitest";
import { handlers } from "./handlers.ts";

const root = new URL("../../", import.meta.url).pathname;
const workload = resolve(readWorkspace(root), "staging").workloads.find(
  ({ name }) => name === "worker-ec-order",
);
const subscriptions = workload?.queue?.subscriptions ?? [];
const names = ({ filterPolicy }: { filterPolicy?: Record<string, unknown> }) =>
  filterPolicy?.["type"] as string[];

test("the queue takes exactly the events that have a handler", () => {
  const handled = new Set(handlers.map(({ type }) => type));
  expect(new Set(subscriptions.flatMap(names))).toEqual(handled);
});

test("each event is subscribed on its own topic", () => {
  for (const subscription of subscriptions)
    for (const type of names(subscription))
      expect([type, definitions.find((event) => event.type === type)?.topic]).toEqual([
        type,
        subscription.name,
      ]);
});
