import { v7 } from "uuid";
import { z } from "zod";

/** The seven topics of the shop. In SNS each is FIFO: the topic's name plus `.fifo`. */
export const topics = [
  "item",
  "product",
  "transaction",
  "ec-order",
  "external-ec",
  "notification",
  "schedule",
] as const;
export type Topic = (typeof topics)[number];

/** Company of an event whose sender cannot know it (the mail function). Row-level security shows it no row at all. */
export const unknownCompany = "00000000-0000-0000-0000-000000000000";

/** What travels in the outbox, in SNS and in SQS. The FIFO group is `aggregate.id`; the inbox key is `id`. */
export type Envelope<Type extends string = string, Data = unknown> = {
  /** UUIDv7; the deduplication id and the inbox key. */
  id: string;
  type: Type;
  version: number;
  companyId: string;
  storeId?: string;
  /** `seq` is the aggregate's version after this event, where a row keeps one. */
  aggregate: { type: string; id: string; seq?: number };
  /** UTC instant, ISO 8601. */
  occurredAt: string;
  /** Id of the event whose handling made this one. */
  causationId?: string;
  traceparent?: string;
  data: Data;
};

const envelope = z.object({
  id: z.uuid(),
  companyId: z.uuid(),
  storeId: z.uuid().optional(),
  occurredAt: z.iso.datetime(),
  causationId: z.uuid().optional(),
  traceparent: z.string().optional(),
});

type Input<Data> = {
  companyId: string;
  aggregateId: string;
  seq?: number;
  data: Data;
  /** The event being handled: its id becomes `causationId`, its trace goes on. */
  causation?: Envelope;
  traceparent?: string;
  occurredAt?: Date | string;
  /** Only for who must be able to repeat an event under the same id; otherwise a new UUIDv7 is made. */
  id?: string;
};

export type EventDefinition<
  Type extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Scope extends "store" | "company" = "store" | "company",
> = {
  type: Type;
  topic: Topic;
  version: number;
  /** Kind of the aggregate whose id is the FIFO group. */
  aggregate: string;
  /** Whose share of the relay the event counts against. One per aggregate, or the relay's fairness would reorder a group. */
  scope: Scope;
  /** Checks an envelope from outside. Unknown fields are dropped; throws a ZodError that names each wrong field. */
  parse: (envelope: unknown) => Envelope<Type, z.output<Schema>>;
  /** Makes an envelope; throws a ZodError when the data do not fit the schema, so a wrong event never leaves. */
  create(
    input: Input<z.input<Schema>> & (Scope extends "store" ? { storeId: string } : { storeId?: string }),
  ): Envelope<Type, z.output<Schema>>;
};

/** The envelope type that a definition makes and parses. */
export type EventOf<D> = D extends { parse: (envelope: unknown) => infer E } ? E : never;

/**
 * Defines one event: a past-tense fact. Within a version fields are only added, and optional;
 * a new meaning is a new version.
 */
export function event<const Type extends string, Schema extends z.ZodType, Scope extends "store" | "company">(
  type: Type,
  options: { topic: Topic; version: number; aggregate: string; scope: Scope; data: Schema },
): EventDefinition<Type, Schema, Scope> {
  const schema = envelope.extend({
    type: z.literal(type),
    version: z.literal(options.version),
    aggregate: z.object({
      type: z.literal(options.aggregate),
      id: z.string().min(1).max(128),
      seq: z.int().optional(),
    }),
    data: options.data,
    ...(options.scope === "store" ? { storeId: z.uuid() } : {}),
  });
  const parse = (value: unknown) => schema.parse(value) as unknown as Envelope<Type, z.output<Schema>>;
  const { topic, version, aggregate, scope } = options;
  return {
    type,
    topic,
    version,
    aggregate,
    scope,
    parse,
    create(input) {
      const occurredAt = input.occurredAt === undefined ? new Date() : new Date(input.occurredAt);
      const traceparent = input.traceparent ?? input.causation?.traceparent;
      return parse({
        id: input.id ?? v7(),
        type,
        version,
        companyId: input.companyId,
        ...(input.storeId === undefined ? {} : { storeId: input.storeId }),
        aggregate: {
          type: aggregate,
          id: input.aggregateId,
          ...(input.seq === undefined ? {} : { seq: input.seq }),
        },
        occurredAt: occurredAt.toISOString(),
        ...(input.causation ? { causationId: input.causation.id } : {}),
        ...(traceparent === undefined ? {} : { traceparent }),
        data: input.data,
      });
    },
  };
}
