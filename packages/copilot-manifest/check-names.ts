import { positionOf } from "./node.ts";
import type { Position, Problem, Resolved, Workspace } from "./types.ts";

/**
 * Names that Copilot puts together from application, environment and workload, against AWS's limits. Only those that it
 * writes into its templates: CloudFormation itself makes the others (queues, target groups, task roles) short enough.
 */
export function checkNames(workspace: Workspace, resolved: Resolved, problems: Problem[]): void {
  const { application, environment, workloads, topology } = resolved;
  const manifest = workspace.environmentManifests.get(environment)?.root;
  const place = manifest
    ? positionOf(manifest, ["name"])
    : { file: "copilot/.workspace", line: 1, column: 1 };
  const stack = `${application}-${environment}`;
  limit("The environment's role", `${stack}-CFNExecutionRole`, 64, place, problems);
  for (const workload of workloads) {
    const { name, type, connect } = workload;
    const own = workload.source(["name"]);
    // Copilot cuts the stack's name at 128, and then two workloads may have one stack.
    limit("The stack", `${stack}-${name}`, 128, own, problems);
    if (type === "Scheduled Job") limit("The state machine", `${stack}-${name}`, 80, own, problems);
    if (connect) limit("Service Connect's discovery name", `${name}-sc`, 64, own, problems);
  }
  for (const topic of topology.topics) limit("The topic", topic.resourceName, 256, topic.at, problems);
}

function limit(what: string, name: string, most: number, place: Position, problems: Problem[]): void {
  // A `${NAME}` without a value has its length only where Copilot is run.
  if (name.length <= most || name.includes("${")) return;
  problems.push({
    rule: "name-limit",
    message: `${what} would be called ${name}: ${name.length} characters, and AWS takes ${most}.`,
    hint: `Shorten one part of it by ${name.length - most}: application, environment or the name here.`,
    ...place,
  });
}
