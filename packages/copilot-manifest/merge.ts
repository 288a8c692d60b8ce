import { isNull, mapNode } from "./node.ts";
import type { DictSchema, EitherSchema, MapSchema, Schema } from "./schema.ts";
import type { Entry, MapNode, Node, Problem } from "./types.ts";

/**
 * Puts an environment's section over the base as Copilot does: scalars and lists replace, maps merge key by key,
 * a value of another form unsets the first one. Positions follow the value. `problems` gets what Copilot loses silently.
 */
export function merge(
  base: Node | undefined,
  over: Node,
  schema: Schema,
  problems: Problem[],
): Node | undefined {
  if (isNull(over)) {
    if (base && !isNull(base)) {
      const message = "Nothing stands here: Copilot leaves the base's value as it is.";
      problems.push({
        rule: "null-override",
        message,
        hint: "Remove the key, or write a value.",
        ...over.at,
      });
    }
    return base;
  }
  if (!base || isNull(base)) {
    // An empty list replaces a list, but over nothing it stays nothing: a worker then still has no `topics`.
    if (over.kind === "list") return over.items.length === 0 ? base : over;
    return over.kind === "map" ? merge(mapNode(over.at), over, schema, problems) : over;
  }
  if (schema.kind === "either") return mergeEither(base, over, schema, problems);
  if (base.kind !== "map" || over.kind !== "map") return over;
  if (schema.kind === "map") return mergeMaps(base, over, schema, problems);
  if (schema.kind === "dict") return mergeDicts(base, over, schema, problems);
  return over;
}

function mergeEither(base: Node, over: Node, schema: EitherSchema, problems: Problem[]): Node | undefined {
  const sameForm = base.kind === over.kind;
  if (sameForm && over.kind === "map" && schema.map) return merge(base, over, schema.map, problems);
  if (sameForm || !schema.sticky) return over;
  // Copilot keeps both forms here, and reads one of them: say which settings are without effect.
  const map = over.kind === "map" ? over : base;
  const scalar = over.kind === "map" ? base : over;
  const on = scalar.kind === "scalar" && scalar.value === true;
  const kept = schema.sticky === "true-wins" && on ? scalar : map;
  const withoutEffect = kept === over ? undefined : over;
  if (withoutEffect) {
    const message =
      withoutEffect.kind === "map"
        ? "These settings have no effect: the base says `true`, and Copilot keeps that."
        : "This has no effect: the base has a map here, and Copilot keeps that.";
    problems.push({
      rule: "override-ignored",
      message,
      hint: "Write a map in the base too, or the same form in every environment.",
      ...withoutEffect.at,
    });
  }
  return kept;
}

function mergeMaps(base: MapNode, written: MapNode, schema: MapSchema, problems: Problem[]): MapNode {
  const entries = new Map(renamed(base, schema).entries);
  const over = renamed(written, schema);
  for (const [mine, others] of pairsOf(schema)) {
    if (mine.some((key) => isWritten(over, key))) for (const key of others) entries.delete(key);
  }
  for (const [key, entry] of over.entries)
    put(entries, key, entry, schema.keys[key] ?? { kind: "any" }, problems);
  return { kind: "map", at: base.at, entries };
}

function renamed(map: MapNode, schema: MapSchema): MapNode {
  const entries = new Map(map.entries);
  for (const [old, name] of Object.entries(schema.renamed ?? {})) {
    const entry = entries.get(old);
    if (!entry || entries.has(name)) continue;
    entries.delete(old);
    entries.set(name, entry);
  }
  return { ...map, entries };
}

function mergeDicts(base: MapNode, over: MapNode, schema: DictSchema, problems: Problem[]): MapNode {
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    if (schema.deep) put(entries, key, entry, schema.of, problems);
    // A variable set to nothing becomes the empty text; it does not fall back to the base.
    else if (isNull(entry.value)) {
      const message = `\`${key}\` becomes the empty text here: Copilot does not take it away.`;
      if (!isNull(entries.get(key)?.value ?? entry.value))
        problems.push({ rule: "null-override", message, hint: 'Write `""` if that is meant.', ...entry.key });
      entries.set(key, { ...entry, value: { ...entry.value, value: "", text: "" } as Node });
    } else entries.set(key, entry);
  }
  return { kind: "map", at: base.at, entries };
}

function put(
  entries: Map<string, Entry>,
  key: string,
  entry: Entry,
  schema: Schema,
  problems: Problem[],
): void {
  const before = entries.get(key);
  const value = merge(before?.value, entry.value, schema, problems);
  if (value) entries.set(key, { ...entry, value, key: value === before?.value ? before.key : entry.key });
}

function pairsOf(schema: MapSchema): [string[], string[]][] {
  if (!schema.exclusive) return [];
  const [a, b] = schema.exclusive;
  return [
    [a, b],
    [b, a],
  ];
}

function isWritten(map: MapNode, key: string): boolean {
  const value = map.entries.get(key)?.value;
  return value !== undefined && !isNull(value);
}
