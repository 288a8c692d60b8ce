import type { Nodes, Paragraph, PhrasingContent, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import type { Range } from "./finding.ts";
import { slugsOf } from "./slug.ts";

export interface Heading {
  depth: number;
  text: string;
  /** The source between the markers, where `__tests__` is not yet bold. */
  raw: string;
  slug: string;
  range: Range;
  /** Stands on its own, not in a quotation or a list. */
  top: boolean;
}

export interface Link {
  url: string;
  text: string;
  range: Range;
}

export interface Fence {
  value: string;
  range: Range;
  /** Line of the document on which the content begins, from 0. */
  line: number;
}

/** `**label**: value` at the start of a line, or a sub-heading with what follows it. */
export interface Label {
  text: string;
  value: string;
  empty: boolean;
  range: Range;
}

/** A paragraph or list item that holds one run of text. */
interface Text {
  text: string;
  /** Has nothing below it, such as a nested list. */
  leaf: boolean;
  /** Text outside code, for marks like TODO. */
  prose: string;
  range: Range;
}

export interface Block {
  type: string;
  /** Of a paragraph; of other blocks empty. */
  text: string;
  range: Range;
}

/** What a document says, as plain data: nothing of the syntax tree survives. */
export interface DocFacts {
  lineStarts: number[];
  /** Nothing but white space. */
  blank: boolean;
  headings: Heading[];
  /** `id` and `name` of raw HTML. */
  anchors: string[];
  links: Link[];
  fences: Fence[];
  labels: Label[];
  texts: Text[];
  /** The top level, in order. */
  blocks: Block[];
}

/** A copy of a string: a slice of a JavaScript string keeps the whole source alive. */
function copy(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}

/** The document without its byte order mark, from which offsets count. */
export function withoutMark(source: string): string {
  return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
}

/** Parses CommonMark and extracts its facts; the tree is dropped. */
export function parse(source: string): DocFacts {
  const text = withoutMark(source);
  return extract(fromMarkdown(text), text);
}

/**
 * Extracts the facts from a tree that someone else parsed, with or without GFM.
 *
 * @param text the source of `tree`, without byte order mark.
 */
export function extract(tree: Root, text: string): DocFacts {
  const facts: DocFacts = {
    lineStarts: lineStartsOf(text),
    blank: text.trim() === "",
    headings: [],
    anchors: [],
    links: [],
    fences: [],
    labels: [],
    texts: [],
    blocks: tree.children.map((node) => ({
      type: node.type,
      text: node.type === "paragraph" ? copy(toString(node)) : "",
      range: rangeOf(node),
    })),
  };
  // An explicit stack: a hostile document may nest deeper than the call stack.
  const stack: { node: Nodes; depth: number; parent?: Nodes | undefined }[] = [{ node: tree, depth: 0 }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, depth, parent } = next;
    collect(node, parent, depth, text, facts);
    if (!("children" in node)) continue;
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child) stack.push({ node: child, depth: depth + 1, parent: node });
    }
  }
  slugsOf(facts.headings.map((heading) => heading.text)).forEach((slug, index) => {
    const heading = facts.headings[index];
    if (heading) heading.slug = slug;
  });
  return facts;
}

