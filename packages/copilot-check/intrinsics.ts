import { LinkError } from "./link-error.ts";
import type { Path, Template, Values } from "./template.ts";

/** `AWS::NoValue`: the property is not there at all. */
const noValue = Symbol("AWS::NoValue");

/** What names mean where the stack is deployed. Each may throw a LinkError, whose path is then filled in here. */
export interface Meanings {
  pseudo: Record<string, string | string[]>;
  parameters: Record<string, string>;
  ref(logicalId: string): unknown;
  getAtt(logicalId: string, attribute: string): unknown;
  importValue(name: string): string;
  /** The text of an object that a template includes. */
  include(location: string): Values;
  zones: string[];
}

/** Evaluates the values of one template as CloudFormation does. Conditions are evaluated once. */
export class Evaluator {
  readonly #template: Template;
  readonly #meanings: Meanings;
  readonly #conditions = new Map<string, boolean>();
  readonly #open = new Set<string>();

  constructor(template: Template, meanings: Meanings) {
    this.#template = template;
    this.#meanings = meanings;
  }

  condition(name: string, path: Path): boolean {
    const known = this.#conditions.get(name);
    if (known !== undefined) return known;
    const expression = this.#template.Conditions[name];
    if (expression === undefined) throw new LinkError(`There is no condition ${name}.`, path);
    if (this.#open.has(name))
      throw new LinkError(`The condition ${name} leads back to itself.`, ["Conditions", name]);
    this.#open.add(name);
    const value = this.value(expression, ["Conditions", name]) === true;
    this.#open.delete(name);
    this.#conditions.set(name, value);
    return value;
  }

  /** A value with every intrinsic replaced; `undefined` for `AWS::NoValue`. */
  value(value: unknown, path: Path): unknown {
    const result = this.#value(value, path);
    return result === noValue ? undefined : result;
  }

  #value(value: unknown, path: Path): unknown {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value))
      return value.map((item, i) => this.#value(item, [...path, i])).filter((item) => item !== noValue);
    const keys = Object.keys(value);
    const [only] = keys;
    if (keys.length === 1 && only !== undefined && isCall(only, (value as Values)[only]))
      return this.#located([...path, only], () => this.#call(only, (value as Values)[only], [...path, only]));
    const entries = keys.map((key) => [key, this.#value((value as Values)[key], [...path, key])] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== noValue));
  }

  #located<T>(path: Path, evaluate: () => T): T {
    try {
      return evaluate();
    } catch (error) {
      if (error instanceof LinkError && error.path.length === 0) error.path = path;
      throw error;
    }
  }

  #call(name: string, argument: unknown, path: Path): unknown {
    const list = (): unknown[] => {
      if (!Array.isArray(argument)) throw new LinkError(`${name} needs a list.`, path);
      return argument.map((item, i) => this.value(item, [...path, i]));
    };
    switch (name) {
      case "Ref":
        return this.#ref(String(argument));
      case "Condition":
        return this.condition(String(argument), path);
      case "Fn::GetAtt": {
        const [id, attribute] = list();
        return this.#meanings.getAtt(String(id), String(attribute));
      }
      case "Fn::Sub":
        return this.#sub(argument, path);
      case "Fn::If": {
        const [condition, yes, no] = argument as [string, unknown, unknown];
        return this.condition(condition, path)
          ? this.#value(yes, [...path, 1])
          : this.#value(no, [...path, 2]);
      }
      case "Fn::Equals": {
        const [a, b] = list();
        return JSON.stringify(a) === JSON.stringify(b) || String(a) === String(b);
      }
      case "Fn::And":
        return list().every(Boolean);
      case "Fn::Or":
        return list().some(Boolean);
      case "Fn::Not":
        return !list()[0];
      case "Fn::Join": {
        const [separator, parts] = list();
        if (!Array.isArray(parts)) throw new LinkError("Fn::Join needs a list of texts.", path);
        return parts.map(String).join(String(separator));
      }
      case "Fn::Split": {
        const [separator, text] = list();
        return String(text).split(String(separator));
      }
      case "Fn::Select": {
        const [index, from] = list();
        const item = Array.isArray(from) ? (from as unknown[])[Number(index)] : undefined;
        if (item === undefined) throw new LinkError(`Fn::Select finds nothing at index ${String(index)}.`);
        return item;
      }
      case "Fn::FindInMap":
        return this.#find(list());
      case "Fn::ImportValue":
        return this.#meanings.importValue(String(this.value(argument, path)));
      case "Fn::GetAZs":
        return this.#meanings.zones;
      case "Fn::Cidr": {
        const [, count] = list();
        return Array.from({ length: Number(count) }, (_, i) => `10.0.${i}.0/24`);
      }
      case "Fn::Base64":
        return Buffer.from(String(this.value(argument, path))).toString("base64");
      case "Fn::Length":
        return (this.value(argument, path) as unknown[]).length;
      case "Fn::ToJsonString":
        return JSON.stringify(this.value(argument, path));
      case "Fn::Transform": {
        const { Parameters } = argument as { Parameters: { Location: unknown } };
        return this.value(this.#meanings.include(String(this.value(Parameters.Location, path))), path);
      }
      default:
        throw new LinkError(`The linker does not know ${name}.`, path);
    }
  }

  #ref(name: string): unknown {
    if (name === "AWS::NoValue") return noValue;
    if (name.startsWith("AWS::")) {
      const value = this.#meanings.pseudo[name];
      if (value === undefined) throw new LinkError(`There is no pseudo parameter ${name}.`);
      return value;
    }
    const given = this.#meanings.parameters[name];
    if (given === undefined) return this.#meanings.ref(name);
    const type = this.#template.Parameters[name]?.Type ?? "String";
    if (!/List/.test(type)) return given;
    return given.split(",").map((item) => item.trim());
  }

  #sub(argument: unknown, path: Path): string {
    const [text, own] = Array.isArray(argument) ? (argument as [string, Values]) : [String(argument), {}];
    return text.replaceAll(/\$\{(!?)([^}]+)\}/g, (_match, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      const key = name.trim();
      const value = Object.hasOwn(own ?? {}, key)
        ? this.value(own[key], [...path, 1, key])
        : this.#named(key);
      return Array.isArray(value) ? value.join(",") : String(value);
    });
  }

  #named(name: string): unknown {
    const dot = name.indexOf(".");
    if (dot < 0 || name.startsWith("AWS::")) return this.#ref(name);
    return this.#meanings.getAtt(name.slice(0, dot), name.slice(dot + 1));
  }

  #find([map, first, second, options]: unknown[]): unknown {
    const found = this.#template.Mappings[String(map)]?.[String(first)]?.[String(second)];
    const fallback = (options as { DefaultValue?: unknown } | undefined)?.DefaultValue;
    if (found === undefined && fallback === undefined)
      throw new LinkError(`The mapping ${String(map)} has no ${String(second)} for ${String(first)}.`);
    return found ?? fallback;
  }
}

/** IAM's `Condition: {…}` is a property, `Condition: Name` a function. */
export function isCall(name: string, argument: unknown): boolean {
  if (name === "Ref" || name === "Condition") return typeof argument === "string";
  return name.startsWith("Fn::");
}
