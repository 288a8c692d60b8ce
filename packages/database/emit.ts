import { definitionOf, type Envelope } from "@noren/events";
import { trace } from "@opentelemetry/api";
import { CompiledQuery } from "kysely";
import { insert } from "outbox";
import type { Tx } from "./tenant.ts";

/**
 * Writes events to the outbox in this transaction: they leave if and only if it commits.
 *
 * Lock the aggregate's row before (`for update`, or `writeStock` for a product): the order of a group rests on it.
 * An event carries the trace of the span that is active. Throws when an event is not defined, or larger than 240 KiB (error 23514).
 */
export async function emit(tx: Tx, ...envelopes: Envelope[]): Promise<void> {
  if (envelopes.length === 0) return;
  const traceparent = activeTraceparent();
  const rows = envelopes.map((given) => {
    const definition = definitionOf(given);
    const envelope = traceparent === undefined ? given : { ...given, traceparent };
    return {
      // One tenant per aggregate: the relay shares its time between tenants, and would reorder a group that had two.
      tenant: definition.scope === "store" ? storeOf(envelope) : envelope.companyId,
      topic: definition.topic,
      groupId: envelope.aggregate.id,
      eventId: envelope.id,
      seq: envelope.aggregate.seq,
      type: envelope.type,
      version: envelope.version,
      payload: JSON.stringify(envelope),
      traceparent: envelope.traceparent,
      causationId: envelope.causationId,
    };
  });
  await insert({ query: (text, values) => tx.executeQuery(CompiledQuery.raw(text, values)) }, rows);
}

function storeOf(envelope: Envelope): string {
  if (envelope.storeId === undefined)
    throw new Error(`Event ${envelope.type} needs a storeId; none was given.`);
  return envelope.storeId;
}

/** The active span as W3C writes it, so that whoever handles the event goes on with its trace. */
function activeTraceparent(): string | undefined {
  const active = trace.getActiveSpan()?.spanContext();
  return active && `00-${active.traceId}-${active.spanId}-0${active.traceFlags}`;
}
