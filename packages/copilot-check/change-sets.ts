import { randomUUID } from "node:crypto";
import type { Change, CloudFormation, Stack } from "./cloud-formation.ts";
import { LinkError } from "./link-error.ts";
import { type Answers, ServiceError } from "./protocols.ts";
import { validateReferences } from "./references.ts";
import type { Template, Values } from "./template.ts";
import { textOf } from "./text.ts";

interface ChangeSet {
  id: string;
  name: string;
  stack: string;
  verb: "CREATE" | "UPDATE";
  template: Template;
  parameters: Record<string, string>;
  tags: Record<string, string>;
  role: string | undefined;
  createdAt: string;
  status: "CREATE_COMPLETE" | "FAILED";
  execution: "AVAILABLE" | "UNAVAILABLE" | "EXECUTE_COMPLETE";
  reason?: string;
  changes: Change[];
}

/** CloudFormation's calls about stacks and change sets. What the small CloudFormation refuses becomes a service's refusal. */
export function stackCalls(cloud: CloudFormation): Answers {
  const sets = new Map<string, ChangeSet>();
  const changeSet = (input: Values): ChangeSet => {
    const name = String(input.ChangeSetName);
    const found =
      sets.get(name) ??
      [...sets.values()].findLast((set) => set.name === name && set.stack === input.StackName);
    if (!found) throw new ServiceError("ChangeSetNotFound", name, 404);
    return found;
  };
  return {
    CreateChangeSet: (input) => {
      const set = newChangeSet(cloud, input);
      sets.set(set.id, set);
      return { Id: set.id, StackId: cloud.find(set.stack)?.id };
    },
    DescribeChangeSet: (input) => described(changeSet(input)),
    DeleteChangeSet: (input) => void sets.delete(changeSet(input).id),
    ExecuteChangeSet: async (input) => {
      const set = changeSet(input);
      const stack = existing(cloud, set.stack);
      set.execution = "EXECUTE_COMPLETE";
      stack.changeSet = set.id;
      if (set.role !== undefined) stack.role = set.role;
      // Answered when all is done: the CLI's first look then sees the end.
      await cloud.apply(stack, set.template, set.parameters, set.tags, set.verb);
    },
    UpdateStack: async (input) => {
      const stack = existing(cloud, String(input.StackName));
      const template =
        input.UsePreviousTemplate === "true" && stack.template ? stack.template : templateOf(cloud, input);
      const parameters = asRefusal(() => cloud.parameters(template, given(input), stack.parameters));
      const { changes, outputsChanged } = asRefusal(() => cloud.plan(stack, template, parameters));
      if (
        changes.length === 0 &&
        !outputsChanged &&
        JSON.stringify(parameters) === JSON.stringify(stack.parameters)
      )
        throw new ServiceError("ValidationError", "No updates are to be performed.");
      await cloud.apply(stack, template, parameters, stack.tags, "UPDATE");
      return { StackId: stack.id };
    },
    DeleteStack: async ({ StackName }) => {
      const stack = cloud.find(String(StackName));
      if (!stack || stack.status === "DELETE_COMPLETE") return;
      try {
        await cloud.remove(stack);
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        throw new ServiceError("ValidationError", error.message);
      }
    },
    DescribeStacks: ({ StackName }) => ({
      Stacks: (StackName === undefined
        ? [...cloud.stacks.values()]
        : [existing(cloud, textOf(StackName))]
      ).map((stack) => stackAnswer(stack, cloud)),
    }),
    ListStacks: ({ StackStatusFilter }) => {
      const wanted = (StackStatusFilter ?? []) as string[];
      return {
        StackSummaries: [...cloud.stacks.values()]
          .filter(({ status }) => wanted.length === 0 || wanted.includes(status))
          .map(({ id, name, status, createdAt }) => ({
            StackId: id,
            StackName: name,
            StackStatus: status,
            CreationTime: createdAt,
          })),
      };
    },
    DescribeStackEvents: ({ StackName }) => ({
      StackEvents: existing(cloud, String(StackName))
        .events.toReversed()
        .map((event) => ({
          EventId: event.id,
          StackId: cloud.find(String(StackName))?.id,
          StackName: cloud.find(String(StackName))?.name,
          LogicalResourceId: event.logicalId,
          PhysicalResourceId: event.physicalId,
          ResourceType: event.type,
          Timestamp: event.at,
          ResourceStatus: event.status,
          ResourceStatusReason: event.reason,
        })),
    }),
    DescribeStackResources: ({ StackName }) => {
      const stack = existing(cloud, String(StackName));
      return {
        StackResources: [...stack.resources.values()].map(({ logicalId, ref, type, since }) => ({
          StackName: stack.name,
          StackId: stack.id,
          LogicalResourceId: logicalId,
          PhysicalResourceId: ref,
          ResourceType: type,
          Timestamp: since,
          ResourceStatus: "CREATE_COMPLETE",
        })),
      };
    },
    GetTemplate: (input) => {
      const template =
        input.ChangeSetName === undefined
          ? existing(cloud, String(input.StackName)).template
          : changeSet(input).template;
      return { TemplateBody: template?.text ?? "" };
    },
  };
}

