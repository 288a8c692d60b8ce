import type { Node, Problem, Workspace } from "copilot-manifest";
import type { CloudFormation, Stack } from "./cloud-formation.ts";
import { stackNames } from "./names.ts";

/**
 * A stage deploys a workload as soon as its `depends_on` are done, beside all others. Each workload's stack must find what
 * it reads in the environment or in a workload that its `depends_on` put before it.
 */
export function checkPipelineOrder(workspace: Workspace, cloud: CloudFormation): Problem[] {
  const problems: Problem[] = [];
  for (const { root } of workspace.pipelines.values()) {
    for (const stage of items(child(root, "stages"))) {
      const environment = text(child(stage, "name"));
      const deployments = child(stage, "deployments");
      // Without the section everything is deployed at once, whatever it needs.
      if (environment === undefined || deployments?.kind !== "map") continue;
      const before = new Map(
        [...deployments.entries].map(([name, { value }]) => [
          name,
          items(child(value, "depends_on")).map((item) => text(item) ?? ""),
        ]),
      );
      for (const [name, { key }] of deployments.entries) {
        const stack = cloud.find(stackNames.workload(workspace.application, environment, name));
        if (!stack) continue;
        for (const [owner, what] of stackNeeds(stack, cloud)) {
          const workload = [...before.keys()].find(
            (other) => owner === stackNames.workload(workspace.application, environment, other),
          );
          if (workload === undefined || workload === name || ancestors(name, before).has(workload)) continue;
          problems.push({
            rule: "stack-order",
            message: `The stage ${environment} may deploy ${name} before ${workload}, whose ${what} it needs.`,
            hint: `Write \`depends_on: [${workload}]\` below ${name}.`,
            ...key,
          });
        }
      }
    }
  }
  return problems;
}

/** Stacks that this one reads from, with what it reads. */
export function stackNeeds(stack: Stack, cloud: CloudFormation): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of stack.imports.keys()) {
    const owner = cloud.exports.get(name)?.stack;
    if (owner !== undefined && owner !== stack.name) found.set(owner, `export ${name}`);
  }
  const topics = new Map<string, string>();
  for (const [owner, { type, ref }] of cloud.resources())
    if (type === "AWS::SNS::Topic") topics.set(ref, owner.name);
  for (const { type, properties } of stack.resources.values()) {
    const topic = type === "AWS::SNS::Subscription" ? String(properties.TopicArn) : undefined;
    const owner = topic === undefined ? undefined : topics.get(topic);
    if (owner !== undefined && owner !== stack.name) found.set(owner, `topic ${topic?.split(":").at(-1)}`);
  }
  return found;
}

function ancestors(name: string, before: Map<string, string[]>, seen = new Set<string>()): Set<string> {
  for (const parent of before.get(name) ?? []) {
    if (seen.has(parent)) continue;
    seen.add(parent);
    ancestors(parent, before, seen);
  }
  return seen;
}

function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined;
}

function items(node: Node | undefined): Node[] {
  return node?.kind === "list" ? node.items : [];
}

function text(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? node.text : undefined;
}
