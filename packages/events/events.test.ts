import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { earlier, event } from "./event.ts";
import {
  definitionOf,
  definitions,
  eventIdFor,
  newId,
  productStockChanged,
  saleCompleted,
  scheduleCameDue,
  topics,
  type Envelope,
} from "./events.ts";

// Queues hold 14 days and parked messages longer: what was once a valid event must parse for ever. Never edit a sample.
const samples = JSON.parse(readFileSync(new URL("samples.json", import.meta.url), "utf8")) as Envelope[];
const sampleOf = (type: string) => samples.filter((sample) => sample.type === type);

test("every version of every event has a sample", () => {
  const wanted = definitions.flatMap(({ type, versions }) => versions.map((one) => `${type}@${one.version}`));
  const sampled = samples.map(({ type, version }) => `${type}@${version}`);
  expect(sampled.sort()).toEqual(wanted.sort());
});

test.each(samples)("the sample of $type version $version parses without losing a field", (sample) => {
  const definition = definitionOf(sample);
  const data = definition.versions.find(({ version }) => version === sample.version)?.data;
  expect(data?.parse(sample.data)).toEqual(sample.data);
  const parsed = definition.parse(sample);
  expect(parsed).toEqual({ ...sample, version: definition.version, data: parsed.data });
});

test("an event's name is unique and each topic has events", () => {
  expect(new Set(definitions.map(({ type }) => type)).size).toBe(definitions.length);
  expect(new Set(definitions.map(({ topic }) => topic))).toEqual(new Set(topics));
});

test("one aggregate keeps one topic and one scope, so its events share one ordered line", () => {
  for (const aggregate of new Set(definitions.map((definition) => definition.aggregate))) {
    const lines = definitions.filter((definition) => definition.aggregate === aggregate);
    expect(new Set(lines.map(({ topic, scope }) => `${topic} ${scope}`)).size).toBe(1);
  }
});

describe("parse", () => {
  const [sample] = sampleOf("product.stock_changed");

  test("drops fields that this version does not know", () => {
    const newer = { ...sample, future: 1, data: { ...(sample?.data as object), future: 2 } };
    expect(productStockChanged.parse(newer)).toEqual(sample);
  });

  test("refuses another type, another version and another aggregate", () => {
    expect(() => productStockChanged.parse({ ...sample, type: "product.opened" })).toThrow("type");
    expect(() => productStockChanged.parse({ ...sample, version: 2 })).toThrow("version");
    expect(() => productStockChanged.parse({ ...sample, aggregate: { type: "item", id: "1" } })).toThrow(
      "aggregate",
    );
  });

  test("refuses a store's event without its store", () => {
    const { storeId: _, ...rest } = sample as Envelope;
    expect(() => productStockChanged.parse(rest)).toThrow("storeId");
  });

  test.each(definitions)("refuses $type with empty data", ({ type, parse }) => {
    expect(() => parse({ ...sampleOf(type)[0], data: {} })).toThrow("data");
  });
});

describe("an event that changed its meaning twice", () => {
  const weighed = event("item.weighed", {
    topic: "item",
    version: 3,
    aggregate: "item",
    scope: "company",
    data: z.object({ netG: z.int(), grossG: z.int() }),
    earlier: [
      earlier(1, z.object({ weightKg: z.number() }), ({ weightKg }) => ({ weightG: weightKg * 1000 })),
      earlier(2, z.object({ weightG: z.int() }), ({ weightG }) => ({ netG: weightG, grossG: weightG })),
    ],
  });
  const newest = weighed.create({
    companyId: newId(),
    aggregateId: newId(),
    data: { netG: 1500, grossG: 1500 },
  });

  test("is read in each of its versions, and handlers see the newest alone", () => {
    expect(weighed.parse({ ...newest, version: 1, data: { weightKg: 1.5, colour: "red" } })).toEqual(newest);
    expect(weighed.parse({ ...newest, version: 2, data: { weightG: 1500 } })).toEqual(newest);
    expect(weighed.parse(newest)).toEqual(newest);
  });

  test("is refused where an old version breaks its own schema, or becomes what the next one refuses", () => {
    expect(() => weighed.parse({ ...newest, version: 1, data: { weightG: 1500 } })).toThrow("weightKg");
    expect(() => weighed.parse({ ...newest, version: 1, data: { weightKg: 0.0001 } })).toThrow("weightG");
    expect(() => weighed.parse({ ...newest, version: 4 })).toThrow("version");
  });

  test("cannot drop a version that a queue may still hold", () => {
    const options = { topic: "item", aggregate: "item", scope: "company", data: z.object({}) } as const;
    expect(() => event("item.weighed", { ...options, version: 2 })).toThrow(
      "must list each earlier version from 1 to 1 in order; it lists none",
    );
  });
});

describe("create", () => {
  const subject = newId();

  test("links the event to what caused it", () => {
    const [cause] = sampleOf("sale.completed");
    const made = scheduleCameDue.create({
      companyId: newId(),
      aggregateId: subject,
      causation: cause,
      data: { kind: "order.deadline", subjectId: subject, dueAt: "2026-11-24T00:00:00.000Z", attempt: 0 },
    });
    expect(made.causationId).toBe(cause?.id);
    expect(made.traceparent).toBe(cause?.traceparent);
    expect(scheduleCameDue.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
  });

  test("refuses data that break the schema, so that a wrong event never leaves", () => {
    const data = (sampleOf("sale.completed")[0] as ReturnType<typeof saleCompleted.parse>).data;
    const input = { companyId: newId(), storeId: newId(), aggregateId: newId() };
    expect(() => saleCompleted.create({ ...input, data: { ...data, totalYen: 0.5 } })).toThrow("totalYen");
  });

  test("refuses a group longer than SQS takes", () => {
    const data = {
      kind: "announcement",
      subjectId: "x",
      dueAt: "2026-11-24T00:00:00.000Z",
      attempt: 0,
    } as const;
    expect(() => scheduleCameDue.create({ companyId: newId(), aggregateId: "x".repeat(129), data })).toThrow(
      "aggregate",
    );
  });
});

test("an unknown event has no definition, and the message says what to do", () => {
  expect(() => definitionOf({ type: "sale.lost", version: 1 })).toThrow("Define it in @noren/events");
});

describe("event ids", () => {
  const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

  test("the same time and key give the same id, another key another one", () => {
    fc.assert(
      fc.property(time, fc.string(), fc.string(), (at, key, other) => {
        expect(eventIdFor(at, key)).toBe(eventIdFor(new Date(at).toISOString(), key));
        expect(eventIdFor(at, key) === eventIdFor(at, other)).toBe(key === other);
      }),
    );
  });

  test("an id is a UUIDv7 of its time, so it falls into that day's inbox partition", () => {
    fc.assert(
      fc.property(time, fc.string(), (at, key) => {
        for (const id of [eventIdFor(at, key), newId(at)]) {
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(at);
        }
      }),
    );
  });

  test("a time that is none is refused", () => {
    expect(() => eventIdFor("yesterday", "key")).toThrow("needs the time of the event");
  });
});
