import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { earlier, event } from "./event.ts";
import { committed, generated } from "./generate.ts";
import { broken, promises } from "./schemas.ts";

test("the events keep every promise that is committed", () => {
  expect(broken(committed(), promises())).toEqual([]);
});

test.each(Object.entries(generated()))("%s says what the code says; `generate` writes it", (name, text) => {
  expect(readFileSync(new URL(name, import.meta.url), "utf8")).toBe(text);
});

const line = z.object({ qty: z.int(), colour: z.enum(["red", "blue"]) });
const data = z.object({ id: z.uuid(), lines: z.array(line), note: z.string().optional() });
const options = { topic: "item", version: 1, aggregate: "item", scope: "company" } as const;
const was = promises([event("item.weighed", { ...options, data })]);
const after = (changed: z.ZodType, rest = {}) =>
  broken(was, promises([event("item.weighed", { ...options, ...rest, data: changed })]));

test("a new optional field, also inside a list, keeps the promise", () => {
  const wider = line.extend({ size: z.string().optional() });
  expect(after(data.extend({ lines: z.array(wider), at: z.iso.datetime().optional() }))).toEqual([]);
});

test.each([
  ["a new required field", data.extend({ at: z.string() }), "data.at is new and required"],
  ["a field that is gone", data.omit({ note: true }), "data.note is gone"],
  ["an optional field that is required", data.extend({ note: z.string() }), "data.note became required"],
  ["a required field that is optional", data.extend({ id: z.uuid().optional() }), "data.id became optional"],
  ["another type", data.extend({ note: z.int().optional() }), 'data.note had type "string"'],
  ["another limit", data.extend({ note: z.string().max(3).optional() }), "data.note had maxLength undefined"],
  [
    "a choice more, which readers of then refuse",
    data.extend({ lines: z.array(line.extend({ colour: z.enum(["red", "blue", "green"]) })) }),
    'data.lines[].colour had enum ["red","blue"]',
  ],
])("%s breaks it", (_, changed, message) => {
  expect(after(changed)).toEqual([expect.stringContaining(`item.weighed version 1: ${message}`)]);
});

test("another topic, aggregate or scope breaks it, since the group would be another", () => {
  expect(after(data, { topic: "product", aggregate: "shelf", scope: "store" })).toEqual([
    expect.stringContaining("changed its topic from item to product"),
    expect.stringContaining("changed its aggregate from item to shelf"),
    expect.stringContaining("changed its scope from company to store"),
  ]);
});

test("a new version keeps it only with the old one beside", () => {
  const newest = { ...options, version: 2, data: z.object({ kilos: z.number() }) };
  const upcast = earlier(1, data, ({ lines }) => ({ kilos: lines.length }));
  expect(broken(was, promises([event("item.weighed", { ...newest, earlier: [upcast] })]))).toEqual([]);
  expect(broken(was, promises([]))).toEqual([expect.stringContaining("item.weighed version 1 is gone")]);
});
