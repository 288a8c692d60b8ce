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

/** A version that is published no more, and is still read: queues hold 14 days, parked messages longer. */
export type Earlier = {
  version: number;
  data: z.ZodType;
  /** What was said then, in the words of the next version. Pure; its result is proved by the next version's schema. */
  upcast: (data: unknown) => unknown;
};

/** Types the upcaster of one earlier version by its schema. */
export function earlier<Schema extends z.ZodType>(
  version: number,
  data: Schema,
  upcast: (data: z.output<Schema>) => unknown,
): Earlier {
  return { version, data, upcast: upcast as Earlier["upcast"] };
}

export type EventDefinition<
  Type extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Scope extends "store" | "company" = "store" | "company",
> = {
  type: Type;
  topic: Topic;
  /** The newest one: what is created, and what `parse` returns. */
  version: number;
  /** The data of every version that is still read, oldest first; the last is the newest. */
  versions: readonly { version: number; data: z.ZodType }[];
  /** Kind of the aggregate whose id is the FIFO group. */
  aggregate: string;
  /** Whose share of the relay the event counts against. One per aggregate, or the relay's fairness would reorder a group. */
  scope: Scope;
  /**
   * Checks an envelope from outside, of any version that is still read, and returns it as the newest. Unknown fields
   * are dropped; throws a ZodError that names each wrong field.
   */
  parse: (envelope: unknown) => Envelope<Type, z.output<Schema>>;
  /** Makes an envelope; throws a ZodError when the data do not fit the schema, so a wrong event never leaves. */
  create(
    input: Input<z.input<Schema>> & (Scope extends "store" ? { storeId: string } : { storeId?: string }),
  ): Envelope<Type, z.output<Schema>>;
};

/** The envelope type that a definition makes and parses. */
export type EventOf<D> = D extends { parse: (envelope: unknown) => infer E } ? E : never;

/**
 * Defines one event: a past-tense fact. Within a version fields are only added, and optional; a new meaning is a new
 * version, and the one before moves to `earlier` with its upcaster. Consumers are deployed before publishers.
 * Throws when `earlier` is not each version before this one, oldest first.
 */
export function event<const Type extends string, Schema extends z.ZodType, Scope extends "store" | "company">(
  type: Type,
  options: {
    topic: Topic;
    version: number;
    aggregate: string;
    scope: Scope;
    data: Schema;
    earlier?: readonly Earlier[];
  },
): EventDefinition<Type, Schema, Scope> {
  const { topic, version, aggregate, scope, earlier: past = [] } = options;
  if (version !== past.length + 1 || past.some((one, index) => one.version !== index + 1)) {
    throw new Error(
      `${type} version ${version} must list each earlier version from 1 to ${version - 1} in order; ` +
        `it lists ${past.map((one) => one.version).join(", ") || "none"}. Queues may still hold the missing ones.`,
    );
  }
  const versions = [
    ...past.map((one) => ({ version: one.version, data: one.data })),
    { version, data: options.data as z.ZodType },
  ];
  const schemas = versions.map((one) =>
    envelope.extend({
      type: z.literal(type),
      version: z.literal(one.version),
      aggregate: z.object({
        type: z.literal(aggregate),
        id: z.string().min(1).max(128),
        seq: z.int().optional(),
      }),
      data: one.data,
      ...(scope === "store" ? { storeId: z.uuid() } : {}),
    }),
  );
  const parse = (value: unknown) => {
    const said = (value as { version?: unknown } | null)?.version;
    const index = versions.findIndex((one) => one.version === said);
    // A version that nobody knows is refused by the newest schema, which names it.
    const first = index === -1 ? versions.length - 1 : index;
    let parsed = schemas[first]!.parse(value);
    for (let at = first; at < past.length; at += 1) {
      parsed = schemas[at + 1]!.parse({ ...parsed, version: at + 2, data: past[at]!.upcast(parsed.data) });
    }
    return parsed as unknown as Envelope<Type, z.output<Schema>>;
  };
  return {
    type,
    topic,
    version,
    versions,
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
