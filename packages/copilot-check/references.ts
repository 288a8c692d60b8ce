import { LinkError } from "./link-error.ts";
import { isCall } from "./intrinsics.ts";
import type { Path, Template, Values } from "./template.ts";

export interface Reference {
  /** A parameter's or resource's logical id, or a condition's name. */
  name: string;
  kind: "ref" | "condition";
  path: Path;
}

/** Every name that a value refers to, pseudo parameters left out. */
export function* referencesIn(value: unknown, path: Path): Generator<Reference> {
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* referencesIn(item, [...path, i]);
    return;
  }
  const entries = Object.entries(value as Values);
  const [only] = entries;
  if (entries.length === 1 && only && isCall(...only)) yield* called(only[0], only[1], [...path, only[0]]);
  for (const [key, item] of entries) yield* referencesIn(item, [...path, key]);
}

function* called(name: string, argument: unknown, path: Path): Generator<Reference> {
  if (name === "Ref") yield* named(String(argument), path);
  else if (name === "Condition") yield { name: String(argument), kind: "condition", path };
  else if (name === "Fn::If" && Array.isArray(argument))
    yield { name: String(argument[0]), kind: "condition", path };
  else if (name === "Fn::GetAtt" && Array.isArray(argument)) yield* named(String(argument[0]), path);
  else if (name === "Fn::Sub") {
    const [text, own] = Array.isArray(argument) ? (argument as [string, Values]) : [String(argument), {}];
    for (const [, key = ""] of text.matchAll(/\$\{([^!}][^}]*)\}/g)) {
      const id = key.trim();
      if (!Object.hasOwn(own ?? {}, id))
        yield* named(id.startsWith("AWS::") ? id : (id.split(".")[0] ?? ""), path);
    }
  }
}

function* named(name: string, path: Path): Generator<Reference> {
  if (!name.startsWith("AWS::")) yield { name, kind: "ref", path };
}

/** The names of `DependsOn`, as a list. */
export function dependsOn(template: Template, id: string): string[] {
  const written = template.Resources[id]?.DependsOn;
  return written === undefined ? [] : typeof written === "string" ? [written] : written;
}

/** Refuses names that the template does not have, before anything is made, as CloudFormation's validation does. */
export function validateReferences(template: Template): void {
  const names = new Set([...Object.keys(template.Resources), ...Object.keys(template.Parameters)]);
  const check = (value: unknown, path: Path): void => {
    for (const reference of referencesIn(value, path)) {
      if (reference.kind === "condition") requireCondition(template, reference.name, reference.path);
      else if (!names.has(reference.name)) throw dangling(reference.name, reference.path);
    }
  };
  for (const [id, definition] of Object.entries(template.Resources)) {
    const path = ["Resources", id];
    if (typeof definition?.Type !== "string") throw new LinkError(`The resource ${id} has no Type.`, path);
    check(definition.Properties, [...path, "Properties"]);
    for (const name of dependsOn(template, id))
      if (!(name in template.Resources)) throw dangling(name, [...path, "DependsOn"]);
    if (definition.Condition !== undefined)
      requireCondition(template, definition.Condition, [...path, "Condition"]);
  }
  for (const [name, output] of Object.entries(template.Outputs)) {
    check(output.Value, ["Outputs", name, "Value"]);
    check(output.Export, ["Outputs", name, "Export"]);
    if (output.Condition !== undefined)
      requireCondition(template, output.Condition, ["Outputs", name, "Condition"]);
  }
  check(template.Conditions, ["Conditions"]);
}

function requireCondition(template: Template, name: string, path: Path): void {
  if (!(name in template.Conditions)) throw new LinkError(`There is no condition ${name}.`, path);
}

function dangling(name: string, path: Path): LinkError {
  return new LinkError(`The template has no parameter or resource ${name}.`, path);
}
