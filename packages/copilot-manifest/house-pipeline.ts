import type { Finding } from "./finding.ts";
import { reaches } from "./graph.ts";
import { at, entriesOf, itemsOf, positionOf, textOf } from "./node.ts";
import { isTrue } from "./read-workload.ts";
import type { Node, Resolved, Workspace } from "./types.ts";

interface Stage {
  environment: string;
  pipeline: string;
  node: Node;
  root: Node;
  index: number;
}

function stagesOf(workspace: Workspace): Stage[] {
  return [...workspace.pipelines.values()].flatMap(({ name, root }) => {
    return itemsOf(at(root, "stages")).flatMap((node, index) => {
      const environment = textOf(at(node, "name"));
      return root && environment !== undefined ? [{ environment, pipeline: name, node, root, index }] : [];
    });
  });
}

/** The environments that every pipeline which deploys them asks approval for. */
export function approvedEnvironments(workspace: Workspace): string[] {
  const stages = stagesOf(workspace);
  const asks = ({ node }: Stage) => isTrue(at(node, "requires_approval"));
  return [...new Set(stages.filter(asks).map(({ environment }) => environment))].filter((environment) =>
    stages.every((stage) => stage.environment !== environment || asks(stage)),
  );
}

export function pipelineFindings(
  workspace: Workspace,
  production: string[],
  resolved: Map<string, Resolved>,
): Finding[] {
  const stages = stagesOf(workspace);
  return [
    ...stages.flatMap((stage) => approval(stage, production)),
    ...stages.flatMap((stage) => deployOrder(stage, resolved.get(stage.environment))),
    ...undeployed(workspace, stages),
  ];
}

function approval({ environment, node, root, index }: Stage, production: string[]): Finding[] {
  if (!production.includes(environment) || isTrue(at(node, "requires_approval"))) return [];
  const message = `A push goes to ${environment} without anyone's approval.`;
  const hint = "Write `requires_approval: true` in this stage.";
  return [{ rule: "approval", message, hint, environment, ...positionOf(root, ["stages", index, "name"]) }];
}

/** A stage without `deployments` deploys everything; else what no stage of any pipeline names for this environment is left out. */
function undeployed(workspace: Workspace, stages: Stage[]): Finding[] {
  const environments = [...new Set(stages.map(({ environment }) => environment))];
  return environments.flatMap((environment) => {
    const own = stages.filter((stage) => stage.environment === environment);
    if (own.some(({ node }) => at(node, "deployments")?.kind !== "map")) return [];
    const named = own.flatMap(({ node }) => entriesOf(at(node, "deployments")).map(([name]) => name));
    const [{ root, index, pipeline }] = own as [Stage];
    return [...workspace.workloads.keys()]
      .filter((workload) => !named.includes(workload))
      .map((workload) => ({
        rule: "undeployed-workload",
        message: `No pipeline deploys ${workload} to ${environment}.`,
        hint: `Add it under \`deployments\` of the pipeline ${pipeline}, or except it: it keeps its last release for ever.`,
        workload,
        environment,
        ...positionOf(root, ["stages", index, "deployments"]),
      }));
  });
}

function deployOrder({ node, environment, pipeline }: Stage, resolved: Resolved | undefined): Finding[] {
  const deployments = entriesOf(at(node, "deployments"));
  const graph = new Map(
    deployments.map(([name, { value }]) => [
      name,
      itemsOf(at(value, "depends_on")).map((item) => textOf(item) ?? ""),
    ]),
  );
  return (resolved?.workloads ?? []).flatMap(({ name, queue, topicQueues }) => {
    const place = deployments.find(([deployment]) => deployment === name)?.[1].key;
    const subscriptions = [...(queue ? [queue] : []), ...topicQueues].flatMap((used) => used.subscriptions);
    const publishers = [...new Set(subscriptions.map(({ service }) => service))];
    if (!place) return [];
    return publishers
      .filter((publisher) => graph.has(publisher) && !reaches(graph, name, publisher))
      .map((publisher) => ({
        rule: "deploy-order",
        message: `${name} subscribes to topics of ${publisher} and does not wait for it: in a new environment, or with a new topic, its stack fails.`,
        hint: `Write \`depends_on: [${publisher}]\` under ${name} in the pipeline ${pipeline}.`,
        workload: name,
        environment,
        ...place,
      }));
  });
}
