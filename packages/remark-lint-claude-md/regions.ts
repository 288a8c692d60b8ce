import type { Range } from "./finding.ts";
import type { Doc } from "./project.ts";

/** What stands between `<!--claude-md name …-->` and `<!--claude-md end-->`: written by the tool. */
export interface Region {
  name: string;
  args: string[];
  open: Range;
  close: Range;
}

/** The regions of a document, and the marks that have no partner. */
export function regionsOf(doc: Doc): { regions: Region[]; alone: { name: string; range: Range }[] } {
  if (last?.doc === doc) return last.found;
  const regions: Region[] = [];
  const alone: { name: string; range: Range }[] = [];
  let open: { name: string; args: string[]; range: Range } | undefined;
  for (const { text, range } of doc.facts.comments) {
    const words = /^claude-md\s+(.*)$/s.exec(text)?.[1]?.trim().split(/\s+/);
    const [name = "", ...args] = words ?? [];
    if (!words || name === "") continue;
    if (name === "end") {
      if (open) regions.push({ name: open.name, args: open.args, open: open.range, close: range });
      else alone.push({ name, range });
      open = undefined;
      continue;
    }
    if (open) alone.push(open);
    open = { name, args, range };
  }
  if (open) alone.push(open);
  const found = { regions, alone };
  last = { doc, found };
  return found;
}

let last: { doc: Doc; found: ReturnType<typeof regionsOf> } | undefined;

/** The line ending that a document uses. */
export function lineEnding(text: string): string {
  return /\r\n|\n|\r/.exec(text)?.[0] ?? "\n";
}

/** `text` with the line ending of a document. */
export function withEnding(text: string, ending: string): string {
  return text.replace(/\r\n|\n|\r/g, ending);
}
