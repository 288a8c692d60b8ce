import { randomUUID } from "node:crypto";

/** The only kind of event here. Handlers do with it what `behaviour` says, then write its effect. */
export type Thing = { id: string; type: string; version: number; group: string; n: number; extra?: string };

export function thing(group: string, n: number, more: Partial<Thing> = {}): Thing {
  return { id: newId(), type: "thing.happened", version: 1, group, n, ...more };
}

/** A UUIDv7 of now. */
function newId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
