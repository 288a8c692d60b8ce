import { silence } from "./control.ts";
import { compareFindings, type Finding, findingOf, type Problem } from "./finding.ts";
import { isWithin, nameOf, parentOf } from "./paths.ts";
import type { Doc, Project } from "./project.ts";
import { type RuleName, rules } from "./rules.ts";
import { gathering } from "./rules/repetition.ts";

const names = Object.keys(rules) as RuleName[];

/**
 * Everything that is wrong with the project's documents, in a stable order.
 *
 * @param paths narrow the report to these files and directories, never the index.
 * @param onProgress hears of every document that is done.
 */
export function check(
  project: Project,
  paths: readonly string[] = [""],
  onProgress?: (done: number, of: number) => void,
): Finding[] {
  const findings: Finding[] = [];
  const again: string[] = [];
  const asked = documentable(project).filter((dir) =>
    paths.some((wanted) => isWithin(project.docPath(dir), wanted)),
  );
  const gathered = paths.includes("") ? gathering(project) : undefined;
  for (const [index, dir] of asked.entries()) {
    onProgress?.(index, asked.length);
    const before = project.unsettled();
    const found = checkDirectory(dir, project);
    if (project.unsettled() > before) again.push(dir);
    else findings.push(...found);
  }
  const twins = gathered?.() ?? new Set();
  // One question to git for all documents, not one for each link: then those that had to ask are checked again.
  project.settle();
  const once = twins.size === 0 ? findings : findings.filter(({ file }) => !twins.has(file));
  const twice = asked.filter((dir) => twins.has(project.docPath(dir)));
  for (const dir of new Set([...again, ...twice])) once.push(...checkDirectory(dir, project));
  return once.sort(compareFindings);
}

function checkDirectory(dir: string, project: Project): Finding[] {
  const doc = project.doc(dir);
  return doc ? checkDocument(doc, project) : checkMissing(dir, project);
}

/** The findings about one document that no comment silences. */
export function checkDocument(doc: Doc, project: Project): Finding[] {
  const found = run(doc.path, doc, project, (rule, options) =>
    // Of a document that cannot be read, one rule says so.
    doc.facts.unread === undefined || rule === rules.presence ? rule.document?.(doc, project, options) : [],
  );
  if (doc.facts.comments.length === 0 || project.config.disable === "error") return found;
  const after = run(doc.path, doc, project, (rule) => rule.after?.(doc, project, found));
  return silence(doc, [...found, ...after]).left;
}

/** The findings about a directory without a document; they stand at the path it should have. */
export function checkMissing(dir: string, project: Project): Finding[] {
  return run(project.docPath(dir), undefined, project, (rule, options) =>
    rule.missing?.(dir, project, options),
  );
}

/**
 * The undocumented directories that the document in `dir` answers for: it is the nearest documented ancestor.
 * A host that sees one document at a time (remark) reports them there.
 */
export function answeredBy(dir: string, project: Project): readonly string[] {
  let answers = answersOf.get(project);
  if (!answers) {
    const missing = documentable(project).filter((other) => other !== "" && !project.documented(other));
    answers = Map.groupBy(missing, (other) => {
      let ancestor = parentOf(other);
      while (ancestor !== "" && !project.documented(ancestor)) ancestor = parentOf(ancestor);
      return ancestor;
    });
    answersOf.set(project, answers);
  }
  return answers.get(dir) ?? [];
}

const answersOf = new WeakMap<Project, Map<string, string[]>>();

/** True when `path` is one of the documents that the configuration asks for. */
export function isDocument(path: string, project: Project): boolean {
  const dir = parentOf(path);
  return (
    nameOf(path) === project.config.file && project.kind(dir) === "directory" && !project.config.excluded(dir)
  );
}

/** Directories that exist, and those that must. */
function documentable(project: Project): string[] {
  return [...new Set([...project.dirs, ...project.config.required])];
}

function run(
  path: string,
  doc: Doc | undefined,
  project: Project,
  problems: (rule: (typeof rules)[RuleName], options: object) => Iterable<Problem> | undefined,
): Finding[] {
  return names.flatMap((name) => {
    const { level, options } = project.config.rule(name);
    if (level === "off") return [];
    return [...(problems(rules[name], options) ?? [])].map((problem) =>
      findingOf(path, doc, name, level, problem),
    );
  });
}
