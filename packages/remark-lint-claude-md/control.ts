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
  return facts.comments.flatMap(({ text, range }): Mark[] => {
    const [name, verb, ...ids] = text.split(/\s+/);
    if (name !== "lint" || (verb !== "disable" && verb !== "enable" && verb !== "ignore")) return [];
    const next = facts.blocks.find((block) => block.range[0] >= range[1]);
    const around = facts.blocks.find((block) => block.range[0] < range[0] && block.range[1] > range[1]);
    return [{ verb, ids, range, end: (around ?? next)?.range[1] ?? range[1] }];
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
    const about = marks.filter(
      ({ ids, range, verb, end }) =>
        (ids.length === 0 || ids.includes(ruleId)) && range[0] <= at && (verb !== "ignore" || at < end),
    );
    const last = about.at(-1);
    if (!last || last.verb === "enable") return true;
    used.add(last);
    return false;
  });
  return { left, used, marks };
}
