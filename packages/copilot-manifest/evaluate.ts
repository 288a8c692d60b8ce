import { outputVariable } from "./names.ts";
import { at, entriesOf, itemsOf, textOf } from "./node.ts";
import type {
  AddonResource,
  AddonStack,
  EvaluatedOutput,
  EvaluatedResource,
  EvaluatedStack,
  MapNode,
  Meanings,
  Node,
  Unresolved,
} from "./types.ts";

/** `AWS::NoValue`: the property is not there at all. */
const noValue = Symbol("AWS::NoValue");

const pseudos: Record<string, string> = {
  "AWS::Region": "ap-northeast-1",
  "AWS::AccountId": "000000000000",
  "AWS::Partition": "aws",
  "AWS::URLSuffix": "amazonaws.com",
};

/**
 * Evaluates one stack for its environment: conditions, intrinsics, resources in the order of their references, outputs.
 * `meanings` says what a resource is where the stack is run. Nothing throws: what has no value is listed in `unresolved`.
 */
export function evaluate(stack: AddonStack, meanings: Meanings): EvaluatedStack {
  return new Evaluation(stack, meanings).run();
}

class Evaluation {
  readonly #stack: AddonStack;
  readonly #meanings: Meanings;
  readonly #resources = new Map<string, EvaluatedResource | undefined>();
  readonly #open = new Set<string>();
  readonly #unresolved: Unresolved[] = [];

  constructor(stack: AddonStack, meanings: Meanings) {
    this.#stack = stack;
    this.#meanings = meanings;
  }

