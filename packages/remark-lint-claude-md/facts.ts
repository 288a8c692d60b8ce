import type { Problem } from "./finding.ts";
import type { Project } from "./project.ts";

/** A fact and the place where it stands, so that a finding can point at the truth. */
export interface Sourced<T> {
  value: T;
  /** Path relative to the repository. */
  file: string;
  /** From 1. */
  line: number;
}

/** The words after the name in `{{block name …}}` and `<!--claude-md name …-->`. */
export type Args = readonly string[];

/** Knows what is true of a repository beyond its Markdown, such as what its manifests say. */
export interface FactProvider {
  name: string;
  version: string;
  /** The files, as git knows them, whose bytes decide the facts. */
  inputs(project: Project): string[];
  /**
   * Reads the facts once per run.
   *
   * @param read the text of one of the `inputs`; throws for any other path.
   * @throws Error whose message says `file:line: what is wrong`; the run then ends with exit code 2.
   */
  load(read: (path: string) => string): Facts;
}

/** What a provider knows. Directories are paths relative to the repository; the root is the empty string. */
export interface Facts {
  /** The value of `{{fact key}}` in the document of `dir`: Markdown of one line. Undefined: people write it. */
  value(key: string, dir: string): Sourced<string> | undefined;
  /** What stands between the markers of a region in the document of `dir`: Markdown without outer blank lines. */
  block(name: string, args: Args, dir: string): Sourced<string> | undefined;
  /** Every key, and every block with its arguments, that `dir` has; for `claude-md facts`. */
  keys?(dir: string): { values: string[]; blocks: { name: string; args: string[] }[] };
  /** Directories that the document of `dir` must link to. */
  related(dir: string): string[];
  claims: Claim[];
  /** What is wrong with a command that a document in `dir` tells people to type; undefined when nothing is, or nothing is known. */
  command?(argv: string[], dir: string): CommandProblem | undefined;
}

/** A wrong command; `word` is the index in `argv` of what is wrong with it. */
export interface CommandProblem extends Pick<
  Problem,
  "kind" | "message" | "actual" | "expected" | "related" | "note"
> {
  word?: number;
}

/**
 * A fact that prose is held against, in the documents whose path matches one of the globs `in`. Only a contradiction
 * on one line (or table row) is a finding; silence never is.
 */
export type Claim =
  /** A number before `noun`, such as `11のサービス`; `noun` matches what follows the number. */
  | { type: "count"; noun: RegExp; truth: Sourced<number>; in: string[] }
  /** On a line that `near` matches, one of `others` stands and the truth does not. */
  | { type: "oneOf"; near: RegExp; truth: Sourced<string>; others: RegExp[]; in: string[] }
  /**
   * A list after `near`, such as `環境: a, b, c`: an unknown member, or one forgotten. `near` must match everything
   * before the list.
   */
  | { type: "set"; near: RegExp; truth: Sourced<string[]>; in: string[] }
  /** On a line that `near` matches, `pattern` finds values (its first group, or all of it) that must equal the truth. */
  | { type: "value"; near: RegExp; truth: Sourced<string>; pattern: RegExp; in: string[] }
  /** What `pattern` finds (its first group, or all of it) is the name of something: one of the truth. */
  | { type: "name"; truth: Sourced<string[]>; pattern: RegExp; in: string[] };
