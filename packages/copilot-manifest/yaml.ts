import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  Scalar,
  visit,
  type Document,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { intrinsic } from "./intrinsic-tags.ts";
import type { Entry, MapNode, Node, Position, Problem } from "./types.ts";

export interface Parsed {
  root: Node | undefined;
  problems: Problem[];
}

/**
 * Reads YAML as yaml.v3, Copilot's parser, does: first document only, anchors, aliases and merge keys followed.
 * With `cloudFormation`, short tags (`!Ref x`) become their long form (`{ Ref: x }`).
 */
export function parseYaml(file: string, text: string, options: { cloudFormation?: boolean } = {}): Parsed {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    schema: "core",
    logLevel: "silent",
    prettyErrors: false,
  });
  const document = documents[0];
  if (!Array.isArray(documents) || !document) return { root: undefined, problems };

  for (const error of document.errors) {
    const duplicate = error.code === "DUPLICATE_KEY";
    const message = duplicate
      ? `A key is written twice in one map.`
      : `The file is not YAML: ${error.message}`;
    const hint = duplicate ? "Keep one of the two; Copilot refuses the file." : undefined;
    problems.push({ rule: duplicate ? "duplicate-key" : "yaml", message, hint, ...place(error.pos[0]) });
  }
  const second = documents[1];
  if (second?.contents) {
    const hint = "Move it into a file of its own.";
    problems.push({
      rule: "second-document",
      message: "Copilot reads only the first document of a file.",
      hint,
      ...place(second.range[0]),
    });
  }
  if (document.errors.some((error) => error.code !== "DUPLICATE_KEY")) return { root: undefined, problems };

  const reader = new Reader(document, place, problems, options.cloudFormation ?? false);
  return { root: document.contents ? reader.read(document.contents) : undefined, problems };
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #place: (offset: number) => Position;
  readonly #problems: Problem[];
  readonly #cloudFormation: boolean;
  readonly #aliased = new Set<string>();
  readonly #open = new Set<unknown>();
  /** How many maps and lists in braces and brackets are open. */
  #flow = 0;

  constructor(
    document: Document.Parsed,
    place: (offset: number) => Position,
    problems: Problem[],
    cloudFormation: boolean,
  ) {
    this.#document = document;
    this.#place = place;
    this.#problems = problems;
    this.#cloudFormation = cloudFormation;
    visit(document, { Alias: (_key, alias) => void this.#aliased.add(alias.source) });
  }

  read(node: ParsedNode): Node {
    const at = this.#place(node.range[0]);
    if (isAlias(node)) return this.#follow(node, at);
    const read = this.#untagged(node, at);
    const tag = node.tag;
    if (!tag?.startsWith("!") || tag.startsWith("!!")) return read;
    if (this.#cloudFormation) return intrinsic(tag.slice(1), read, at);
    return read.kind === "scalar" ? { ...read, tag } : read;
  }

  #untagged(node: ParsedNode, at: Position): Node {
    if (isMap(node) || isSeq(node)) {
      const flow = this.#flow > 0 || node.flow === true;
      if (flow) this.#flow += 1;
      const read = isMap(node) ? this.#map(node, at) : this.#list(node, at);
      if (flow) this.#flow -= 1;
      return read;
    }
    const scalar = node as Scalar.Parsed;
    const plain = scalar.type === Scalar.PLAIN && !scalar.tag;
    const style = scalar.type === Scalar.BLOCK_LITERAL ? "block" : plain ? "plain" : "quoted";
    const value = scalar.value as string | number | boolean | null;
    if (value === null && scalar.source === "") return this.#nothing(at);
    if (style === "plain" && /^[-+]?\d[\d_]*_\d+$/.test(scalar.source))
      return {
        kind: "scalar",
        value: Number(scalar.source.replaceAll("_", "")),
        text: scalar.source,
        style,
        at,
      };
    return { kind: "scalar", value, text: scalar.source ?? String(value ?? ""), style, at };
  }

  #list(list: YAMLSeq.Parsed, at: Position): Node {
    return { kind: "list", at, items: list.items.map((item) => this.#orNull(item as ParsedNode | null, at)) };
  }

  #orNull(node: ParsedNode | null, at: Position): Node {
    return node ? this.read(node) : this.#nothing(at);
  }

  /** Where a value is left out. */
  #nothing(at: Position): Node {
    const flow = this.#flow > 0 ? { flow: true as const } : {};
    return { kind: "scalar", value: null, text: "", style: "plain", ...flow, at };
  }

  #follow(node: ParsedNode, at: Position): Node {
    const target = isAlias(node) ? node.resolve(this.#document) : undefined;
    if (!target || this.#open.has(target)) {
      this.#problems.push({ rule: "yaml", message: "This alias has no anchor before it.", ...at });
      return { kind: "scalar", value: null, text: "", style: "plain", at };
    }
    this.#open.add(target);
    const read = this.read(target as ParsedNode);
    this.#open.delete(target);
    return read;
  }

  #map(map: YAMLMap.Parsed, at: Position): MapNode {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of map.items) {
      const key = pair.key;
      const place = this.#place(key.range[0]);
      if (!isScalar(key)) {
        this.#problems.push({ rule: "yaml", message: "A key must be a plain text here.", ...place });
        continue;
      }
      const value = pair.value;
      const name = key.source ?? String(key.value);
      if (name === "<<" && key.type === Scalar.PLAIN && value) this.#merge(this.read(value), merged, place);
      else if (!own.has(name)) {
        const entry: Entry = { key: place, value: this.#orNull(value, place) };
        own.set(name, value && this.#defines(value) ? { ...entry, defines: true } : entry);
      }
    }
    // Written keys win over merged ones, and keep their place; what is merged follows.
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry);
    return { kind: "map", entries: own, at };
  }

  #merge(source: Node, into: Map<string, Entry>, place: Position): void {
    const maps = source.kind === "list" ? source.items : [source];
    for (const map of maps) {
      if (map.kind !== "map")
        this.#problems.push({ rule: "yaml", message: "Only maps can be merged with `<<`.", ...place });
      else for (const [name, entry] of map.entries) if (!into.has(name)) into.set(name, entry);
    }
  }

  #defines(node: ParsedNode): boolean {
    let found = false;
    visit(node, (_key, child) => {
      const anchor = (child as { anchor?: string } | null)?.anchor;
      if (anchor && this.#aliased.has(anchor)) found = true;
      return found ? visit.BREAK : undefined;
    });
    return found;
  }
}