  run(): EvaluatedStack {
    for (const id of this.#stack.resources.keys()) this.#resource(id);
    const outputs = new Map<string, EvaluatedOutput>();
    for (const [name, output] of this.#stack.outputs) {
      if (output.condition && !this.#condition(output.condition)) continue;
      const exportName = output.exportName ? this.#value(output.exportName) : undefined;
      const value = output.value ? this.#value(output.value) : undefined;
      outputs.set(name, { value, at: output.at, ...(typeof exportName === "string" ? { exportName } : {}) });
    }
    // In the order of the template, not of the references.
    const resources = [...this.#stack.resources.keys()].flatMap((id) => {
      const resource = this.#resources.get(id);
      return resource ? [[id, resource] as const] : [];
    });
    return {
      workload: this.#stack.workload,
      resources: new Map(resources),
      outputs,
      injected: injectedBy(this.#stack, outputs),
      unresolved: this.#unresolved,
    };
  }

  #resource(id: string): EvaluatedResource | undefined {
    if (this.#resources.has(id)) return this.#resources.get(id);
    const resource = this.#stack.resources.get(id);
    if (!resource) return undefined;
    if (resource.condition && !this.#condition(resource.condition)) {
      this.#resources.set(id, undefined);
      return undefined;
    }
    // A resource that refers back to itself, through others, is seen without its properties.
    const evaluated: EvaluatedResource = {
      logicalId: id,
      type: resource.type,
      properties: {},
      at: resource.at,
    };
    if (this.#open.has(id)) return evaluated;
    this.#open.add(id);
    evaluated.properties = (resource.properties ? this.#value(resource.properties) : {}) as Record<
      string,
      unknown
    >;
    this.#open.delete(id);
    this.#resources.set(id, evaluated);
    return evaluated;
  }

  #condition(name: string): boolean {
    const node = at(this.#stack.conditions, name);
    if (!node || this.#open.has(`condition ${name}`)) return false;
    this.#open.add(`condition ${name}`);
    const value = this.#value(node);
    this.#open.delete(`condition ${name}`);
    return isTruthy(value);
  }

  /** The value of a node; undefined when it has none, with the reason in `unresolved`. */
  #value(node: Node, parent = false): unknown {
    if (node.kind === "scalar") return node.value;
    if (node.kind === "list") {
      return node.items
        .map((item) => this.#value(item, parent))
        .filter((value) => value !== noValue && value !== undefined);
    }
    const call = callOf(node);
    if (call) return this.#call(call.name, call.argument, node, parent);
    const entries = entriesOf(node).map(([key, { value }]) => [key, this.#value(value, parent)] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== noValue && value !== undefined));
  }

  #call(name: string, argument: Node, node: Node, parent: boolean): unknown {
    const value = (i: number) => {
      const item = itemsOf(argument)[i];
      return item ? this.#value(item, parent) : undefined;
    };
    switch (name) {
      case "Ref":
        return this.#ref(textOf(argument) ?? "", node, parent);
      case "Condition":
        return this.#condition(textOf(argument) ?? "");
      case "Fn::GetAtt":
        return this.#getAttCall(argument, node, parent);
      case "Fn::Sub":
        return this.#sub(argument, node, parent);
      case "Fn::Join":
        return joined(value(0), value(1));
      case "Fn::Split":
        return typeof value(1) === "string" ? String(value(1)).split(String(value(0))) : undefined;
      case "Fn::Select":
        return selected(value(0), value(1));
      case "Fn::If":
        return this.#condition(textOf(itemsOf(argument)[0]) ?? "") ? value(1) : value(2);
      case "Fn::FindInMap":
        return this.#find([value(0), value(1), value(2)], itemsOf(argument)[3], node);
      case "Fn::ImportValue":
        return this.#import(this.#value(argument, parent), node);
      case "Fn::Equals":
        return String(value(0)) === String(value(1));
      case "Fn::And":
        return itemsOf(argument).every((_item, i) => isTruthy(value(i)));
      case "Fn::Or":
        return itemsOf(argument).some((_item, i) => isTruthy(value(i)));
      case "Fn::Not":
        return !isTruthy(value(0));
      case "Fn::Base64":
        return base64(this.#value(argument, parent));
      case "Fn::GetAZs":
        return this.#zones(this.#value(argument, parent));
      case "Fn::Length":
        return length(this.#value(argument, parent));
      case "Fn::ToJsonString":
        return JSON.stringify(this.#value(argument, parent));
      default:
        return this.#missing(name, "function", node);
    }
  }

  #zones(region: unknown): string[] {
    const name = typeof region === "string" && region !== "" ? region : this.#pseudo("AWS::Region");
    return ["a", "b", "c"].map((zone) => `${name}${zone}`);
  }

  #pseudo(name: string): string | undefined {
    return this.#meanings.pseudo?.(name) ?? pseudos[name] ?? this.#stackName(name);
  }

  #stackName(name: string): string | undefined {
    const { application, environment, workload } = this.#stack;
    const stack = [application, environment, ...(workload ? [workload] : []), "AddonsStack"].join("-");
    return name === "AWS::StackName" ? stack : undefined;
  }

  #ref(name: string, node: Node, parent: boolean): unknown {
    if (name === "AWS::NoValue") return noValue;
    if (name.startsWith("AWS::"))
      return this.#pseudo(name) ?? this.#missing(`!Ref ${name}`, "reference", node);
    if (parent) return this.#parentRef(name, node);
    if (this.#stack.parameters.has(name)) return this.#parameter(name, node);
    const resource = this.#resource(name);
    const value = resource ? this.#meanings.ref(name, resource) : undefined;
    return value ?? this.#missing(`!Ref ${name}`, "reference", node);
  }

  /** Names of the parent's stack: its three parameters are the same for every workload. */
  #parentRef(name: string, node: Node): unknown {
    const { application, environment, workload } = this.#stack;
    const known: Record<string, string | undefined> = {
      AppName: application,
      EnvName: environment,
      EnvironmentName: environment,
      WorkloadName: workload,
    };
    return (
      known[name] ?? this.#meanings.ref(name, undefined) ?? this.#missing(`!Ref ${name}`, "reference", node)
    );
  }

  #parameter(name: string, node: Node): unknown {
    const { application, environment, workload, parameters } = this.#stack;
    const given: Record<string, string | undefined> = { App: application, Env: environment, Name: workload };
    if (given[name] !== undefined) return given[name];
    const parameter = parameters.get(name);
    if (parameter?.value) return this.#value(parameter.value, true);
    if (parameter?.default) return this.#value(parameter.default);
    return this.#meanings.parameter?.(name) ?? this.#missing(`!Ref ${name}`, "parameter", node);
  }

  #getAttCall(argument: Node, node: Node, parent: boolean): unknown {
    const text = textOf(argument);
    const [id = "", ...rest] =
      text === undefined
        ? itemsOf(argument).map((item) => String(this.#value(item, parent)))
        : text.split(".");
    return this.#getAtt(id, rest.join("."), node, parent);
  }

  #getAtt(id: string, attribute: string, node: Node, parent: boolean): unknown {
    const resource = parent ? undefined : this.#resource(id);
    const value = resource || parent ? this.#meanings.getAtt(id, attribute, resource) : undefined;
    return value ?? this.#missing(`!GetAtt ${id}.${attribute}`, "attribute", node);
  }

  #sub(argument: Node, node: Node, parent: boolean): unknown {
    const [template, own] = argument.kind === "list" ? argument.items : [argument];
    let complete = true;
    const text = (textOf(template) ?? "").replaceAll(
      /\$\{(!?)([^}]+)\}/g,
      (_match, literal: string, name: string) => {
        if (literal) return `\${${name}}`;
        const value = this.#named(name.trim(), own, node, parent);
        if (value === undefined) complete = false;
        return String(value);
      },
    );
    return complete ? text : undefined;
  }

  #named(name: string, own: Node | undefined, node: Node, parent: boolean): unknown {
    const local = at(own, name);
    if (local) return this.#value(local, parent);
    if (!name.includes(".")) return this.#ref(name, node, parent);
    const [id = "", ...attribute] = name.split(".");
    return this.#getAtt(id, attribute.join("."), node, parent);
  }

  #find([name, first, second]: unknown[], options: Node | undefined, node: Node): unknown {
    const found = at(this.#stack.mappings, String(name), String(first), String(second));
    if (found) return this.#value(found);
    const fallback = at(options, "DefaultValue");
    if (fallback) return this.#value(fallback);
    return this.#missing(`!FindInMap [${[name, first, second].map(String).join(", ")}]`, "mapping", node);
  }

  #import(name: unknown, node: Node): unknown {
    const value = typeof name === "string" ? this.#meanings.importValue?.(name) : undefined;
    return value ?? this.#missing(`!ImportValue ${String(name)}`, "import", node);
  }

