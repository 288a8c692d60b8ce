import type { Resolved, Workspace } from "copilot-manifest";
import { account, cliVersion, repositoryOutput } from "./names.ts";
import type { Answers, Call } from "./protocols.ts";
import { ServiceError } from "./protocols.ts";
import { unknownCall, type Account } from "./stand-in.ts";
import type { Values } from "./template.ts";

/** What the answers are made of: all of it is read from the workspace. */
export interface Deployed {
  workspace: Workspace;
  /** Every environment's view, by its name. */
  resolved: Map<string, Resolved>;
  /** The text of each environment's manifest, interpolated as the CLI would. */
  manifests: Map<string, string>;
  region: string;
  domain?: string;
  permissionsBoundary?: string;
}

/**
 * The account in which every environment of the workspace is deployed, with all topics and repositories, and none of its
 * workloads: what `env|svc|job package` and `pipeline deploy --diff` ask. Uploaded objects are kept in `objects`.
 */
export function deployedAccount(deployed: Deployed): Account & { objects: Map<string, Buffer> } {
  const objects = new Map<string, Buffer>();
  const calls = { ...parameters(deployed), ...cloudFormation(deployed), ...rest(deployed) };
  return {
    objects,
    answer: (call) => {
      if (call.object) return store(objects, call, call.object);
      const answer = calls[call.operation];
      if (!answer) throw unknownCall(call);
      return answer(call.input);
    },
  };
}

/** S3: put and get. A missing object is what the CLI asks for before it uploads one. */
export function store(
  objects: Map<string, Buffer>,
  call: Call,
  { key, body }: { key: string; body: Buffer },
): unknown {
  const method = call.operation.split(" ")[0];
  if (method === "PUT") {
    objects.set(key, body);
    return undefined;
  }
  const object = objects.get(key);
  if (!object || (method !== "GET" && method !== "HEAD")) throw new ServiceError("NoSuchKey", key, 404);
  return object;
}

function parameters({ workspace, region, domain, permissionsBoundary }: Deployed): Answers {
  const base = `/copilot/applications/${workspace.application}`;
  const json = new Map<string, Values>([
    [
      base,
      {
        name: workspace.application,
        account,
        domain: domain ?? "",
        domainHostedZoneID: domain ? "Z0HOSTEDZONE" : "",
        permissionsBoundary: permissionsBoundary ?? "",
        version: "1.0",
      },
    ],
    ...workspace.environments.map((name): [string, Values] => [
      `${base}/environments/${name}`,
      environment(workspace.application, name, region),
    ]),
    ...[...workspace.workloads.values()].map(({ name, type }): [string, Values] => [
      `${base}/components/${name}`,
      { app: workspace.application, name, type },
    ]),
  ]);
  const parameter = (name: string, value: Values) => ({
    Name: name,
    Type: "String",
    Value: JSON.stringify(value),
  });
  return {
    GetParameter: ({ Name }) => {
      const value = json.get(String(Name));
      if (!value) throw new ServiceError("ParameterNotFound", String(Name));
      return { Parameter: parameter(String(Name), value) };
    },
    GetParametersByPath: ({ Path }) => {
      const folder = String(Path).replace(/\/?$/, "/");
      const below = [...json].filter(
        ([name]) => name.startsWith(folder) && !name.slice(folder.length).includes("/"),
      );
      return { Parameters: below.map(([name, value]) => parameter(name, value)) };
    },
  };
}

function environment(application: string, name: string, region: string): Values {
  const role = (kind: string) => `arn:aws:iam::${account}:role/${application}-${name}-${kind}`;
  return {
    app: application,
    name,
    region,
    accountID: account,
    registryURL: `${account}.dkr.ecr.${region}.amazonaws.com`,
    executionRoleARN: role("CFNExecutionRole"),
    managerRoleARN: role("EnvManagerRole"),
  };
}

