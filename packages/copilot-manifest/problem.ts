import type { Problem } from "./types.ts";

/** `✘ copilot/worker-item/manifest.yml:12:5 …`, then the hint on a line of its own. */
export function formatProblem(problem: Problem): string {
  return `✘ ${problem.file}:${problem.line}:${problem.column} ${problem.message}${problem.hint ? `\n  ${problem.hint}` : ""}`;
}

export function formatProblems(problems: Problem[]): string {
  return problems.map(formatProblem).join("\n");
}
