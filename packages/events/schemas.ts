import { z } from "zod";
import { definitions } from "./events.ts";

/** A JSON Schema, as far as this file looks into it. */
export type JsonSchema = { [key: string]: unknown };

/** What was promised about one version of one event. */
export type Promised = {
  type: string;
  version: number;
  topic: string;
  aggregate: string;
  scope: string;
  data: JsonSchema;
};

/** Every version of every event that is still read, as JSON Schema of the data; by name and version. */
export function promises(of: typeof definitions = definitions): Promised[] {
  const byName = [...of].sort((a, b) => (a.type < b.type ? -1 : 1));
  return byName.flatMap(({ type, topic, aggregate, scope, versions }) =>
    versions.map(({ version, data }) => {
      const { $schema: _, ...schema } = z.toJSONSchema(data, { io: "input", override: plain });
      return { type, version, topic, aggregate, scope, data: schema };
    }),
  );
}

/** Drops what zod says by itself, so that another release of zod changes no promise. */
function plain({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema["format"] !== undefined) delete jsonSchema["pattern"];
  for (const bound of ["minimum", "maximum"]) {
    if (Math.abs(Number(jsonSchema[bound])) === Number.MAX_SAFE_INTEGER) delete jsonSchema[bound];
  }
}

/**
 * What of `before` the code no longer keeps, one sentence each; none when every published event is still read and every
 * reader of then reads what is published now. Within a version that allows one change only: a new optional field.
 */
export function broken(before: readonly Promised[], now: readonly Promised[]): string[] {
  return before.flatMap((was) => {
    const name = `${was.type} version ${was.version}`;
    const is = now.find(({ type, version }) => type === was.type && version === was.version);
    if (!is)
      return [`${name} is gone: queues may hold it. Keep its definition, or its schema in \`earlier\`.`];
    const moved = (["topic", "aggregate", "scope"] as const)
      .filter((key) => was[key] !== is[key])
      .map(
        (key) => `${name} changed its ${key} from ${was[key]} to ${is[key]}: its events would be reordered.`,
      );
    const changed = changes(was.data, is.data, "data").map(
      (change) => `${name}: ${change}. A new meaning is a new version.`,
    );
    return [...moved, ...changed];
  });
}

/** Words about a schema that say nothing about what it accepts. */
const annotations = new Set(["title", "description", "examples", "default"]);

function changes(was: unknown, is: unknown, path: string): string[] {
  if (!isSchema(was) || !isSchema(is)) return same(was, is) ? [] : [`${path} is another schema`];
  const keys = new Set([...Object.keys(was), ...Object.keys(is)].filter((key) => !annotations.has(key)));
  return [...keys].flatMap((key) => {
    if (key === "properties") return propertyChanges(was, is, path);
    if (key === "required") return [];
    if (key === "items" || key === "additionalProperties" || key === "propertyNames")
      return changes(was[key], is[key], key === "items" ? `${path}[]` : `${path}.*`);
    if (key === "anyOf" || key === "oneOf" || key === "allOf" || key === "prefixItems")
      return listChanges(was[key], is[key], `${path} (${key})`);
    if (same(was[key], is[key])) return [];
    return [`${path} had ${key} ${JSON.stringify(was[key])} and has ${JSON.stringify(is[key])}`];
  });
}

function propertyChanges(was: JsonSchema, is: JsonSchema, path: string): string[] {
  const [then, now] = [record(was["properties"]), record(is["properties"])];
  const [needed, needs] = [list(was["required"]), list(is["required"])];
  const kept = Object.keys(then).flatMap((name) => {
    if (!(name in now)) return [`${path}.${name} is gone`];
    if (needed.includes(name) && !needs.includes(name)) return [`${path}.${name} became optional`];
    if (!needed.includes(name) && needs.includes(name)) return [`${path}.${name} became required`];
    return changes(then[name], now[name], `${path}.${name}`);
  });
  const added = Object.keys(now)
    .filter((name) => !(name in then) && needs.includes(name))
    .map((name) => `${path}.${name} is new and required`);
  return [...kept, ...added];
}

function listChanges(was: unknown, is: unknown, path: string): string[] {
  const [then, now] = [list(was), list(is)];
  if (then.length !== now.length) return [`${path} had ${then.length} branches and has ${now.length}`];
  return then.flatMap((branch, index) => changes(branch, now[index], path));
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const record = (value: unknown): JsonSchema => (isSchema(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
