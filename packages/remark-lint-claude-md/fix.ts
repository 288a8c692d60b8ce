import { checkDocument } from "./check.ts";
import { parse } from "./extract.ts";
import type { Finding, Fix } from "./finding.ts";
import { isWithin } from "./paths.ts";
import { type Doc, docOf, type Project } from "./project.ts";

/** A document before and after, both without byte order mark. */
export interface Fixed {
  path: string;
  before: string;
  after: string;
}

/** More rounds than this mean that two fixes undo each other. */
const most = 10;

/**
 * Applies what can be fixed until nothing changes. Only the ranges of the edits change, every other byte stays.
 *
 * @param open the project, with these texts in place of the files'.
 * @param options.paths narrow it to these files and directories.
 * @param options.suggest applies guesses, too.
 * @param options.onProgress hears of every directory that is looked at.
 */
export async function fixAll(
  open: (texts: ReadonlyMap<string, string>) => Promise<Project>,
  options: {
    paths: (project: Project) => readonly string[];
    suggest: boolean;
    onProgress?: (done: number, of: number) => void;
  },
): Promise<Fixed[]> {
  const grades: Fix["grade"][] = options.suggest ? ["S", "G"] : ["S"];
  const fixed = new Map<string, Fixed>();
  const texts = new Map<string, string>();
  for (let round = 0; round < most; round++) {
    const project = await open(texts);
    const paths = options.paths(project);
    const changes = new Map<string, string>();
    for (const [index, dir] of project.dirs.entries()) {
      options.onProgress?.(index, project.dirs.length);
      if (!paths.some((wanted) => isWithin(project.docPath(dir), wanted))) continue;
      const doc = project.doc(dir);
      if (!doc) continue;
      const after = improve(doc, project, grades);
      if (after === doc.text) continue;
      changes.set(doc.path, after);
      fixed.set(doc.path, { path: doc.path, before: fixed.get(doc.path)?.before ?? doc.text, after });
    }
    if (changes.size === 0) break;
    for (const [path, text] of changes) texts.set(path, text);
  }
  return [...fixed.values()].filter(({ before, after }) => before !== after);
}

/** The text with the fixes that help: one whose finding is still there afterwards is none. */
function improve(doc: Doc, project: Project, grades: readonly Fix["grade"][]): string {
  let candidates = checkDocument(doc, project).filter(({ fix }) => fix && grades.includes(fix.grade));
  const before = countsOf(checkDocument(doc, project));
  while (candidates.length > 0) {
    const after = applyFixes(doc.text, candidates, grades);
    const left = countsOf(checkDocument(docOf(doc.dir, doc.path, after, parse), project));
    const useless = takenOf(candidates, grades).filter(
      (finding) => (left.get(subjectOf(finding)) ?? 0) >= (before.get(subjectOf(finding)) ?? 0),
    );
    if (useless.length === 0) return after;
    candidates = candidates.filter((finding) => !useless.includes(finding));
  }
  return doc.text;
}

function subjectOf({ ruleId, kind, message }: Finding): string {
  return [ruleId, kind, message].join("\0");
}

function countsOf(findings: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) counts.set(subjectOf(finding), (counts.get(subjectOf(finding)) ?? 0) + 1);
  return counts;
}

/** `text` with the fixes of `findings` that do not overlap; the others have another round. */
export function applyFixes(
  text: string,
  findings: readonly Finding[],
  grades: readonly Fix["grade"][],
): string {
  return applyEdits(
    text,
    takenOf(findings, grades).flatMap(({ fix }) => fix?.edits ?? []),
  );
}

/** `text` with edits that do not overlap. */
export function applyEdits(text: string, edits: Fix["edits"]): string {
  let result = text;
  for (const [start, end, replacement] of edits.toSorted((a, b) => b[0] - a[0]))
    result = result.slice(0, start) + replacement + result.slice(end);
  return result;
}

/** The findings whose fixes go together, first come, first served. */
function takenOf(findings: readonly Finding[], grades: readonly Fix["grade"][]): Finding[] {
  const edits: Fix["edits"] = [];
  return findings.filter(({ fix }) => {
    if (!fix || !grades.includes(fix.grade)) return false;
    if (fix.edits.some((edit) => edits.some((other) => overlap(edit, other)))) return false;
    edits.push(...fix.edits);
    return true;
  });
}

/** Also two insertions at one place: their order would decide. */
function overlap([start, end]: Fix["edits"][number], [from, to]: Fix["edits"][number]): boolean {
  return start === from || (start < to && from < end);
}
