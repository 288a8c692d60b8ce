import type { Entry, MapNode, Node, Position } from "./types.ts";

/** The entries of a map; nothing for any other node. */
export function entriesOf(node: Node | undefined): [string, Entry][] {
  return node?.kind === "map" ? [...node.entries] : [];
}

/** The items of a list; nothing for any other node. */
export function itemsOf(node: Node | undefined): Node[] {
  return node?.kind === "list" ? node.items : [];
}

/** The node at a path, or undefined. */
export function at(node: Node | undefined, ...path: (string | number)[]): Node | undefined {
  let current = node;
  for (const step of path) {
    if (current?.kind === "map") current = current.entries.get(String(step))?.value;
    else if (current?.kind === "list") current = current.items[Number(step)];
    else return undefined;
  }
  return current;
}

/** Where the value at this path stands: its key in a map, its place in a list; the nearest parent's when it is not written. */
export function positionOf(node: Node, path: (string | number)[]): Position {
  let current: Node = node;
  let place = node.at;
  for (const step of path) {
    const entry: Entry | undefined = current.kind === "map" ? current.entries.get(String(step)) : undefined;
    const next: Node | undefined = current.kind === "list" ? current.items[Number(step)] : entry?.value;
    if (!next) return place;
    place = entry?.key ?? next.at;
    current = next;
  }
  return place;
}

/** True for `key:` and `key: null`. */
export function isNull(node: Node | undefined): boolean {
  return node?.kind === "scalar" && node.value === null;
}

/** The text of a scalar as Copilot reads it into a string field; undefined for null, maps and lists. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? node.text : undefined;
}

/** The texts of a list of scalars, or of one scalar; undefined when it is neither. */
export function textsOf(node: Node | undefined): string[] | undefined {
  if (node?.kind === "list") return node.items.map((item) => textOf(item) ?? "");
  const text = textOf(node);
  return text === undefined ? undefined : [text];
}

/** Plain JavaScript values, for what no type describes. */
export function toValue(node: Node | undefined): unknown {
  if (!node) return undefined;
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toValue);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toValue(value)]));
}

export function mapNode(at: Position, entries: Iterable<[string, Entry]> = []): MapNode {
  return { kind: "map", entries: new Map(entries), at };
}

/** Every node of a tree, parents first. */
export function* walk(node: Node | undefined): Generator<Node> {
  if (!node) return;
  yield node;
  if (node.kind === "list") for (const item of node.items) yield* walk(item);
  if (node.kind === "map") for (const { value } of node.entries.values()) yield* walk(value);
}
