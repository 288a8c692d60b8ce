import { randomUUID } from "node:crypto";
import { templateOf, tagsOf } from "./change-sets.ts";
import type { CloudFormation, Stack } from "./cloud-formation.ts";
import { ServiceError } from "./protocols.ts";
import type { Template, Values } from "./template.ts";
import { textOf } from "./text.ts";

interface StackSet {
  name: string;
  template: Template;
  tags: Record<string, string>;
  /** Region → name of the instance's stack. */
  instances: Map<string, string>;
  operations: Map<string, { status: string; reason?: string }>;
}

export interface StackSets {
  calls: Record<string, (input: Values) => unknown>;
  /** The template of a set, for GetTemplateSummary. */
  template(name: string): Template | undefined;
}

/** The application's own stack, which Copilot keeps as a stack set with an instance in each region. */
export function stackSets(cloud: CloudFormation): StackSets {
  const sets = new Map<string, StackSet>();
  const find = ({ StackSetName }: Values): StackSet => {
    const set = sets.get(String(StackSetName));
    if (!set) throw new ServiceError("StackSetNotFoundException", String(StackSetName), 404);
    return set;
  };
  const operate = async (
    set: StackSet,
    id: string,
    regions: Iterable<string>,
  ): Promise<{ OperationId: string }> => {
    const instances: Stack[] = [];
    for (const region of regions) instances.push(await deployInstance(cloud, set, region));
    const reason = instances.find(({ failure }) => failure)?.failure?.message;
    set.operations.set(id, reason === undefined ? { status: "SUCCEEDED" } : { status: "FAILED", reason });
    return { OperationId: id };
  };
  return {
    template: (name) => sets.get(name)?.template,
    calls: {
      CreateStackSet: (input) => {
        const name = String(input.StackSetName);
        if (sets.has(name)) throw new ServiceError("NameAlreadyExistsException", name, 409);
        const template = templateOf(cloud, input);
        sets.set(name, { name, template, tags: tagsOf(input), instances: new Map(), operations: new Map() });
        return { StackSetId: `${name}:1` };
      },
      UpdateStackSet: async (input) => {
        const set = find(input);
        const id = textOf(input.OperationId) || randomUUID();
        if (set.operations.has(id)) throw new ServiceError("OperationIdAlreadyExistsException", id, 409);
        set.template = templateOf(cloud, input);
        return operate(set, id, set.instances.keys());
      },
      DescribeStackSet: (input) => {
        const { name, template } = find(input);
        return {
          StackSet: {
            StackSetName: name,
            StackSetId: `${name}:1`,
            Status: "ACTIVE",
            TemplateBody: template.text,
          },
        };
      },
      CreateStackInstances: (input) =>
        operate(find(input), textOf(input.OperationId) || randomUUID(), (input.Regions ?? []) as string[]),
      ListStackInstances: (input) => {
        const { name, instances } = find(input);
        const wanted = input.StackInstanceRegion;
        return {
          Summaries: [...instances]
            .filter(([region]) => wanted === undefined || wanted === region)
            .map(([Region, stack]) => ({
              StackSetId: `${name}:1`,
              Region,
              Account: cloud.place.account,
              StackId: cloud.find(stack)?.id,
              Status: "CURRENT",
              StackInstanceStatus: { DetailedStatus: "SUCCEEDED" },
            })),
        };
      },
      ListStackSetOperations: (input) => ({
        Summaries: [...find(input).operations]
          .toReversed()
          .map(([OperationId, { status }]) => ({ OperationId, Action: "UPDATE", Status: status })),
      }),
      DescribeStackSetOperation: (input) => {
        const operation = find(input).operations.get(String(input.OperationId));
        if (!operation) throw new ServiceError("OperationNotFoundException", String(input.OperationId), 404);
        const { status, reason } = operation;
        return {
          StackSetOperation: {
            OperationId: input.OperationId,
            Action: "UPDATE",
            Status: status,
            StatusReason: reason,
          },
        };
      },
    },
  };
}

async function deployInstance(cloud: CloudFormation, set: StackSet, region: string): Promise<Stack> {
  const name = set.instances.get(region) ?? `StackSet-${set.name}-${randomUUID()}`;
  set.instances.set(region, name);
  const known = cloud.find(name);
  const stack = known ?? cloud.create(name, set.tags);
  const parameters = cloud.parameters(set.template, {});
  return cloud.apply(stack, set.template, parameters, set.tags, known ? "UPDATE" : "CREATE");
}
