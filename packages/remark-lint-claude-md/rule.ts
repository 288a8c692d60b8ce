import type { Finding, Problem } from "./finding.ts";
import type { Doc, Project } from "./project.ts";

/**
 * A rule: pure and synchronous, over extracted facts. It never sees disk, git or a syntax tree, so that every
 * host (command line, remark, editor) can run it.
 */
export interface Rule<Options extends object = object> {
  /** Without the prefix `claude-md-`. */
  name: string;
  options: Options;
  /** Where the configuration says nothing; an error by default. */
  level?: "warning";
  /** What is wrong with a document. */
  document?(doc: Doc, project: Project, options: Options): Iterable<Problem>;
  /** What is wrong in view of what all rules found, silenced or not. */
  after?(doc: Doc, project: Project, findings: readonly Finding[]): Iterable<Problem>;
  /** What is wrong with a directory that has no document, or that is required and does not exist. */
  missing?(dir: string, project: Project, options: Options): Iterable<Problem>;
}

/** Types the options of a rule and lets the table hold it. */
export function rule<Options extends object>(definition: Rule<Options>): Rule {
  return definition;
}
