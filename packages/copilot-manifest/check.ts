import { checkAddons } from "./check-addons.ts";
import { checkCode } from "./check-code.ts";
import { checkBuildspecs, checkFiles } from "./check-files.ts";
import { checkNames } from "./check-names.ts";
import { checkRouting } from "./check-routing.ts";
import { checkEnvironments, checkPipelines } from "./check-workspace.ts";
import { productionOf, reported, type Finding, type Scene } from "./finding.ts";
import { houseFindings } from "./house.ts";
import { approvedEnvironments } from "./house-pipeline.ts";
import { at, entriesOf } from "./node.ts";
import { resolve, type ResolveOptions } from "./resolve.ts";
import { isHouseRule } from "./rules.ts";
import { credentialFindings } from "./secret-values.ts";
import { checkStopTimeout } from "./stop-timeout.ts";
import type { Problem, Settings, Workspace } from "./types.ts";

export interface CheckOptions extends ResolveOptions {
  /** From `readSettings`; without them the recommended rules, and no look at the code. */
  settings?: Settings;
}

/** Every mistake in every environment, each once, in the order of files and lines. */
export function check(
  workspace: Workspace,
  env: Record<string, string | undefined> = process.env,
  options: CheckOptions = {},
): Problem[] {
  const settings: Settings = options.settings ?? { elsewhere: [], workloads: {}, except: [] };
  const strict = settings.rules === "strict";
  const elsewhere = [...(options.elsewhere ?? []), ...settings.elsewhere];
  const problems: Problem[] = [...workspace.problems];
  checkEnvironments(workspace, env, problems);
  checkPipelines(workspace, problems);
  checkBuildspecs(workspace, problems);
  const environments = environmentsOf(workspace);
  const production = productionOf(workspace, settings, approvedEnvironments(workspace));
  const scenes: Scene[] = environments.map((environment) => ({
    workspace,
    settings,
    environment,
    resolved: resolve(workspace, environment, env, { elsewhere, strict }),
    production: production.includes(environment),
  }));
  const findings: Finding[] = credentialFindings(workspace);
  for (const scene of scenes) {
    const { resolved } = scene;
    problems.push(...resolved.problems.filter(isCertain));
    checkFiles(workspace, resolved.workloads, problems);
    checkNames(workspace, resolved, problems);
    checkRouting(workspace, resolved, problems);
    for (const workload of resolved.workloads) checkStopTimeout(workspace, workload, problems);
    checkAddons(workspace, resolved, problems);
  }
  findings.push(...checkCode(workspace, scenes));
  if (strict) findings.push(...houseFindings(workspace, scenes));
  const asked = (rule: string) => strict || !isHouseRule(rule);
  const found = [...problems, ...findings].filter(({ rule }) => asked(rule));
  return reported(found, settings.except, environments, asked);
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
export function isCertain(problem: Problem): boolean {
  if (problem.rule !== "undefined-variable") return true;
  return problem.hint?.startsWith("Did you mean") ?? false;
}