  #missing(expression: string, reason: Unresolved["reason"], node: Node): undefined {
    this.#unresolved.push({ expression, reason, at: node.at });
    return undefined;
  }
}

const functions = /^(?:Ref|Condition|Fn::\w+)$/;

/** The one intrinsic that a map is, if it is one. IAM's `Condition: {…}` is a property, `Condition: Name` a function. */
export function callOf(node: MapNode): { name: string; argument: Node } | undefined {
  const [only] = node.entries.size === 1 ? entriesOf(node) : [];
  if (!only || !functions.test(only[0])) return undefined;
  const [name, { value: argument }] = only;
  return name === "Condition" && argument.kind !== "scalar" ? undefined : { name, argument };
}

function isTruthy(value: unknown): boolean {
  return value === true || value === "true";
}

function joined(separator: unknown, values: unknown): string | undefined {
  return Array.isArray(values) ? values.map(String).join(String(separator)) : undefined;
}

function selected(index: unknown, values: unknown): unknown {
  return Array.isArray(values) ? (values as unknown[])[Number(index)] : undefined;
}

function base64(value: unknown): string | undefined {
  return typeof value === "string" ? Buffer.from(value).toString("base64") : undefined;
}

function length(value: unknown): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

function injectedBy(stack: AddonStack, outputs: Map<string, EvaluatedOutput>): EvaluatedStack["injected"] {
  const injected: EvaluatedStack["injected"] = {
    variables: {},
    secrets: {},
    policies: [],
    securityGroups: [],
  };
  // The environment's outputs reach nobody by themselves: they need an export and `from_cfn`.
  if (stack.workload === undefined) return injected;
  for (const [name, { value }] of outputs) {
    if (value === undefined) continue;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const type = referredType(stack, name);
    if (type === "AWS::SecretsManager::Secret") injected.secrets[outputVariable(name)] = text;
    else if (type === "AWS::IAM::ManagedPolicy") injected.policies.push(text);
    else if (type === "AWS::EC2::SecurityGroup") injected.securityGroups.push(text);
    else injected.variables[outputVariable(name)] = text;
  }
  return injected;
}

/** The type of the resource that an output `!Ref`s; only then is it a secret, a policy or a group to Copilot. */
export function referredType(stack: AddonStack, output: string): AddonResource["type"] | undefined {
  const value = stack.outputs.get(output)?.value;
  const ref = value?.kind === "map" ? textOf(at(value, "Ref")) : undefined;
  return ref === undefined ? undefined : stack.resources.get(ref.trim())?.type;
}