/** The template that a call names by URL or carries. */
export function templateOf(cloud: CloudFormation, input: Values): Template {
  const name = String(input.StackName ?? input.StackSetName);
  const url = input.TemplateURL === undefined ? undefined : textOf(input.TemplateURL);
  const text = url === undefined ? String(input.TemplateBody) : cloud.object(url)?.toString();
  if (text === undefined) throw new ServiceError("ValidationError", `S3 error: there is no object at ${url}`);
  return asRefusal(() => {
    const template = cloud.template(name, text);
    validateReferences(template);
    return template;
  });
}

export function tagsOf(input: Values): Record<string, string> {
  const tags = listIn(input.Tags) as { Key: string; Value?: string }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value ?? ""]));
}

export function tagList(tags: Record<string, string>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function newChangeSet(cloud: CloudFormation, input: Values): ChangeSet {
  const name = String(input.StackName);
  const verb = input.ChangeSetType === "UPDATE" ? "UPDATE" : "CREATE";
  const before = cloud.find(name);
  const known = before && before.status !== "DELETE_COMPLETE" ? before : undefined;
  if (verb === "UPDATE" && !known) throw gone(name);
  if (verb === "CREATE" && known && known.status !== "REVIEW_IN_PROGRESS")
    throw new ServiceError("ValidationError", `Stack [${name}] already exists and cannot be created again.`);
  const template = templateOf(cloud, input);
  const parameters = asRefusal(() => cloud.parameters(template, given(input), known?.parameters));
  const tags = tagsOf(input);
  const stack = known ?? cloud.create(name, tags);
  const { region, account } = cloud.place;
  const set: ChangeSet = {
    id: `arn:aws:cloudformation:${region}:${account}:changeSet/${String(input.ChangeSetName)}/${randomUUID()}`,
    name: String(input.ChangeSetName),
    stack: name,
    verb,
    template,
    parameters,
    tags,
    role: input.RoleARN === undefined ? undefined : textOf(input.RoleARN),
    createdAt: new Date().toISOString(),
    status: "CREATE_COMPLETE",
    execution: "AVAILABLE",
    changes: [],
  };
  const failed = (reason: string): ChangeSet =>
    Object.assign(set, { status: "FAILED", execution: "UNAVAILABLE", reason });
  try {
    const { changes, outputsChanged } = cloud.plan(stack, template, parameters);
    set.changes = changes;
    // The words that the CLI looks for.
    return changes.length === 0 && !outputsChanged
      ? failed("The submitted information didn't contain changes.")
      : set;
  } catch (error) {
    if (error instanceof LinkError) return failed(error.message);
    throw error;
  }
}

function described(set: ChangeSet): Values {
  return {
    ChangeSetName: set.name,
    ChangeSetId: set.id,
    StackName: set.stack,
    CreationTime: set.createdAt,
    Status: set.status,
    StatusReason: set.reason,
    ExecutionStatus: set.execution,
    Changes: set.changes.map(({ action, logicalId, type, physicalId }) => ({
      Type: "Resource",
      ResourceChange: {
        Action: action,
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type,
      },
    })),
  };
}

function given(input: Values): Record<string, string | undefined> {
  const list = listIn(input.Parameters) as {
    ParameterKey: string;
    ParameterValue?: string;
    UsePreviousValue?: string;
  }[];
  return Object.fromEntries(
    list.map(({ ParameterKey, ParameterValue, UsePreviousValue }) => [
      ParameterKey,
      UsePreviousValue === "true" ? undefined : (ParameterValue ?? ""),
    ]),
  );
}

/** An empty list is an empty text in the query protocol, where an SDK writes it at all. */
function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function existing(cloud: CloudFormation, name: string): Stack {
  const stack = cloud.find(name);
  if (!stack) throw gone(name);
  return stack;
}

function gone(name: string): ServiceError {
  return new ServiceError("ValidationError", `Stack with id ${name} does not exist`);
}

function asRefusal<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LinkError) throw new ServiceError("ValidationError", error.message);
    throw error;
  }
}

function stackAnswer(stack: Stack, cloud: CloudFormation): Values {
  const exported = new Map(
    [...cloud.exports]
      .filter(([, { stack: owner }]) => owner === stack.name)
      .map(([name, { value }]) => [value, name]),
  );
  return {
    StackName: stack.name,
    StackId: stack.id,
    ChangeSetId: stack.changeSet,
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    StackStatus: stack.status,
    RoleARN: stack.role,
    Capabilities: ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    Parameters: Object.entries(stack.parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    Outputs: Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({
      OutputKey,
      OutputValue,
      ExportName: exported.get(OutputValue),
    })),
    Tags: tagList(stack.tags),
  };
}
