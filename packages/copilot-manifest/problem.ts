import { relative } from "node:path";
import { distance } from "fastest-levenshtein";
import type { Problem } from "./types.ts";

/** What happened and where, then what to do, on a line of its own (`✘ file:line:column message`). */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  // The name of a house rule is what an exception from it has to say.
  const rule = problem.set ? ` [${problem.rule}]` : "";
  return `✘ ${place} ${problem.message}${rule}${problem.hint ? `\n  ${problem.hint}` : ""}`;
}

/** All problems, one under the other; the empty text when there are none. */
export function formatProblems(problems: Problem[]): string {
  return problems.map(formatProblem).join("\n");
}

/** Each problem once, by file, line and column: the same line is wrong in several environments. */
export function sortedOnce(problems: Problem[]): Problem[] {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...once.values()].sort(
    (a, b) =>
      a.file.localeCompare(b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      a.message.localeCompare(b.message),
  );
}

/** The known name that this one was probably meant to be; undefined when none is near. Case does not count. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const ranked = [...known].map((candidate) => ({
    candidate,
    far: distance(name.toLowerCase(), candidate.toLowerCase()),
  }));
  const [best] = ranked.toSorted((a, b) => a.far - b.far);
  return best && best.far <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** `Did you mean …?`, else the known names. */
export function suggest(name: string, known: Iterable<string>, what: string): string {
  const near = nearest(name, known);
  if (near) return `Did you mean \`${near}\`?`;
  const names = [...known];
  return names.length > 0 ? `Known ${what}: ${names.toSorted().join(", ")}.` : `There are no ${what}.`;
}

/** A path below the root, with `/` on every system. */
export function displayPath(root: string, path: string): string {
  return relative(root, path).replaceAll("\\", "/");
}
