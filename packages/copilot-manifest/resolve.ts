import { checkTopology } from "./check-topology.ts";
import { checkWorkload } from "./check-workload.ts";
import { interpolate, type Scope } from "./interpolate.ts";
import { merge } from "./merge.ts";
import { at, entriesOf } from "./node.ts";
import { applyRawDelivery, checkPatches, readPatches } from "./patches.ts";
import { nearest, sortedOnce, suggest } from "./problem.ts";
import { readWorkload } from "./read-workload.ts";
import { isHouseRule } from "./rules.ts";
import type { MapNode, Problem, Resolved, Topology, Workload, WorkloadSource, Workspace } from "./types.ts";
import { validate } from "./validate.ts";
import { isWorkloadType, overridable, workloadSchema } from "./workload-schema.ts";

export interface ResolveOptions {
  /** Services of the application that live in other repositories: their topics cannot be judged here. */
  elsewhere?: string[];
  /** Also what only the strict rules refuse. */
  strict?: boolean;
}

/**
 * The workspace as one environment sees it: `${NAME}` interpolated from the reserved names and `env`
 * (default: the process's environment), `environments.<environment>` merged, Copilot's defaults filled in.
 * `problems` holds what is wrong for this environment, the workspace's own problems included.
 */
export function resolve(
  workspace: Workspace,
  environment: string,
  env: Record<string, string | undefined> = process.env,
  options: ResolveOptions = {},
): Resolved {
  const { application } = workspace;
  const problems: Problem[] = [...workspace.problems];
  const scope: Scope = { application, environment, env };
  if (workspace.environments.length > 0 && !workspace.environments.includes(environment)) {
    const hint = suggest(environment, workspace.environments, "environments");
    const message = `There is no environment \`${environment}\`: copilot/environments has no folder of that name with a manifest.yml.`;
    problems.push({
      rule: "unknown-environment",
      message,
      hint,
      file: "copilot/environments",
      line: 1,
      column: 1,
    });
  }
  const workloads: Workload[] = [];
  for (const source of workspace.workloads.values()) {
    const workload = resolveWorkload(workspace, source, scope, problems);
    if (workload) workloads.push(workload);
  }
  const topology: Topology = {
    topics: workloads.flatMap((workload) => workload.publishes),
    queues: workloads.flatMap(({ queue, topicQueues }) => [...(queue ? [queue] : []), ...topicQueues]),
  };
  checkTopology(workloads, topology, problems, options.elsewhere ?? []);
  const asked = problems.filter(({ rule }) => options.strict || !isHouseRule(rule));
  return { application, environment, workloads, topology, problems: sortedOnce(asked) };
}

function resolveWorkload(
  workspace: Workspace,
  source: WorkloadSource,
  scope: Scope,
  problems: Problem[],
): Workload | undefined {
  const { type } = source;
  if (!source.root || !isWorkloadType(type)) return undefined;
  const root = interpolate(source.root, scope, problems);
  validate(root, workloadSchema(type), problems);
  unknownEnvironments(workspace, root, problems);
  const merged = mergeEnvironment(root, type, scope.environment, problems);
  const workload = readWorkload(merged, source.name, type, source.file, scope);
  const patches = readPatches(workspace.files, `copilot/${source.name}`, problems);
  applyRawDelivery([...(workload.queue ? [workload.queue] : []), ...workload.topicQueues], patches);
  checkWorkload(merged, workload, problems);
  checkPatches(workload, patches, problems);
  return workload;
}

function mergeEnvironment(
  root: MapNode,
  type: Parameters<typeof overridable>[0],
  environment: string,
  problems: Problem[],
): MapNode {
  const entries = new Map(root.entries);
  entries.delete("environments");
  const base: MapNode = { ...root, entries };
  const over = at(root, "environments", environment);
  const merged = over?.kind === "map" ? merge(base, over, overridable(type), problems) : base;
  return merged?.kind === "map" ? merged : base;
}

function unknownEnvironments(workspace: Workspace, root: MapNode, problems: Problem[]): void {
  // Without folders nothing here says which environments exist: they may be described in another repository.
  if (workspace.environments.length === 0) return;
  for (const [name, { key, defines }] of entriesOf(at(root, "environments"))) {
    if (workspace.environments.includes(name) || defines || name.startsWith("x-")) continue;
    const unread = `There is no environment \`${name}\`: Copilot would never read this section.`;
    problems.push({ ...strangeEnvironment(name, workspace.environments, unread), ...key });
  }
}

/**
 * A name that nearly is one of the environments here is misspelt. Any other may be described in another repository: only
 * the strict rules refuse it.
 */
export function strangeEnvironment(
  name: string,
  known: string[],
  misspelt: string,
): Pick<Problem, "rule" | "message" | "hint"> {
  const near =
    nearest(name, known) ?? known.find((other) => other.startsWith(name) || name.startsWith(other));
  if (near !== undefined) {
    return { rule: "unknown-environment", message: misspelt, hint: `Did you mean \`${near}\`?` };
  }
  const message = `No folder here describes the environment \`${name}\`.`;
  const hint = `Known environments: ${known.toSorted().join(", ")}. If it lives in another repository, except this rule.`;
  return { rule: "undescribed-environment", message, hint };
}
