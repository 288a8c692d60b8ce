import type { Finding, Range } from "./finding.ts";
import type { Doc } from "./project.ts";

/** `<!--lint disable …-->` as remark-lint reads it: from there on, or (`ignore`) for the next block. */
interface Mark {
  verb: "disable" | "enable" | "ignore";
  /** Without ids it is about every rule. */
  ids: string[];
  range: Range;
  /** Where an `ignore` ends. */
  end: number;
}

/** The comments that control messages, in order. */
export function marksIn({ facts }: Doc): Mark[] {
  // Comments and blocks stand in order: a block that ends before one comment is of no interest to the next.
  let at = 0;
  return facts.comments.flatMap(({ text, range }): Mark[] => {
    const [name, verb, ...ids] = text.split(/\s+/);
    if (name !== "lint" || (verb !== "disable" && verb !== "enable" && verb !== "ignore")) return [];
    while ((facts.blocks[at]?.range[1] ?? Infinity) <= range[1]) at++;
    // The block around the comment, or the next one.
    return [{ verb, ids, range, end: facts.blocks[at]?.range[1] ?? range[1] }];
  });
}

/**
 * Takes out the findings that a comment silences.
 *
 * @returns what is left, and the comments that silence one.
 */
export function silence(
  doc: Doc,
  findings: readonly Finding[],
): { left: Finding[]; used: ReadonlySet<Mark>; marks: Mark[] } {
  const marks = marksIn(doc);
  const used = new Set<Mark>();
  if (marks.length === 0) return { left: [...findings], used, marks };
  const left = findings.filter(({ ruleId, line, column }) => {
    const at = (doc.lineStarts[line - 1] ?? 0) + column - 1;
    // The last comment before it that is about its rule.
    let index = before(marks, at);
    let last = marks[index];
    while (last && !isAbout(last, ruleId, at)) last = marks[--index];
    if (!last || last.verb === "enable") return true;
    used.add(last);
    return false;
  });
  return { left, used, marks };
}

function isAbout({ ids, verb, end }: Mark, ruleId: string, at: number): boolean {
  return (ids.length === 0 || ids.includes(ruleId)) && (verb !== "ignore" || at < end);
}

/** The index of the last comment that begins at `at` or before; -1 when there is none. */
function before(marks: readonly Mark[], at: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.range[0] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
