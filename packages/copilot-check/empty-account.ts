import type { Workspace } from "copilot-manifest";
import { stackCalls, tagList } from "./change-sets.ts";
import type { CloudFormation, Resource, Stack } from "./cloud-formation.ts";
import type { Config } from "./config.ts";
import { domainNames } from "./domain-names.ts";
import { connections, identity, registry, store } from "./deployed-account.ts";
import { type Answers, ServiceError } from "./protocols.ts";
import { stackSets } from "./stack-sets.ts";
import { unknownCall, type Account } from "./stand-in.ts";
import type { Values } from "./template.ts";

/**
 * An account with nothing in it but the pipelines' connections and the domain's zone: what `app init` and every `deploy`
 * after it talk to.
 */
export function emptyAccount(
  workspace: Workspace,
  cloud: CloudFormation,
  { domain, permissionsBoundary }: Pick<Config, "domain" | "permissionsBoundary"> = {},
): Account {
  const sets = stackSets(cloud);
  const stacks = stackCalls(cloud);
  const calls: Answers = {
    ...identity,
    ...registry(cloud.place.region),
    ...stacks,
    ...sets.calls,
    ...roles(cloud, permissionsBoundary),
    ...parameterStore(),
    ...services(cloud),
    ...listeners(cloud),
    ...domainNames(cloud, domain),
    ...pipelines(workspace, cloud),
    GetTemplateSummary: ({ StackName, StackSetName }) => {
      const name = String(StackName ?? StackSetName);
      const template = StackName === undefined ? sets.template(name) : cloud.find(name)?.template;
      if (!template) throw new ServiceError("ValidationError", `Stack with id ${name} does not exist`);
      return {
        Parameters: Object.keys(template.Parameters).map((ParameterKey) => ({ ParameterKey })),
        ...(template.Metadata === undefined ? {} : { Metadata: JSON.stringify(template.Metadata) }),
      };
    },
    GetResources: (input) => resources(cloud, input),
  };
  return {
    answer: (call) => {
      if (call.object) return store(cloud.objects, call, call.object);
      const answer = calls[call.operation];
      if (!answer) throw unknownCall(call);
      return answer(call.input);
    },
  };
}

function roles(cloud: CloudFormation, boundary: string | undefined): Answers {
  return {
    ListPolicies: () => ({
      IsTruncated: false,
      Policies:
        boundary === undefined
          ? []
          : [{ PolicyName: boundary, Arn: `arn:aws:iam::${cloud.place.account}:policy/${boundary}` }],
    }),
    CreateServiceLinkedRole: () => {
      throw new ServiceError(
        "InvalidInput",
        "Service role name AWSServiceRoleForECS has been taken in this account",
      );
    },
    ListRoleTags: ({ RoleName }) => {
      for (const [stack, { type, name }] of cloud.resources())
        if (type === "AWS::IAM::Role" && name === RoleName)
          return { IsTruncated: false, Tags: tagList(stack.tags) };
      throw new ServiceError("NoSuchEntity", String(RoleName), 404);
    },
    DeleteRole: () => ({}),
  };
}

function parameterStore(): Answers {
  const values = new Map<string, string>();
  const parameter = (Name: string) => ({ Name, Type: "String", Value: values.get(Name), Version: 1 });
  return {
    GetParameter: ({ Name }) => {
      if (!values.has(String(Name))) throw new ServiceError("ParameterNotFound", String(Name));
      return { Parameter: parameter(String(Name)) };
    },
    PutParameter: ({ Name, Value, Overwrite }) => {
      if (values.has(String(Name)) && Overwrite !== true)
        throw new ServiceError("ParameterAlreadyExists", String(Name));
      values.set(String(Name), String(Value));
      return { Version: 1, Tier: "Standard" };
    },
    DeleteParameter: ({ Name }) => void values.delete(String(Name)),
    AddTagsToResource: () => ({}),
    GetParametersByPath: ({ Path }) => {
      const folder = String(Path).replace(/\/?$/, "/");
      const below = [...values.keys()].filter(
        (name) => name.startsWith(folder) && !name.slice(folder.length).includes("/"),
      );
      return { Parameters: below.map(parameter) };
    },
  };
}

/** ECS: a service is rolled out as soon as it is there. Whether its containers start is nothing that can be seen here. */
function services(cloud: CloudFormation): Answers {
  const find = (name: unknown): Resource | undefined => {
    for (const [, resource] of cloud.resources())
      if (resource.type === "AWS::ECS::Service" && (resource.ref === name || resource.name === name))
        return resource;
    return undefined;
  };
  const described = ({ ref, name, properties, since }: Resource): Values => {
    const desired = Number(properties.DesiredCount ?? 1);
    const at = Date.parse(since) / 1000;
    const counts = {
      desiredCount: desired,
      runningCount: desired,
      pendingCount: 0,
      taskDefinition: properties.TaskDefinition,
    };
    return {
      serviceArn: ref,
      serviceName: name,
      clusterArn: `arn:aws:ecs:${cloud.place.region}:${cloud.place.account}:cluster/${String(properties.Cluster)}`,
      status: "ACTIVE",
      launchType: "FARGATE",
      events: [],
      loadBalancers: [],
      ...counts,
      deployments: [
        {
          id: "ecs-svc/1",
          status: "PRIMARY",
          ...counts,
          failedTasks: 0,
          rolloutState: "COMPLETED",
          createdAt: at,
          updatedAt: Date.now() / 1000,
        },
      ],
    };
  };
  return {
    DescribeServices: (input) => {
      const found = ((input.services ?? []) as unknown[])
        .map(find)
        .filter((service) => service !== undefined);
      return { failures: [], services: found.map(described) };
    },
    UpdateService: ({ service }) => {
      const found = find(service);
      if (!found) throw new ServiceError("ServiceNotFoundException", String(service));
      return { service: described(found) };
    },
    ListServicesByNamespace: () => ({
      serviceArns: [...cloud.resources()]
        .filter(([, { type }]) => type === "AWS::ECS::Service")
        .map(([, { ref }]) => ref),
    }),
    ListTasks: () => ({ taskArns: [] }),
    DescribeTasks: () => ({ tasks: [], failures: [] }),
    DescribeClusters: ({ clusters }) => ({
      failures: [],
      clusters: ((clusters ?? []) as string[]).map((clusterArn) => ({ clusterArn, status: "ACTIVE" })),
    }),
    DescribeImages: () => ({ imageDetails: [] }),
    BatchDeleteImage: () => ({ imageIds: [], failures: [] }),
  };
}

