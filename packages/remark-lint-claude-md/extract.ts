import { Script } from "node:vm";
import type { Nodes, Paragraph, PhrasingContent, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import type { Range } from "./finding.ts";
import { canonical } from "./names.ts";

export interface Heading {
  depth: number;
  text: string;
  /** The source between the markers, where `__tests__` is not yet bold. */
  raw: string;
  range: Range;
  /** Stands on its own, not in a quotation or a list. */
  top: boolean;
}

export interface Link {
  url: string;
  /** Of a link whose text could be a path; of others empty. */
  text: string;
  range: Range;
}

export interface Fence {
  /** The word after the opening marks. */
  lang: string;
  value: string;
  range: Range;
  /** Line of the document on which the content begins, from 0. */
  line: number;
}

/** `**label**: value` at the start of a line, or a sub-heading with what follows it. */
export interface Label {
  text: string;
  /** The value on its line, without outer space; empty for a sub-heading. */
  value: Range;
  empty: boolean;
  range: Range;
}

/** A paragraph or list item that holds one run of text. */
export interface Text {
  /** Of the plain text in canonical form, without a final colon: see `textHash`. */
  hash: number;
  /** Characters of the plain text. */
  length: number;
  /** Has nothing below it, such as a nested list. */
  leaf: boolean;
  /** Outside code: a word that says something is still to be written. */
  mark: string;
  range: Range;
}

export interface Block {
  type: string;
  /** Of a paragraph that begins with `該当なし`: the reason after it, or nothing. */
  reason?: string;
  range: Range;
}

export interface Comment {
  /** Between the marks, without outer space. */
  text: string;
  range: Range;
}

/** What a document says, as plain data: nothing of the syntax tree survives. */
export interface DocFacts {
  /** Why nothing is known of the document; every list is empty then. */
  unread?: string;
  /** Nothing but white space. */
  blank: boolean;
  headings: Heading[];
  /** `id` and `name` of raw HTML. */
  anchors: string[];
  links: Link[];
  fences: Fence[];
  labels: Label[];
  texts: Text[];
  comments: Comment[];
  /** Inline code of more than one word, or of one with a dot inside: what may be a command or a qualified name. */
  codes: Range[];
  /** The top level, in order. */
  blocks: Block[];
}

/** The document without its byte order mark, from which offsets count. */
export function withoutMark(source: string): string {
  return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
}

/** Nobody reads a document of more characters; what generated it should not be called one. */
const mostCharacters = 1_000_000;

/** Below this size a parser that is quadratic in places is still quick. */
const harmless = 16_000;

/** No document that people wrote takes as long. */
const mostSeconds = 10;

/**
 * Parses CommonMark and extracts its facts; the tree is dropped. Whatever the source, it ends and never throws.
 *
 * @param seconds after which it gives up.
 */
export function parse(source: string, seconds = mostSeconds): DocFacts {
  const text = withoutMark(source);
  if (text.length > mostCharacters) return unread(tooLong(text));
  try {
    return text.length <= harmless ? extract(fromMarkdown(text), text) : parseInTime(text, seconds);
  } catch (error) {
    if (error instanceof RangeError) return unread("it nests too deeply");
    if ((error as { code?: string }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return unread(`to parse it takes more than ${seconds} seconds`);
  }
}

/** Facts of a document that nobody can read. */
export function unread(reason: string): DocFacts {
  return { ...empty(), unread: reason };
}

function tooLong(text: string): string {
  return `it has ${text.length.toLocaleString("en")} characters, more than ${mostCharacters.toLocaleString("en")}`;
}

let parseHere: (() => DocFacts) | undefined;

/** Nested quotations or emphasis keep the parser busy for hours: only the engine itself can stop it. */
function parseInTime(text: string, seconds: number): DocFacts {
  const globals = globalThis as { [parserName]?: () => DocFacts };
  parseHere = () => extract(fromMarkdown(text), text);
  globals[parserName] = () => parseHere?.() ?? unread("it was not parsed");
  try {
    return runParser.runInThisContext({ timeout: seconds * 1000 }) as DocFacts;
  } finally {
    parseHere = undefined;
  }
}

const parserName = "claudeMdParser";
const runParser = new Script(`globalThis.${parserName}()`);

/**
 * Extracts the facts from a tree that someone else parsed, with or without GFM.
 *
 * @param text the source of `tree`, without byte order mark.
 */
export function extract(tree: Root, text: string): DocFacts {
  if (text.length > mostCharacters) return unread(tooLong(text));
  const facts: DocFacts = {
    ...empty(),
    blank: text.trim() === "",
    blocks: tree.children.map((node) => {
      const range = rangeOf(node);
      const may = node.type === "paragraph" && text.slice(range[0], range[0] + 12).includes("該当なし");
      const reason = may ? reasonOf(toString(node)) : undefined;
      return reason === undefined ? { type: node.type, range } : { type: node.type, reason, range };
    }),
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
  return facts;
}

function empty(): DocFacts {
  return {
    blank: false,
    headings: [],
    anchors: [],
    links: [],
    fences: [],
    labels: [],
    texts: [],
    comments: [],
    codes: [],
    blocks: [],
  };
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
        text: toString(node, { includeHtml: false, includeImageAlt: false }),
        raw: raw,
        range,
        top: depth === 1,
      };
      facts.headings.push(heading);
      if (node.depth > 2 && parent && "children" in parent) {
        const following = parent.children[parent.children.indexOf(node as never) + 1];
        const empty = following === undefined || following.type === "heading";
        facts.labels.push({ text: heading.text, value: [range[1], range[1]], empty, range });
      }
      break;
    }
    case "link":
    case "image":
      facts.links.push({
        url: node.url,
        text: pathIn(toString(node)),
        range,
      });
      break;
    case "definition":
      // Without GFM `[^1]: text` is a definition; it is a footnote to everyone else.
      if (!node.identifier.startsWith("^")) facts.links.push({ url: node.url, text: "", range });
      break;
    case "code": {
      const fenced = text[range[0]] === "`" || text[range[0]] === "~";
      const line = (node.position?.start.line ?? 1) - (fenced ? 0 : 1);
      facts.fences.push({ lang: node.lang ?? "", value: node.value, range, line });
      break;
    }
    case "html":
      for (const match of node.value.matchAll(/\s(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi))
        facts.anchors.push(match[1] ?? match[2] ?? match[3] ?? "");
      for (const match of node.value.matchAll(/<!--([\s\S]*?)-->/g)) {
        const start = range[0] + match.index;
        facts.comments.push({ text: (match[1] ?? "").trim(), range: [start, start + match[0].length] });
      }
      break;
    case "inlineCode":
      if (/\S\s+\S|\w\.\w/.test(node.value)) facts.codes.push(range);
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

/** A word that promises a text, or something of a template that stayed. */
const marks = /\bTODO\b|要記入|\{\{\s*(?:path|tree|fact|block|template)\b[^}]*\}\}/u;

function textOf(paragraph: Paragraph, leaf: boolean, range: Range): Text {
  const text = toString(paragraph);
  const prose = paragraph.children.some((child) => child.type === "inlineCode")
    ? paragraph.children.map((child) => (child.type === "inlineCode" ? " " : toString(child))).join("")
    : text;
  return { hash: textHash(text), length: text.length, leaf, mark: marks.exec(prose)?.[0] ?? "", range };
}

const composable = /[\p{M}\u1100-\u11FF]/u;

/** A number that equal texts share, whatever their Unicode form, outer space and final colon (53 bits). */
export function textHash(text: string): number {
  // To normalise every text would cost more than to hash it.
  const plain = (composable.test(text) ? canonical(text) : text.trim()).replace(/\s*[:：]$/, "");
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < plain.length; index++) {
    const code = plain.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** The words that say a section or a field does not apply; a reason must follow. */
const notApplicable = /^該当なし(?:\s*(?:—|――|–|-)\s*(.*))?$/su;

/** The reason after `該当なし — `, empty when there is none, undefined when `text` does not begin so. */
export function reasonOf(text: string): string | undefined {
  const match = notApplicable.exec(text.trim());
  return match ? (match[1] ?? "").trim() : undefined;
}

/** A text that looks like a path, or nothing. */
function pathIn(text: string): string {
  const path = text.trim().normalize("NFC");
  return /^[^\s/]+(?:\/[^\s/]+)+\/?$/u.test(path) ? path : "";
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
    const last = order === starts.length - 1;
    const empty = isEmptyValue(rest) && !(last && hasContentAfter(paragraph, parent));
    const [from, after] = rangeOf(strong);
    const ends = rest.at(-1);
    const to = trimmedEnd(text, from, ends ? rangeOf(ends)[1] : after);
    const colon = /^\s*[:：]?[^\S\r\n]*/.exec(text.slice(after, to))?.[0].length ?? 0;
    facts.labels.push({
      text: toString(strong).replace(/[:：]\s*$/, ""),
      value: [Math.min(after + colon, to), to],
      empty,
      range: [from, to],
    });
  });
}

function isEmptyValue(nodes: PhrasingContent[]): boolean {
  return /^\s*[:：]?\s*$/.test(nodes.map((node) => (node.type === "html" ? "" : toString(node))).join(""));
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

/** The offset of each line in `text`. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}