function collect(node: Nodes, parent: Nodes | undefined, depth: number, text: string, facts: DocFacts): void {
  const range = rangeOf(node);
  switch (node.type) {
    case "heading": {
      const first = node.children[0];
      const last = node.children.at(-1);
      const raw = first && last ? text.slice(rangeOf(first)[0], rangeOf(last)[1]) : "";
      const heading = {
        depth: node.depth,
        text: copy(toString(node, { includeHtml: false, includeImageAlt: false })),
        raw: copy(raw),
        slug: "",
        range,
        top: depth === 1,
      };
      facts.headings.push(heading);
      if (node.depth > 2 && parent && "children" in parent) {
        const following = parent.children[parent.children.indexOf(node as never) + 1];
        const empty = following === undefined || following.type === "heading";
        facts.labels.push({ text: heading.text, value: "", empty, range });
      }
      break;
    }
    case "link":
    case "image":
      facts.links.push({
        url: copy(node.url),
        text: copy(toString(node)),
        range,
      });
      break;
    case "definition":
      // Without GFM `[^1]: text` is a definition; it is a footnote to everyone else.
      if (!node.identifier.startsWith("^")) facts.links.push({ url: copy(node.url), text: "", range });
      break;
    case "code": {
      const fenced = text[range[0]] === "`" || text[range[0]] === "~";
      const line = (node.position?.start.line ?? 1) - (fenced ? 0 : 1);
      facts.fences.push({ value: copy(node.value), range, line });
      break;
    }
    case "html":
      for (const match of node.value.matchAll(/\s(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi))
        facts.anchors.push(copy(match[1] ?? match[2] ?? match[3] ?? ""));
      break;
    case "listItem": {
      const first = node.children[0];
      if (first?.type === "paragraph")
        facts.texts.push(textOf(first, node.children.length === 1, rangeOf(node)));
      break;
    }
    case "paragraph":
      if (parent?.type !== "listItem" || parent.children[0] !== node)
        facts.texts.push(textOf(node, true, range));
      collectLabels(node, parent, text, facts);
      break;
    default:
  }
}

function textOf(paragraph: Paragraph, leaf: boolean, range: Range): Text {
  const prose = paragraph.children
    .map((child) => (child.type === "inlineCode" ? " " : toString(child)))
    .join("");
  return { text: copy(toString(paragraph)), leaf, prose: copy(prose), range };
}

/** A bold run that begins a line is a label; its value reaches to the next one. */
function collectLabels(paragraph: Paragraph, parent: Nodes | undefined, text: string, facts: DocFacts): void {
  const starts: number[] = [];
  paragraph.children.forEach((child, index) => {
    if (child.type !== "strong") return;
    const before = paragraph.children[index - 1];
    if (!before || before.type === "break" || (before.type === "text" && /\n\s*$/.test(before.value)))
      starts.push(index);
  });
  starts.forEach((start, order) => {
    const strong = paragraph.children[start];
    if (!strong) return;
    const end = starts[order + 1] ?? paragraph.children.length;
    const rest = paragraph.children.slice(start + 1, end);
    const value = valueOf(rest);
    const last = order === starts.length - 1;
    const filledBelow = last && hasContentAfter(paragraph, parent);
    const ends = rest.at(-1);
    const from = rangeOf(strong)[0];
    facts.labels.push({
      text: copy(toString(strong).replace(/[:：]\s*$/, "")),
      value: copy(value),
      empty: value === "" && !filledBelow,
      range: [from, trimmedEnd(text, from, ends ? rangeOf(ends)[1] : rangeOf(strong)[1])],
    });
  });
}

function valueOf(nodes: PhrasingContent[]): string {
  return nodes
    .map((node) => (node.type === "html" ? "" : toString(node)))
    .join("")
    .replace(/^\s*[:：]?\s*/, "")
    .trim();
}

/** `- **label**:` may hold a nested list, `**label**:` may be followed by one. */
function hasContentAfter(paragraph: Paragraph, parent: Nodes | undefined): boolean {
  if (!parent || !("children" in parent)) return false;
  if (parent.type === "listItem") return parent.children.length > 1;
  const following = parent.children[parent.children.indexOf(paragraph as never) + 1];
  if (!following || following.type === "heading" || following.type === "thematicBreak") return false;
  if (following.type === "paragraph") return following.children[0]?.type !== "strong";
  return following.type !== "html";
}

function trimmedEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && /\s/.test(text[at - 1] ?? "")) at--;
  return at;
}

function rangeOf(node: Nodes): Range {
  return [node.position?.start.offset ?? 0, node.position?.end.offset ?? 0];
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}
