import { sortedOnce } from "./problem.ts";
import { isHouseRule } from "./rules.ts";
import type { Exception, Position, Problem, Resolved, Settings, Workload, Workspace } from "./types.ts";

/** A problem that knows where it holds, so that it can be excepted there and said once for several environments. */
export interface Finding extends Problem {
  workload?: string;
  environment?: string;
}

/** One environment, as the rules look at it. */
export interface Scene {
  workspace: Workspace;
  settings: Settings;
  resolved: Resolved;
  environment: string;
  /** People live from this environment. */
  production: boolean;
}

/** `path` is where it stands in the manifest; the nearest parent's place when it is not written. */
export interface Found {
  path: (string | number)[];
  message: string;
  hint: string;
}

export function findingOf(rule: string, workload: Workload, environment: string, found: Found): Finding {
  const { path, message, hint } = found;
  return { rule, message, hint, workload: workload.name, environment, ...workload.source(path) };
}

/**
 * The environments that people live from: the settings' `production`, else those that a pipeline deploys only after
 * approval.
 */
export function productionOf(workspace: Workspace, settings: Settings, approved: string[]): string[] {
  return settings.production ?? workspace.environments.filter((name) => approved.includes(name));
}

/**
 * What is left after the exceptions, each once with the environments in which it holds (unless it holds in all), and the
 * exceptions that except nothing. `active` says whether a rule was looked at.
 */
export function reported(
  findings: Finding[],
  exceptions: Exception[],
  environments: string[],
  active: (rule: string) => boolean,
): Problem[] {
  const used = new Set<Exception>();
  const kept = findings.filter((finding) => {
    const covering = exceptions.filter((exception) => covers(exception, finding));
    for (const exception of covering) used.add(exception);
    return covering.length === 0;
  });
  const unused = exceptions.filter((exception) => active(exception.rule) && !used.has(exception));
  return sortedOnce([...grouped(kept, environments), ...unused.map(unusedProblem)]);
}

function covers({ rule, workload, environment }: Exception, finding: Finding): boolean {
  return (
    rule === finding.rule &&
    (workload === undefined || workload === workloadOf(finding)) &&
    (environment === undefined || environment === finding.environment)
  );
}

function workloadOf({ workload, file }: Finding): string | undefined {
  return workload ?? /^copilot\/([^/]+)\//.exec(file)?.[1];
}

function grouped(findings: Finding[], environments: string[]): Problem[] {
  const groups = new Map<string, { problem: Problem; where: Set<string> }>();
  for (const { environment, workload: _workload, ...problem } of findings) {
    const key = JSON.stringify(problem);
    const group = groups.get(key) ?? { problem, where: new Set<string>() };
    if (environment !== undefined) group.where.add(environment);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ problem, where }) => {
    const set = isHouseRule(problem.rule) ? { set: "strict" as const } : {};
    // An environment's manifest and a pipeline's stage say it themselves.
    const said = /^copilot\/(?:environments|pipelines)\//.test(problem.file);
    if (said || where.size === 0 || where.size === environments.length) return { ...problem, ...set };
    return { ...problem, message: `${problem.message} (${[...where].join(", ")})`, ...set };
  });
}

function unusedProblem({ rule, workload, environment, at }: Exception): Problem {
  const where = [workload, environment].filter(Boolean).join(" in ");
  const message = `The exception from \`${rule}\`${where ? ` for ${where}` : ""} excepts nothing.`;
  const hint = "Remove it: what it allowed is gone, and it would hide the next one.";
  return { rule: "exception-unused", message, hint, ...(at satisfies Position) };
}
