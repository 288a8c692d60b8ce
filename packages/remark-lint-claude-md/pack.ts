import type { DocFacts } from "./extract.ts";
import type { Range } from "./finding.ts";

/** Facts as one line of JSON without names: flat lists, which are read several times faster than objects. */
export function pack(facts: DocFacts): string {
  const headings: Cell[] = [];
  for (const { depth, text, raw, range, top } of facts.headings)
    headings.push(depth, text, raw === text ? 0 : raw, range[0], range[1], Number(top));
  const links: Cell[] = [];
  for (const { url, text, range } of facts.links) links.push(url, text, range[0], range[1]);
  const fences: Cell[] = [];
  for (const { lang, value, range, line } of facts.fences) fences.push(lang, value, range[0], range[1], line);
  const labels: Cell[] = [];
  for (const { text, value, empty, range } of facts.labels)
    labels.push(text, value[0], value[1], Number(empty), range[0], range[1]);
  const texts: Cell[] = [];
  for (const { hash, length, leaf, mark, range } of facts.texts)
    texts.push(hash, length, Number(leaf), mark, range[0], range[1]);
  const comments: Cell[] = [];
  for (const { text, range } of facts.comments) comments.push(text, range[0], range[1]);
  const blocks: Cell[] = [];
  for (const { type, reason, range } of facts.blocks) blocks.push(type, reason ?? 0, range[0], range[1]);
  const { blank, anchors, codes } = facts;
  return JSON.stringify([
    Number(blank),
    headings,
    anchors,
    links,
    fences,
    labels,
    texts,
    comments,
    codes.flat(),
    blocks,
  ]);
}

type Cell = string | number;

/** The facts that `pack` wrote; undefined when `record` is something else. */
export function unpack(record: string): DocFacts | undefined {
  let lists: [number, ...Cell[][]];
  try {
    lists = JSON.parse(record) as typeof lists;
  } catch {
    return undefined;
  }
  if (!Array.isArray(lists) || lists.length !== 10) return undefined;
  const [blank, headings, anchors, links, fences, labels, texts, comments, codes, blocks] = lists;
  return {
    blank: blank === 1,
    headings: each(headings, 6, (at) => ({
      depth: number(headings, at),
      text: string(headings, at + 1),
      raw: headings?.[at + 2] === 0 ? string(headings, at + 1) : string(headings, at + 2),
      range: range(headings, at + 3),
      top: headings?.[at + 5] === 1,
    })),
    anchors: anchors as string[],
    links: each(links, 4, (at) => ({
      url: string(links, at),
      text: string(links, at + 1),
      range: range(links, at + 2),
    })),
    fences: each(fences, 5, (at) => ({
      lang: string(fences, at),
      value: string(fences, at + 1),
      range: range(fences, at + 2),
      line: number(fences, at + 4),
    })),
    labels: each(labels, 6, (at) => ({
      text: string(labels, at),
      value: range(labels, at + 1),
      empty: labels?.[at + 3] === 1,
      range: range(labels, at + 4),
    })),
    texts: each(texts, 6, (at) => ({
      hash: number(texts, at),
      length: number(texts, at + 1),
      leaf: texts?.[at + 2] === 1,
      mark: string(texts, at + 3),
      range: range(texts, at + 4),
    })),
    comments: each(comments, 3, (at) => ({ text: string(comments, at), range: range(comments, at + 1) })),
    codes: each(codes, 2, (at) => range(codes, at)),
    blocks: each(blocks, 4, (at) => {
      const reason = blocks?.[at + 1];
      return {
        type: string(blocks, at),
        ...(typeof reason === "string" ? { reason } : {}),
        range: range(blocks, at + 2),
      };
    }),
  };
}

function each<T>(cells: Cell[] | undefined, width: number, item: (at: number) => T): T[] {
  const items: T[] = [];
  for (let at = 0; at < (cells?.length ?? 0); at += width) items.push(item(at));
  return items;
}

function number(cells: Cell[] | undefined, at: number): number {
  return cells?.[at] as number;
}

function string(cells: Cell[] | undefined, at: number): string {
  return cells?.[at] as string;
}

function range(cells: Cell[] | undefined, at: number): Range {
  return [number(cells, at), number(cells, at + 1)];
}
