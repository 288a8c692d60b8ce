import type { Link } from "./extract.ts";
import type { Fix, Range } from "./finding.ts";

/**
 * Where a link's address stands in the source: between `](` and `)`, or after `]:`.
 *
 * @returns undefined when the source is not written so, such as `<https://…>`.
 */
function destinationOf(link: Link, text: string): Range | undefined {
  const source = text.slice(...link.range);
  const label = source.startsWith("!") ? 1 : 0;
  if (source[label] !== "[") return undefined;
  let depth = 0;
  for (let index = label; index < source.length; index++) {
    const char = source[index];
    if (char === "\\") index++;
    else if (char === "`") {
      const marks = /^`+/.exec(source.slice(index))?.[0] ?? "`";
      const close = source.indexOf(marks, index + marks.length);
      index = close === -1 ? index + marks.length - 1 : close + marks.length - 1;
    } else if (char === "[") depth++;
    else if (char === "]" && --depth === 0) {
      const after = /^(?:\(|:)\s*/.exec(source.slice(index + 1));
      if (!after) return undefined;
      const start = index + 1 + after[0].length;
      const length = lengthOf(source.slice(start));
      return length === undefined ? undefined : [link.range[0] + start, link.range[0] + start + length];
    }
  }
  return undefined;
}

/** `<with spaces>`, or everything up to a space or the closing bracket. */
function lengthOf(source: string): number | undefined {
  if (source.startsWith("<")) return /^<(?:\\.|[^\\<>\n])*>/.exec(source)?.[0].length;
  let depth = 0;
  for (let index = 0; index <= source.length; index++) {
    const char = source[index];
    if (char === "\\") index++;
    else if (char === undefined || /\s/.test(char)) return index;
    else if (char === "(") depth++;
    else if (char === ")" && depth-- === 0) return index;
  }
  return undefined;
}

/** A path or address as a link's source writes it. */
export function addressOf(url: string): string {
  return /[\s<>]/.test(url) || !balanced(url) ? `<${url.replace(/[<>\\]/g, "\\$&")}>` : url;
}

function balanced(url: string): boolean {
  let depth = 0;
  for (const char of url) {
    if (char === "(") depth++;
    if (char === ")" && depth-- === 0) return false;
  }
  return depth === 0;
}

/** Replaces a link's address. */
export function addressFix(link: Link, text: string, grade: Fix["grade"], url: string): { fix?: Fix } {
  const range = destinationOf(link, text);
  return range ? { fix: { grade, edits: [[...range, addressOf(url)]] } } : {};
}
