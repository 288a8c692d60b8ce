import { parseDuration, wholeSeconds } from "./duration.ts";
import { isNull } from "./node.ts";
import { nearest } from "./problem.ts";
import type { EitherSchema, ScalarSchema, Schema } from "./schema.ts";
import type { MapNode, Node, Problem, ScalarNode } from "./types.ts";

/** Says where a tree is not what the schema knows: unknown keys, wrong types, values beyond their limits. */
export function validate(node: Node, schema: Schema, problems: Problem[], path: string[] = []): void {
  // `key:` without a value is no setting: Copilot leaves the base, or its default, as it is.
  if (schema.kind === "any" || isNull(node)) return;
  if (schema.kind === "either") {
    // Copilot takes a map without values for no map, and then finds no other form either.
    const empty =
      node.kind === "map" && schema.map && [...node.entries.values()].every(({ value }) => isNull(value));
    if (empty) return wrongType(node, formsOf(schema), path, problems);
    const form = formOf(node, schema);
    return form ? validate(node, form, problems, path) : wrongType(node, formsOf(schema), path, problems);
  }
  if (schema.kind === "list") {
    if (node.kind !== "list") return wrongType(node, "a list", path, problems);
    node.items.forEach((item, i) => validate(item, schema.of, problems, [...path, `[${i}]`]));
    return;
  }
  if (schema.kind === "map" || schema.kind === "dict") {
    if (node.kind !== "map") return wrongType(node, "a map", path, problems);
    for (const [key, { value, key: place, defines }] of node.entries) {
      const known =
        schema.kind === "map" ? (Object.hasOwn(schema.keys, key) ? schema.keys[key] : undefined) : schema.of;
      if (known) validate(value, known, problems, [...path, key]);
      else if (!defines && !key.startsWith("x-"))
        unknownKey(key, node, Object.keys((schema as { keys: object }).keys), path, place, problems);
    }
    return;
  }
  if (node.kind !== "scalar") return wrongType(node, nameOf(schema), path, problems);
  scalar(node, schema, path, problems);
}

/** The form that this value is written in; undefined when it is none of the schema's. */
function formOf(node: Node, schema: EitherSchema): Schema | undefined {
  return node.kind === "scalar" ? schema.scalar : node.kind === "list" ? schema.list : schema.map;
}

function formsOf({ scalar, list, map }: EitherSchema): string {
  const forms = [
    ...(scalar ? [nameOf(scalar)] : []),
    ...(list ? ["a list"] : []),
    ...(map ? [`a map with ${Object.keys(map.keys).join(", ")}`] : []),
  ];
  return forms.join(" or ");
}

function unknownKey(
  key: string,
  map: MapNode,
  known: string[],
  path: string[],
  place: Problem | MapNode["at"],
  problems: Problem[],
): void {
  const where = path.length > 0 ? ` under \`${pathText(path)}\`` : "";
  const near = nearest(
    key,
    known.filter((name) => !map.entries.has(name)),
  );
  const hint = near ? `Did you mean \`${near}\`?` : `Known here: ${known.toSorted().join(", ")}.`;
  const { file, line, column } = place;
  problems.push({
    rule: "unknown-key",
    message: `\`${key}\`${where} is no key that Copilot knows: it would be ignored.`,
    hint,
    file,
    line,
    column,
  });
}

function wrongType(node: Node, wanted: string, path: string[], problems: Problem[]): void {
  if (node.kind === "list" && node.json) {
    const message = `Copilot makes a list of this text, since it is a JSON list of texts, and \`${pathText(path)}\` must be ${wanted}.`;
    const hint = "Write it as a literal block (`|`), which Copilot leaves a text.";
    problems.push({ rule: "type", message, hint, ...node.at });
    return;
  }
  problems.push({
    rule: "type",
    message: `\`${pathText(path)}\` must be ${wanted}, not ${kindOf(node)}.`,
    ...node.at,
  });
}

function scalar(node: ScalarNode, schema: ScalarSchema, path: string[], problems: Problem[]): void {
  const fault = faultOf(node, schema);
  if (fault)
    problems.push({
      rule: "type",
      message: `\`${pathText(path)}\` must be ${fault}, not ${kindOf(node)}.`,
      ...node.at,
    });
  if (fault || node.unresolved) return;
  const seconds = schema.kind === "duration" && !schema.exact ? parseDuration(node.text) : undefined;
  if (seconds !== undefined && !Number.isInteger(Number(seconds.toFixed(9))))
    problems.push({
      rule: "value",
      message: `\`${pathText(path)}\` (${node.text}) becomes ${wholeSeconds(node.text)} s: Copilot cuts what is below a second.`,
      hint: "Write whole seconds.",
      ...node.at,
    });
  const refused = schema.refuse?.(node.text);
  if (refused)
    problems.push({ rule: "value", message: `\`${pathText(path)}\` (${node.text}) ${refused}.`, ...node.at });
}

function faultOf(node: ScalarNode, schema: ScalarSchema): string | undefined {
  const { value } = node;
  switch (schema.kind) {
    case "bool":
      // Quotes do not matter here: `"true"` alone is refused.
      return typeof value === "boolean" || /^(?:y|yes|n|no|on|off)$/i.test(node.text)
        ? undefined
        : nameOf(schema);
    case "int":
      return Number.isInteger(value) ? undefined : nameOf(schema);
    case "float":
      return typeof value === "number" ? undefined : nameOf(schema);
    case "duration":
      return typeof value === "string" && (node.unresolved || parseDuration(value) !== undefined)
        ? undefined
        : nameOf(schema);
    default:
      return undefined;
  }
}

function nameOf(schema: ScalarSchema): string {
  const names = {
    string: "a text",
    bool: "true or false",
    int: "a whole number, without quotes",
    float: "a number, without quotes",
    duration: "a duration like 30s, 5m or 1h30m (there are no days)",
  };
  return names[schema.kind];
}

function kindOf(node: Node): string {
  if (node.kind === "map") return node.entries.size === 0 ? "an empty map" : "a map";
  if (node.kind === "list") return "a list";
  if (node.style !== "plain" && typeof node.value === "string") return `the text "${node.value}"`;
  return node.text;
}

/** `subscribe.topics[1].name` */
function pathText(path: string[]): string {
  return path.reduce(
    (text, step) => (step.startsWith("[") || text === "" ? `${text}${step}` : `${text}.${step}`),
    "",
  );
}