function cloudFormation({ workspace, manifests, region }: Deployed): Answers {
  const { application } = workspace;
  const bucket = `stackset-${application}-infrastructure-pipelinebuiltartifactbuc-0offline`.slice(0, 63);
  const stackId = (name: string) => `arn:aws:cloudformation:${region}:${account}:stack/${name}/0`;
  const instance = stackId(`StackSet-${application}-infrastructure`);
  const outputs: Record<string, string> = {
    KMSKeyARN: `arn:aws:kms:${region}:${account}:key/00000000-0000-0000-0000-000000000000`,
    PipelineBucket: bucket,
    ...Object.fromEntries(
      [...workspace.workloads.keys()].map((name) => [
        repositoryOutput(name),
        `arn:aws:ecr:${region}:${account}:repository/${application}/${name}`,
      ]),
    ),
  };
  const stackOf = (input: Values): string => {
    const name = String(input.StackName);
    const environment = workspace.environments.find((known) => name === `${application}-${known}`);
    // No workload is deployed: each of them is rendered as new.
    if (!environment) throw new ServiceError("ValidationError", `Stack with id ${name} does not exist`);
    return environment;
  };
  const metadata = (environment: string) => ({
    Version: cliVersion,
    Manifest: manifests.get(environment) ?? "",
  });
  return {
    ListStackInstances: () => ({
      Summaries: [
        {
          StackSetId: `${application}-infrastructure:1`,
          Region: region,
          Account: account,
          StackId: instance,
          Status: "CURRENT",
        },
      ],
    }),
    DescribeStacks: (input) => {
      if (input.StackName === instance) return { Stacks: [stack(instance, {}, outputs)] };
      const environment = stackOf(input);
      const given = {
        ...emptyFeatures,
        AppName: application,
        EnvironmentName: environment,
        ServiceDiscoveryEndpoint: `${environment}.${application}.local`,
      };
      return { Stacks: [stack(stackId(`${application}-${environment}`), given, {})] };
    },
    GetTemplateSummary: (input) =>
      // An alias is refused for an application that is older than domains.
      input.StackName === `${application}-infrastructure-roles` ||
      input.StackSetName === `${application}-infrastructure`
        ? { Metadata: JSON.stringify({ TemplateVersion: "v1.2.0", Version: "v1.34.1" }) }
        : { Metadata: JSON.stringify(metadata(stackOf(input))) },
    GetTemplate: (input) => ({
      TemplateBody: JSON.stringify({ Metadata: metadata(stackOf(input)), Resources: {} }),
    }),
  };
}

/** A feature of an environment counts as there when its parameter exists, were it empty. */
const emptyFeatures = {
  ALBWorkloads: "",
  InternalALBWorkloads: "",
  EFSWorkloads: "",
  NATWorkloads: "",
  AppRunnerPrivateWorkloads: "",
  Aliases: "",
};

function stack(id: string, given: Record<string, string>, outputs: Record<string, string>): Values {
  return {
    StackName: id.split("/")[1],
    StackId: id,
    CreationTime: "2026-01-01T00:00:00Z",
    StackStatus: "CREATE_COMPLETE",
    Parameters: Object.entries(given).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
  };
}

function rest({ workspace, resolved, region }: Deployed): Answers {
  return {
    ...identity,
    ...registry(region),
    GetResources: ({ ResourceTypeFilters, TagFilters }) => {
      const wanted = (ResourceTypeFilters ?? []) as string[];
      const filters = (TagFilters ?? []) as { Key: string; Values?: string[] }[];
      const topics = wanted.includes("sns")
        ? [...resolved.values()].flatMap((view) => tagged(view, region))
        : [];
      const matches = ({ Tags }: { Tags: { Key: string; Value: string }[] }) =>
        filters.every(({ Key, Values: values }) =>
          Tags.some((tag) => tag.Key === Key && (!values?.length || values.includes(tag.Value))),
        );
      return { PaginationToken: "", ResourceTagMappingList: topics.filter(matches) };
    },
    ListConnections: () => ({ Connections: connections(workspace, region) }),
  };
}

function tagged({ application, environment, topology }: Resolved, region: string) {
  return topology.topics.map(({ resourceName, workload }) => ({
    ResourceARN: `arn:aws:sns:${region}:${account}:${resourceName}`,
    Tags: [
      { Key: "copilot-application", Value: application },
      { Key: "copilot-environment", Value: environment },
      { Key: "copilot-service", Value: workload },
    ],
  }));
}

/** Every connection that a pipeline names, ready for use. */
export function connections(workspace: Workspace, region: string): Values[] {
  const names = [...workspace.pipelines.values()].flatMap(({ root }) => {
    const source = root?.entries.get("source")?.value;
    const properties = source?.kind === "map" ? source.entries.get("properties")?.value : undefined;
    const name = properties?.kind === "map" ? properties.entries.get("connection_name")?.value : undefined;
    return name?.kind === "scalar" ? [name.text] : [];
  });
  return [...new Set(names)].map((ConnectionName) => ({
    ConnectionName,
    ConnectionArn: `arn:aws:codestar-connections:${region}:${account}:connection/${ConnectionName}`,
    ConnectionStatus: "AVAILABLE",
  }));
}

/** Who calls, and the roles that it takes: never checked here. */
export const identity: Answers = {
  GetCallerIdentity: () => ({
    Arn: `arn:aws:iam::${account}:user/offline`,
    UserId: "OFFLINE",
    Account: account,
  }),
  AssumeRole: ({ RoleArn }) => ({
    Credentials: {
      AccessKeyId: "OFFLINE",
      SecretAccessKey: "offline",
      SessionToken: "offline",
      Expiration: "2099-01-01T00:00:00Z",
    },
    AssumedRoleUser: { Arn: RoleArn, AssumedRoleId: "OFFLINE:session" },
  }),
};

export function registry(region: string): Answers {
  const token = Buffer.from("AWS:offline").toString("base64");
  const proxyEndpoint = `https://${account}.dkr.ecr.${region}.amazonaws.com`;
  return {
    GetAuthorizationToken: () => ({
      authorizationData: [{ authorizationToken: token, expiresAt: 4_070_908_800, proxyEndpoint }],
    }),
  };
}
