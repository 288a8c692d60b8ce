import * as ecOrder from "./ec-order.ts";
import type { EventDefinition } from "./event.ts";
import * as externalEc from "./external-ec.ts";
import * as item from "./item.ts";
import * as notification from "./notification.ts";
import * as product from "./product.ts";
import * as schedule from "./schedule.ts";
import * as transaction from "./transaction.ts";

export { topics, unknownCompany } from "./event.ts";
export type { Envelope, EventDefinition, EventOf, Topic } from "./event.ts";
export { eventIdFor, newId } from "./event-id.ts";
export * from "./item.ts";
export * from "./product.ts";
export * from "./transaction.ts";
export * from "./ec-order.ts";
export * from "./external-ec.ts";
export * from "./notification.ts";
export * from "./schedule.ts";

/** Every event of the shop, grouped by topic. */
export const definitions: readonly EventDefinition[] = Object.freeze(
  [item, product, transaction, ecOrder, externalEc, notification, schedule].flatMap(
    (topic) => Object.values(topic) as EventDefinition[],
  ),
);

const byName = new Map(
  definitions.flatMap((definition) =>
    definition.versions.map(({ version }) => [`${definition.type}@${version}`, definition] as const),
  ),
);

/** The definition of an envelope's type that reads its version; throws when there is none. */
export function definitionOf(envelope: { type: string; version: number }): EventDefinition {
  const found = byName.get(`${envelope.type}@${envelope.version}`);
  if (!found) {
    throw new Error(
      `No event ${envelope.type} of version ${envelope.version} is defined. Define it in @noren/events first.`,
    );
  }
  return found;
}
