import { LinkError } from "./link-error.ts";
import { Evaluator, isCall } from "./intrinsics.ts";
import { referencesIn } from "./references.ts";
import type { Path, Template, Values } from "./template.ts";

/**
 * A template as one environment sees it, for scanners that do not look into mappings and conditions: what follows from the
 * known parameters alone is worked out, references between resources stay as they are. What another stack gives (an import,
 * a parameter without default) stands there as its name: to a scanner that asks whether a key is given, it is.
 */
export function column(
  template: Template,
  given: Record<string, string>,
  region: string,
  account: string,
): Values {
  const outside = Object.entries(template.Parameters).filter(
    ([name, parameter]) => !(name in given) && parameter.Default === undefined,
  );
  const known = { ...given, ...Object.fromEntries(outside.map(([name]) => [name, name])) };
  const names = new Set(Object.keys(known));
  const isKnown = (value: unknown, path: Path): boolean =>
    !/"Fn::GetAZs"/.test(JSON.stringify(value ?? "")) &&
    [...referencesIn(value, path)].every(({ name, kind }) =>
      kind === "condition" ? isKnown(template.Conditions[name], ["Conditions", name]) : names.has(name),
    );
  const unknown = (name: string): never => {
    throw new LinkError(`${name} is not known here.`);
  };
  const evaluator = new Evaluator(template, {
    parameters: known,
    pseudo: {
      "AWS::Region": region,
      "AWS::AccountId": account,
      "AWS::Partition": "aws",
      "AWS::URLSuffix": "amazonaws.com",
    },
    zones: ["a", "c", "d"].map((zone) => region + zone),
    ref: unknown,
    getAtt: unknown,
    importValue: (name: string) => name,
    include: unknown,
  });
  const reduce = (value: unknown, path: Path): unknown => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value))
      return value.map((item, i) => reduce(item, [...path, i])).filter((item) => item !== undefined);
    const entries = Object.entries(value as Values);
    const [only] = entries;
    if (entries.length === 1 && only && isCall(...only)) {
      if (isKnown(value, path) && !isNoValue(value)) return evaluator.value(value, path);
      const [name, argument] = only;
      if (name === "Fn::Sub") return { [name]: substituted(reduce(argument, [...path, name]), known) };
      if (
        name === "Fn::If" &&
        Array.isArray(argument) &&
        isKnown(template.Conditions[String(argument[0])], [])
      ) {
        const branch = evaluator.condition(String(argument[0]), path) ? 1 : 2;
        return isNoValue(argument[branch]) ? undefined : reduce(argument[branch], [...path, name, branch]);
      }
    }
    return Object.fromEntries(
      entries
        .map(([key, item]) => [key, reduce(item, [...path, key])] as const)
        .filter(([, item]) => item !== undefined),
    );
  };
  const conditions = Object.keys(template.Conditions).filter(
    (name) => !isKnown(template.Conditions[name], []),
  );
  const resources = Object.entries(template.Resources).flatMap(([id, definition]) => {
    const { Condition, ...rest } = definition;
    const path = ["Resources", id];
    if (Condition === undefined || conditions.includes(Condition))
      return [[id, reduce(definition, path)] as const];
    return evaluator.condition(Condition, path) ? [[id, reduce(rest, path)] as const] : [];
  });
  const parameters = Object.entries(template.Parameters).filter(([name]) => !names.has(name));
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    ...(parameters.length > 0 ? { Parameters: Object.fromEntries(parameters) } : {}),
    ...(conditions.length > 0 ? { Conditions: template.Conditions } : {}),
    Resources: Object.fromEntries(resources.map(([id, definition]) => [id, withCode(definition as Values)])),
  };
}

/** `${Known}` written out; other names stay. */
function substituted(argument: unknown, known: Record<string, string>): unknown {
  const fill = (text: string, own: Values): string =>
    text.replaceAll(/\$\{(\w+)\}/g, (written, name: string) =>
      name in own ? written : (known[name] ?? written),
    );
  if (typeof argument === "string") return fill(argument, {});
  if (!Array.isArray(argument)) return argument;
  const [text, own] = argument as [string, Values];
  return [fill(text, own), own];
}

function isNoValue(value: unknown): boolean {
  return (value as Values | null)?.Ref === "AWS::NoValue";
}

/** A folder as the code of a function, which the CLI replaces by an uploaded object: scanners know only that form. */
function withCode(definition: Values): Values {
  const properties = definition.Properties as Values | undefined;
  if (definition.Type !== "AWS::Lambda::Function" || typeof properties?.Code !== "string") return definition;
  return { ...definition, Properties: { ...properties, Code: { S3Bucket: "code", S3Key: properties.Code } } };
}
