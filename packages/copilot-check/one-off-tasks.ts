import { randomUUID } from "node:crypto";
import type { CloudFormation, Resource } from "./cloud-formation.ts";
import { type Answers, ServiceError } from "./protocols.ts";
import type { Values } from "./template.ts";

/** A task that somebody started by hand, with what became of it. */
export interface OneOffTask {
  image: string;
  /** Absent when the container never started. */
  exitCode?: number;
  stoppedReason: string;
  /** How many stacks there were when it started. */
  stacks: string[];
}

export interface OneOffOptions {
  /** Every task, in order. */
  tasks: OneOffTask[];
  /** The container's exit code: what the rehearsal wants to happen. */
  exitCode: () => number;
}

/**
 * ECS for tasks outside services: `describe-task-definition`, `register-task-definition`, `run-task` and its end, and the
 * log. A task starts only where Fargate would let it: with a role and an image that are there, in subnets with a way out.
 */
export function oneOffTasks(cloud: CloudFormation, { tasks, exitCode }: OneOffOptions): Answers {
  const { region, account } = cloud.place;
  const registered = new Map<string, Values>();
  const started = new Map<string, Values>();
  const logs = new Map<string, string[]>();
  const definition = (name: string): Values => {
    const found = registered.get(name) ?? fromStack(cloud, name);
    if (!found) throw new ServiceError("ClientException", `Unable to describe task definition ${name}.`);
    return found;
  };
  return {
    DescribeTaskDefinition: ({ taskDefinition }) => ({ taskDefinition: definition(String(taskDefinition)) }),
    RegisterTaskDefinition: (input) => {
      const role = input.executionRoleArn;
      if (!has(cloud, "AWS::IAM::Role", ({ name }) => String(role).endsWith(`:role/${name}`)))
        throw new ServiceError("ClientException", `Role ${String(role)} is not valid.`);
      const revision = registered.size + 2;
      const taskDefinitionArn = `arn:aws:ecs:${region}:${account}:task-definition/${String(input.family)}:${revision}`;
      const kept = { ...input, taskDefinitionArn, revision, status: "ACTIVE" };
      registered.set(taskDefinitionArn, kept);
      return { taskDefinition: kept };
    },
    RunTask: (input) => {
      const { family, containerDefinitions } = definition(String(input.taskDefinition));
      const [container = {}] = containerDefinitions as Values[];
      if (
        !has(cloud, "AWS::ECS::Cluster", ({ name, ref }) => input.cluster === name || input.cluster === ref)
      )
        throw new ServiceError("ClusterNotFoundException", "Cluster not found.");
      const { awsvpcConfiguration } = (input.networkConfiguration ?? {}) as { awsvpcConfiguration?: Values };
      const taskArn = `arn:aws:ecs:${region}:${account}:task/${String(input.cluster)}/${randomUUID().replaceAll("-", "")}`;
      const refused = cannotStart(cloud, container, awsvpcConfiguration ?? {});
      const task: OneOffTask = {
        image: String(container.image),
        stoppedReason: refused ?? "Essential container in task exited",
        ...(refused === undefined ? { exitCode: exitCode() } : {}),
        stacks: [...cloud.stacks.keys()],
      };
      tasks.push(task);
      const options = (container.logConfiguration as Values | undefined)?.options as Values | undefined;
      const stream = `${String(options?.["awslogs-stream-prefix"])}/${String(container.name)}/${taskArn.split("/").at(-1)}`;
      if (refused === undefined)
        logs.set(`${String(options?.["awslogs-group"])} ${stream}`, [
          `{"msg":"${String(family)} ran ${(container.command as string[] | undefined)?.join(" ")}"}`,
        ]);
      started.set(taskArn, {
        taskArn,
        lastStatus: "STOPPED",
        desiredStatus: "STOPPED",
        stoppedReason: task.stoppedReason,
        containers: [{ name: container.name, lastStatus: "STOPPED", exitCode: task.exitCode }],
      });
      return { tasks: [started.get(taskArn)], failures: [] };
    },
    DescribeTasks: (input) => ({
      failures: [],
      tasks: ((input.tasks ?? []) as string[]).flatMap((arn) => started.get(arn) ?? []),
    }),
    GetLogEvents: ({ logGroupName, logStreamName }) => {
      const lines = logs.get(`${String(logGroupName)} ${String(logStreamName)}`);
      if (!lines)
        throw new ServiceError("ResourceNotFoundException", "The specified log stream does not exist.");
      return { events: lines.map((message) => ({ message, timestamp: 0 })), nextForwardToken: "f/0" };
    },
  };
}

