import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
  type Document,
  type Node,
  type Pair,
} from "yaml";
import type { Position } from "copilot-manifest";

export type Path = (string | number)[];
export type Values = Record<string, unknown>;

/** One resource of a template as written, intrinsics in long form. */
export interface Definition {
  Type: string;
  Properties?: Values;
  Condition?: string;
  DependsOn?: string | string[];
}

interface ParameterDefinition {
  Type: string;
  Default?: string | number;
  AllowedValues?: (string | number)[];
}

/** A CloudFormation template as plain values, with the place of everything in its text. */
export interface Template {
  /** What messages call it: a path below the workspace root, or a stack's name. */
  file: string;
  text: string;
  Metadata: unknown;
  Parameters: Record<string, ParameterDefinition>;
  Mappings: Record<string, Record<string, Values>>;
  Conditions: Values;
  Resources: Record<string, Definition>;
  Outputs: Record<string, { Value: unknown; Condition?: string; Export?: { Name: unknown } }>;
  /** Where the value at a path stands; the nearest parent's place when it is not written. */
  at(path: Path): Position;
}

/** Reads a template. Throws an Error with file and line when it is no YAML map. */
export function parseTemplate(file: string, text: string): Template {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "core",
    logLevel: "silent",
    prettyErrors: false,
    merge: true,
    uniqueKeys: true,
  });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new Error(`${file}:${line}:${col} is no template: ${error.message}`);
  }
  const root = plain(document.contents, document) as Partial<Template> | null;
  if (root === null || typeof root !== "object")
    throw new Error(`${file}:1:1 is no template: it must hold a map.`);
  return {
    file,
    text,
    Metadata: root.Metadata,
    Parameters: root.Parameters ?? {},
    Mappings: root.Mappings ?? {},
    Conditions: root.Conditions ?? {},
    Resources: root.Resources ?? {},
    Outputs: root.Outputs ?? {},
    at: (path) => {
      const { line, col } = lines.linePos(offsetOf(document, path));
      return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
}

function longName(tag: string): string | undefined {
  if (!tag.startsWith("!") || tag.startsWith("!!")) return undefined;
  const name = tag.slice(1);
  return name === "Ref" || name === "Condition" ? name : `Fn::${name}`;
}

/** `!GetAtt A.Arn` → `{ "Fn::GetAtt": ["A", "Arn"] }`; everything else as JSON would have it. */
function plain(node: unknown, document: Document): unknown {
  if (isAlias(node)) return plain(node.resolve(document), document);
  const tag = (node as { tag?: string } | null)?.tag;
  const name = tag === undefined ? undefined : longName(tag);
  const value = untagged(node, document, name !== undefined);
  if (name === undefined) return value;
  return { [name]: name === "Fn::GetAtt" ? attribute(value) : value };
}

function untagged(node: unknown, document: Document, text: boolean): unknown {
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map((pair) => {
        const name = keyOf(pair);
        const value = plain(pair.value, document);
        return [name, name === "Fn::GetAtt" ? attribute(value) : value];
      }),
    );
  }
  if (isSeq(node)) return node.items.map((item) => plain(item, document));
  if (!isScalar(node)) return null;
  return text && node.type === Scalar.PLAIN ? (node.source ?? String(node.value)) : node.value;
}

function attribute(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const dot = value.indexOf(".");
  return dot < 0 ? [value] : [value.slice(0, dot), value.slice(dot + 1)];
}

function keyOf(pair: Pair): string {
  const key = pair.key;
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    // A short tag is one step in the values and none in the text.
    const tag = (node as { tag?: string } | null)?.tag;
    if (tag !== undefined && longName(tag) === step) continue;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item) === String(step));
      if (!pair) return offset;
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (!item) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}
