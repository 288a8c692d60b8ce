import { checkAddons } from "./check-addons.ts";
import { checkFiles } from "./check-files.ts";
import { checkEnvironments, checkPipelines } from "./check-workspace.ts";
import { at, entriesOf } from "./node.ts";
import { sortedOnce } from "./problem.ts";
import { resolve, type ResolveOptions } from "./resolve.ts";
import type { Problem, Workspace } from "./types.ts";

/** Every mistake in every environment, each once, in the order of files and lines. */
export function check(
  workspace: Workspace,
  env: Record<string, string | undefined> = process.env,
  options: ResolveOptions = {},
): Problem[] {
  const problems: Problem[] = [...workspace.problems];
  checkEnvironments(workspace, env, problems);
  checkPipelines(workspace, problems);
  for (const environment of environmentsOf(workspace)) {
    const resolved = resolve(workspace, environment, env, options);
    problems.push(...resolved.problems.filter(isCertain));
    checkFiles(workspace, resolved.workloads, problems);
    checkAddons(workspace, resolved, problems);
  }
  return sortedOnce(problems);
}

/** The workspace's environments; where it has no folders for them, the ones that its manifests speak of. */
export function environmentsOf(workspace: Workspace): string[] {
  if (workspace.environments.length > 0) return workspace.environments;
  const named = [...workspace.workloads.values()].flatMap(({ root }) =>
    entriesOf(at(root, "environments")).map(([name]) => name),
  );
  return named.length > 0 ? [...new Set(named)] : ["environment"];
}

/** A variable without a value here may have one where Copilot is run; a misspelt name of Copilot's own never has. */
function isCertain(problem: Problem): boolean {
  if (problem.rule !== "undefined-variable") return true;
  return problem.hint?.startsWith("Did you mean") ?? false;
}
