import type { ListNode, Node, Problem, ScalarNode } from "./types.ts";
import { nearest } from "./problem.ts";

const variable = /(\\?)\$\{([_a-zA-Z][_a-zA-Z0-9]*)\}/g;

const reservedVariables = ["COPILOT_APPLICATION_NAME", "COPILOT_ENVIRONMENT_NAME"] as const;

export interface Scope {
  application: string;
  environment: string;
  /** The process's environment. */
  env: Record<string, string | undefined>;
}

/**
 * Replaces `${NAME}` in every value (never in a key) of the whole file, before an environment is chosen.
 * What has no value stays as it is, marked `unresolved`, with a problem of the rule `undefined-variable`.
 */
export function interpolate<T extends Node>(node: T, scope: Scope, problems: Problem[]): T {
  return replaced(node, scope, problems) as T;
}

function replaced(node: Node, scope: Scope, problems: Problem[]): Node {
  if (node.kind === "list")
    return { ...node, items: node.items.map((item) => replaced(item, scope, problems)) };
  if (node.kind === "map") {
    const entries = [...node.entries].map(([key, entry]) => {
      return [key, { ...entry, value: replaced(entry.value, scope, problems) }] as const;
    });
    return { ...node, entries: new Map(entries) };
  }
  // Copilot writes the file again before it reads it, and nothing in braces becomes the empty text there.
  if (node.flow) return { ...node, value: "", style: "quoted" };
  // Only texts: a number or a boolean cannot hold a variable, and a tagged value is left alone.
  if (typeof node.value !== "string" || node.tag) return node;
  const { text, complete } = replaceIn(node, scope, problems);
  const list = complete ? asList(node, text) : undefined;
  if (list) return list;
  if (text === node.value) return complete ? node : { ...node, unresolved: true };
  return { ...node, value: text, text, style: quoted(node), ...(complete ? {} : { unresolved: true }) };
}

/** The result of a replacement stays a text, whatever it looks like: `cpu: ${CPU}` is refused. */
function quoted(node: ScalarNode): ScalarNode["style"] {
  return node.style === "plain" ? "quoted" : node.style;
}

function replaceIn(node: ScalarNode, scope: Scope, problems: Problem[]): { text: string; complete: boolean } {
  let text = String(node.value);
  let complete = true;
  for (const [, escaped, name = ""] of text.matchAll(variable)) {
    if (escaped) {
      text = text.replaceAll(`\\\${${name}}`, `\${${name}}`);
      continue;
    }
    const value = valueOf(name, node, scope, problems);
    if (value === undefined) complete = false;
    else text = text.replaceAll(`\${${name}}`, value);
  }
  return { text, complete };
}

function valueOf(name: string, node: ScalarNode, scope: Scope, problems: Problem[]): string | undefined {
  const process = scope.env[name];
  const isReserved = (reservedVariables as readonly string[]).includes(name);
  const reserved =
    name === reservedVariables[0]
      ? // Without copilot/.workspace only who runs Copilot knows it.
        scope.application || undefined
      : name === reservedVariables[1]
        ? scope.environment
        : undefined;
  if (reserved !== undefined && process !== undefined && process !== reserved) {
    const message = `${name} is ${JSON.stringify(process)} in the process's environment, but Copilot gives it the value ${JSON.stringify(reserved)} and refuses the difference.`;
    problems.push({
      rule: "reserved-variable",
      message,
      hint: `Unset ${name} where Copilot is run.`,
      ...node.at,
    });
  }
  const value = reserved ?? process;
  if (value === undefined) {
    const near = isReserved ? undefined : nearest(name, reservedVariables);
    const hint = near
      ? `Did you mean \`${near}\`?`
      : `Set ${name} where Copilot is run, or write \\\${${name}} to keep it as it is.`;
    problems.push({ rule: "undefined-variable", message: `\${${name}} has no value.`, hint, ...node.at });
  }
  return value;
}

/** `command: "${CMD}"` with CMD=["a","b"] becomes a list, except in a literal block. */
function asList(node: ScalarNode, text: string): ListNode | undefined {
  if (node.style === "block" || !text.trimStart().startsWith("[")) return undefined;
  const items = stringList(text);
  if (!items || items.length === 0) return undefined;
  return {
    kind: "list",
    json: true,
    at: node.at,
    items: items.map((item) => ({ kind: "scalar", value: item, text: item, style: "quoted", at: node.at })),
  };
}

function stringList(text: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === "string") ? parsed : undefined;
  } catch {
    return undefined;
  }
}
