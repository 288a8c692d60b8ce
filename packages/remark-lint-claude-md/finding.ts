import type { Doc } from "./project.ts";

/** UTF-16 offsets into a document's text without its byte order mark; `end` is exclusive. */
export type Range = readonly [start: number, end: number];

export type Severity = "error" | "warning";

/** One of several places that a single finding is about, such as the phantom entries below one directory. */
export interface Detail {
  line: number;
  path: string;
  kind: string;
}

/** Edits of the document's text that mend a problem: S is safe to apply, G is a guess that people confirm. */
export interface Fix {
  grade: "S" | "G";
  edits: [start: number, end: number, text: string][];
}

/** What a rule reports; `check` adds the file, the rule and the severity. */
export interface Problem {
  kind: string;
  /** `Unexpected X, expected Y`, in English, paths and headings in backticks. */
  message: string;
  /** The narrowest range that is wrong; the start of the document when absent. */
  at?: Range | undefined;
  /** Lowers an error to a warning; never raises. */
  severity?: "warning";
  actual?: string;
  /** What could stand there instead, best first. */
  expected?: string[];
  details?: Detail[];
  /** Where the truth stands, such as `copilot/worker-item/manifest.yml:14`. */
  related?: string;
  fix?: Fix | undefined;
  /** What to do next. */
  note?: string;
}

/** One finding, as the JSON report holds it. Lines and columns count from 1. */
export interface Finding extends Omit<Problem, "at" | "severity"> {
  /** Path relative to the repository; of a missing document, the path it should have. */
  file: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  ruleId: string;
  severity: Severity;
  /** Where the rule is explained. */
  url: string;
}

/** The 1-based line and column of `offset`. */
export function pointAt(lineStarts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}

/**
 * Places a rule's problem in `file`; without a document (it is missing) at its first character.
 */
export function findingOf(
  file: string,
  doc: Doc | undefined,
  ruleName: string,
  severity: Severity,
  problem: Problem,
): Finding {
  const { at, severity: lowered, message, ...rest } = problem;
  const lineStarts = doc?.lineStarts ?? [0];
  const [start, end] = at ?? [0, 0];
  const from = pointAt(lineStarts, start);
  const to = pointAt(lineStarts, end);
  return {
    file,
    line: from.line,
    column: from.column,
    endLine: to.line,
    endColumn: to.column,
    ruleId: `claude-md-${ruleName}`,
    severity: lowered ?? severity,
    message: message.length > longest ? `${message.slice(0, longest).toWellFormed()}…` : message,
    ...rest,
    url: urlOf(ruleName),
  };
}

/** A line of a megabyte is not repeated in a report; `actual` and `expected` are whole. */
const longest = 1000;

/** Where the rule `name` is explained: in the package's README. */
export function urlOf(name: string): string {
  return `https://www.npmjs.com/package/remark-lint-claude-md#claude-md-${name}`;
}

/** The order of every report: by file, place, rule, then message; equal on every machine. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareStrings(a.file, b.file) ||
    a.line - b.line ||
    a.column - b.column ||
    compareStrings(a.ruleId, b.ruleId) ||
    compareStrings(a.message, b.message)
  );
}

/** Compares by code unit, so that no locale changes the order. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