/** Why Fargate would not start it; undefined when it would. */
function cannotStart(cloud: CloudFormation, container: Values, network: Values): string | undefined {
  const { region, account } = cloud.place;
  const image = String(container.image);
  const [, repository] =
    /^(?:\d+)\.dkr\.ecr\.[\w-]+\.amazonaws\.com\/([^@:]+)(?::[\w.-]+|@sha256:[0-9a-f]{64})$/.exec(image) ??
    [];
  if (repository === undefined || !image.startsWith(`${account}.dkr.ecr.${region}.`))
    return `CannotPullContainerError: ${image} is no image of this registry`;
  if (!has(cloud, "AWS::ECR::Repository", ({ name }) => name === repository))
    return `CannotPullContainerError: there is no repository ${repository}`;
  for (const { name, valueFrom } of (container.secrets ?? []) as { name: string; valueFrom: string }[])
    if (!/^arn:aws:(?:secretsmanager|ssm):/.test(valueFrom))
      return `ResourceInitializationError: unable to pull secret ${name} from ${valueFrom}`;
  const groups = (network.securityGroups ?? []) as string[];
  for (const group of groups)
    if (!has(cloud, "AWS::EC2::SecurityGroup", ({ name }) => name === group))
      return `InvalidGroup.NotFound: ${group}`;
  for (const subnet of (network.subnets ?? []) as string[]) {
    if (!has(cloud, "AWS::EC2::Subnet", ({ ref }) => ref === subnet))
      return `InvalidSubnetID.NotFound: ${subnet}`;
    if (network.assignPublicIp !== "ENABLED" && !hasWayOut(cloud, subnet))
      return `ResourceInitializationError: ${subnet} has no NAT gateway: the registry cannot be reached`;
  }
  return undefined;
}

function hasWayOut(cloud: CloudFormation, subnet: string): boolean {
  const all = [...cloud.resources()].map(([, resource]) => resource);
  const tables = all
    .filter(
      ({ type, properties }) =>
        type === "AWS::EC2::SubnetRouteTableAssociation" && properties.SubnetId === subnet,
    )
    .map(({ properties }) => properties.RouteTableId);
  return all.some(
    ({ type, properties }) =>
      type === "AWS::EC2::Route" &&
      tables.includes(properties.RouteTableId) &&
      properties.NatGatewayId !== undefined,
  );
}

function has(cloud: CloudFormation, type: string, wanted: (resource: Resource) => boolean): boolean {
  for (const [, resource] of cloud.resources()) if (resource.type === type && wanted(resource)) return true;
  return false;
}

/** A stack's task definition as ECS describes it. */
function fromStack(cloud: CloudFormation, name: string): Values | undefined {
  for (const [, { type, ref, properties }] of cloud.resources())
    if (type === "AWS::ECS::TaskDefinition" && ref === name)
      return { ...(spelled(properties) as Values), taskDefinitionArn: ref, revision: 1, status: "ACTIVE" };
  return undefined;
}

/** CloudFormation's spelling of names as ECS has them; the names inside `Options` are the log driver's. */
function spelled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spelled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.charAt(0).toLowerCase() + key.slice(1),
      key === "Options" ? item : spelled(item),
    ]),
  );
}