/** What the script that hands out rule priorities asks. */
function listeners(cloud: CloudFormation): Answers {
  return {
    DescribeRules: ({ ListenerArn, RuleArns }) => {
      const wanted = ({ ref, properties }: Resource): boolean =>
        ListenerArn === undefined
          ? ((RuleArns ?? []) as string[]).includes(ref)
          : properties.ListenerArn === ListenerArn;
      const rules = [...cloud.resources()]
        .filter(
          ([, resource]) => resource.type === "AWS::ElasticLoadBalancingV2::ListenerRule" && wanted(resource),
        )
        .map(([, { ref, properties }]) => ({
          RuleArn: ref,
          Priority: String(properties.Priority),
          IsDefault: false,
          Conditions: [],
          Actions: [],
        }));
      const initial = {
        RuleArn: "default",
        Priority: "default",
        IsDefault: true,
        Conditions: [],
        Actions: [],
      };
      return { Rules: ListenerArn === undefined ? rules : [...rules, initial] };
    },
  };
}

function pipelines(workspace: Workspace, cloud: CloudFormation): Answers {
  const all = connections(workspace, cloud.place.region);
  return {
    ListConnections: () => ({ Connections: all }),
    GetConnection: ({ ConnectionArn }) => ({
      Connection: all.find((one) => one.ConnectionArn === ConnectionArn) ?? {
        ConnectionArn,
        ConnectionStatus: "AVAILABLE",
      },
    }),
    ListPipelineExecutions: () => ({
      pipelineExecutionSummaries: [{ pipelineExecutionId: "1", status: "InProgress" }],
    }),
    StopPipelineExecution: () => ({ pipelineExecutionId: "1" }),
    RetryStageExecution: () => ({ pipelineExecutionId: "1" }),
    GetPipeline: ({ name }) => {
      throw new ServiceError("PipelineNotFoundException", String(name));
    },
  };
}

/** Resource types of the tagging API that Copilot asks for. */
const tagged: Record<string, string> = {
  sns: "AWS::SNS::Topic",
  "ecs:service": "AWS::ECS::Service",
  "ecs:cluster": "AWS::ECS::Cluster",
  codepipeline: "AWS::CodePipeline::Pipeline",
  "codepipeline:pipeline": "AWS::CodePipeline::Pipeline",
};

function resources(cloud: CloudFormation, { ResourceTypeFilters, TagFilters }: Values): Values {
  const filters = (TagFilters ?? []) as { Key: string; Values?: string[] }[];
  const wanted = (ResourceTypeFilters ?? []) as string[];
  const matches = (tags: Record<string, string>): boolean =>
    filters.every(
      ({ Key, Values: values }) => tags[Key] !== undefined && (!values?.length || values.includes(tags[Key])),
    );
  const types = wanted.map((type) => tagged[type]);
  const found = [...cloud.resources()]
    .filter(([, { type }]) => types.includes(type))
    .map(([stack, resource]) => ({
      ResourceARN: arnOf(resource, cloud),
      tags: tagsOfResource(stack, resource),
    }));
  const stacks = wanted.includes("cloudformation:stack")
    ? [...cloud.stacks.values()].map(({ id, tags }) => ({ ResourceARN: id, tags }))
    : [];
  const list = [...found, ...stacks].filter(({ tags }) => matches(tags));
  return {
    PaginationToken: "",
    ResourceTagMappingList: list.map(({ ResourceARN, tags }) => ({ ResourceARN, Tags: tagList(tags) })),
  };
}

function tagsOfResource(stack: Stack, { properties }: Resource): Record<string, string> {
  const own = Array.isArray(properties.Tags) ? (properties.Tags as { Key: string; Value: string }[]) : [];
  return { ...stack.tags, ...Object.fromEntries(own.map(({ Key, Value }) => [Key, Value])) };
}

function arnOf({ type, ref, name }: Resource, { place }: CloudFormation): string {
  if (type === "AWS::CodePipeline::Pipeline")
    return `arn:aws:codepipeline:${place.region}:${place.account}:${name}`;
  if (type === "AWS::ECS::Cluster") return `arn:aws:ecs:${place.region}:${place.account}:cluster/${name}`;
  return ref;
}
