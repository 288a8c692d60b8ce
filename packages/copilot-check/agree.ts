import {
  outputVariable,
  type Problem,
  type Queue,
  type Resolved,
  type Topic,
  type Workload,
  type Workspace,
} from "copilot-manifest";
import type { CloudFormation, Resource, Stack } from "./cloud-formation.ts";
import { stackNames } from "./names.ts";
import type { Values } from "./template.ts";
import { textOf } from "./text.ts";

export interface Agreement {
  /** Fields compared. */
  fields: number;
  problems: Problem[];
}

/**
 * Two readers of one manifest: for every field that both know, what copilot-manifest understood must be what the CLI put
 * into the stack. A difference is a mistake in copilot-manifest, or an override that changes what the manifest says.
 */
export function agree(
  workspace: Workspace,
  resolved: Map<string, Resolved>,
  cloud: CloudFormation,
): Agreement {
  let fields = 0;
  const problems: Problem[] = [];
  for (const [environment, { workloads }] of resolved) {
    for (const workload of workloads) {
      const stack = cloud.find(stackNames.workload(workspace.application, environment, workload.name));
      if (!stack || stack.failure) continue;
      for (const { what, path, manifest, rendered } of comparisons(workload, stack, cloud, environment)) {
        fields += 1;
        if (text(manifest) === text(rendered)) continue;
        problems.push({
          rule: "agree",
          message: `${workload.name} in ${environment}: ${what} is ${text(manifest)} in the manifest and ${text(rendered)} in the stack.`,
          hint: "Either copilot-manifest misreads the manifest, or an override contradicts it.",
          ...workload.source(path),
        });
      }
    }
  }
  return { fields, problems };
}

interface Comparison {
  what: string;
  /** In the manifest. */
  path: (string | number)[];
  manifest: unknown;
  rendered: unknown;
}

/** The same text for `"1"`, `1` and `true`, for lists in any order of writing. */
function text(value: unknown): string {
  if (value === undefined || value === null || value === "") return "(nothing)";
  if (typeof value !== "object") return typeof value === "string" ? value : JSON.stringify(value);
  if (Array.isArray(value)) return JSON.stringify(value.map(text));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return JSON.stringify(entries.map(([key, item]) => `${key}=${text(item)}`).toSorted());
}

function* comparisons(
  workload: Workload,
  stack: Stack,
  cloud: CloudFormation,
  environment: string,
): Generator<Comparison> {
  const at = (
    path: (string | number)[],
    manifest: unknown,
    rendered: unknown,
    what = path.join("."),
  ): Comparison => ({
    what,
    path,
    manifest,
    rendered,
  });
  const task = properties(stack, "TaskDefinition");
  const container = ((task.ContainerDefinitions ?? []) as Values[])[0] ?? {};
  yield at(["cpu"], workload.cpu, task.Cpu);
  yield at(["memory"], workload.memory, task.Memory);
  yield at(["platform"], platform(workload), architecture(task));
  yield at(
    ["logging", "retention"],
    workload.logRetentionDays,
    properties(stack, "LogGroup").RetentionInDays,
  );
  yield at(["command"], workload.command, container.Command);
  yield at(["entrypoint"], workload.entrypoint, container.EntryPoint);
  yield at(
    ["image", "port"],
    workload.image.port,
    ((container.PortMappings ?? []) as Values[])[0]?.ContainerPort,
  );
  yield at(["image", "healthcheck"], healthcheck(workload), container.HealthCheck);
  yield* each(
    "variables",
    variables(workload, stack, cloud, environment),
    named(container.Environment, "Value"),
  );
  yield* each("secrets", secrets(workload, cloud), named(container.Secrets, "ValueFrom"));
  if (workload.type === "Scheduled Job") yield* job(workload, stack, at);
  else yield* service(workload, stack, at, cloud);
  for (const topic of workload.publishes) yield* published(topic, stack, at);
  for (const queue of [...(workload.queue ? [workload.queue] : []), ...workload.topicQueues])
    yield* queued(queue, stack, at);
}

type At = (path: (string | number)[], manifest: unknown, rendered: unknown, what?: string) => Comparison;

function* service(workload: Workload, stack: Stack, at: At, cloud: CloudFormation): Generator<Comparison> {
  const service = properties(stack, "Service");
  const network = ((service.NetworkConfiguration ?? {}) as Values).AwsvpcConfiguration as Values | undefined;
  if (typeof workload.placement === "string")
    yield at(
      ["network", "vpc", "placement"],
      workload.placement,
      network?.AssignPublicIp === "ENABLED" ? "public" : "private",
    );
  const groups = (network?.SecurityGroups ?? []) as unknown[];
  for (const [i, group] of workload.securityGroups.entries()) {
    const id = typeof group === "string" ? group : cloud.exports.get(group.fromCfn)?.value;
    yield at(
      ["network", "vpc", "security_groups", i],
      true,
      groups.includes(id),
      `the security group ${text(id)}`,
    );
  }
  yield at(["exec"], workload.exec, service.EnableExecuteCommand ?? false);
  const target = properties(stack, "AutoScalingTarget");
  const { count } = workload;
  if (typeof count === "number") {
    yield at(["count"], count, service.DesiredCount);
    yield at(["count"], undefined, target.MinCapacity, "the least number of tasks");
  } else {
    yield at(["count", "range"], count.min, target.MinCapacity, "the least number of tasks");
    yield at(["count", "range"], count.max, target.MaxCapacity, "the greatest number of tasks");
    const scaled: [string, unknown, string][] = [
      ["cpu_percentage", count.cpuPercentage, "AutoScalingPolicyECSServiceAverageCPUUtilization"],
      ["memory_percentage", count.memoryPercentage, "AutoScalingPolicyECSServiceAverageMemoryUtilization"],
      ["requests", count.requests, "AutoScalingPolicyALBSumRequestCountPerTarget"],
      ["response_time", count.responseTimeSeconds, "AutoScalingPolicyALBAverageResponseTime"],
      ["queue_delay", count.queueDelayTarget, "AutoScalingPolicyEventsQueue"],
    ];
    for (const [key, manifest, id] of scaled) {
      const policy = properties(stack, id).TargetTrackingScalingPolicyConfiguration as Values | undefined;
      yield at(["count", key], manifest, policy?.TargetValue);
    }
    const spot = (service.CapacityProviderStrategy as Values[] | undefined)?.find(
      ({ CapacityProvider }) => CapacityProvider === "FARGATE",
    );
    yield at(["count", "range", "spot_from"], count.spotFrom, spot ? Number(spot.Base) + 1 : undefined);
  }
  yield* connected(workload, service, at);
  if (workload.http) yield* http(workload, stack, cloud, at);
}

function* connected({ connect }: Workload, service: Values, at: At): Generator<Comparison> {
  const configuration = service.ServiceConnectConfiguration as Values | undefined;
  yield at(["network", "connect"], connect !== undefined, text(configuration?.Enabled) === "true");
  const alias = (
    ((configuration?.Services ?? []) as Values[])[0]?.ClientAliases as Values[] | undefined
  )?.[0];
  yield at(["network", "connect", "alias"], connect?.alias, alias?.DnsName);
  yield at(["network", "connect"], connect?.port, alias?.Port, "the port of Service Connect");
}

function* http(
  { name, http, manifest }: Workload,
  stack: Stack,
  cloud: CloudFormation,
  at: At,
): Generator<Comparison> {
  if (!http) return;
  const service = properties(stack, "Service");
  const group = properties(stack, "TargetGroup");
  const attributes = named(group.TargetGroupAttributes, "Value", "Key");
  // With a domain or a certificate traffic is forwarded by the rule of the HTTPS listener.
  const secure = stack.resources.get("HTTPSListenerRule")?.properties;
  const rule = secure ?? properties(stack, "HTTPListenerRule");
  const path = `/${http.path.replace(/^\//, "")}`;
  yield at(["http", "path"], path === "/" ? "/*" : path, conditionOf(rule, "path-pattern")[0]);
  const own = cloud.exports.get(`${stack.name.slice(0, -name.length)}SubDomain`)?.value;
  const given = secure && own !== undefined ? [`${name}.${own}`] : [];
  yield at(
    ["http", "alias"],
    http.alias.length > 0 ? http.alias : given,
    conditionOf(rule, "host-header"),
    "the list of host names",
  );
  const redirect = properties(stack, "HTTPListenerRuleWithDomain");
  yield at(
    ["http", "redirect_to_https"],
    secure !== undefined && (manifest.http as Values | undefined)?.redirect_to_https !== false,
    ((redirect.Actions ?? []) as Values[]).some(({ Type }) => Type === "redirect"),
    "the redirect to HTTPS",
  );
  yield at(
    ["http", "healthcheck"],
    http.healthcheckPath,
    group.HealthCheckPath ?? "/",
    "the path of the health check",
  );
  yield at(
    ["http", "healthcheck", "success_codes"],
    http.successCodes,
    (group.Matcher as Values | undefined)?.HttpCode,
  );
  yield at(
    ["http", "healthcheck", "grace_period"],
    http.gracePeriodSeconds,
    service.HealthCheckGracePeriodSeconds,
  );
  yield at(
    ["http", "deregistration_delay"],
    http.deregistrationDelaySeconds,
    attributes["deregistration_delay.timeout_seconds"],
  );
}

/** The values of a listener rule's condition. */
function conditionOf(rule: Values, field: "path-pattern" | "host-header"): string[] {
  const found = ((rule.Conditions ?? []) as Values[]).find(({ Field }) => Field === field);
  const config = (found?.PathPatternConfig ?? found?.HostHeaderConfig) as { Values?: string[] } | undefined;
  return config?.Values ?? [];
}

function* job(workload: Workload, stack: Stack, at: At): Generator<Comparison> {
  const machine = properties(stack, "StateMachine");
  const definition = JSON.parse(textOf(machine.DefinitionString) || "{}") as {
    TimeoutSeconds?: number;
    States?: Record<string, { Retry?: { MaxAttempts?: number }[] }>;
  };
  const retry = Object.values(definition.States ?? {})[0]?.Retry?.[0];
  const substitutions = (machine.DefinitionSubstitutions ?? {}) as Values;
  const rule = properties(stack, "Rule");
  const { schedule } = workload;
  if (typeof workload.placement === "string")
    yield at(
      ["network", "vpc", "placement"],
      workload.placement,
      substitutions.AssignPublicIp === "ENABLED" ? "public" : "private",
    );
  if (schedule && !schedule.disabled) yield at(["on", "schedule"], schedule.rule, rule.ScheduleExpression);
  yield at(
    ["on", "schedule"],
    schedule?.disabled ? "DISABLED" : "ENABLED",
    rule.State ?? "ENABLED",
    "the state of the schedule",
  );
  yield at(["timeout"], workload.timeoutSeconds, definition.TimeoutSeconds);
  yield at(["retries"], workload.retries, retry?.MaxAttempts);
}

function* published(topic: Topic, stack: Stack, at: At): Generator<Comparison> {
  const resource = properties(stack, topic.logicalId);
  const path = ["publish", "topics"];
  yield at(path, topic.resourceName, resource.TopicName, `the topic ${topic.name}`);
  yield at(path, topic.fifo, resource.FifoTopic ?? false, `FIFO of the topic ${topic.name}`);
  yield at(
    path,
    topic.contentBasedDeduplication,
    resource.ContentBasedDeduplication ?? false,
    `content-based deduplication of the topic ${topic.name}`,
  );
}

function* queued(queue: Queue, stack: Stack, at: At): Generator<Comparison> {
  const resource = properties(stack, queue.logicalId);
  const path = ["subscribe", "queue"];
  const of = (what: string) => `${what} of ${queue.logicalId}`;
  yield at(path, queue.fifo, resource.FifoQueue ?? false, of("FIFO"));
  yield at(
    path,
    queue.contentBasedDeduplication,
    resource.ContentBasedDeduplication ?? false,
    of("content-based deduplication"),
  );
  yield at(path, queue.throughputLimit, resource.FifoThroughputLimit, of("throughput limit"));
  yield at(path, queue.deduplicationScope, resource.DeduplicationScope, of("deduplication scope"));
  yield at(
    [...path, "timeout"],
    queue.visibilityTimeoutSeconds,
    resource.VisibilityTimeout ?? 30,
    of("timeout"),
  );
  yield at(
    [...path, "retention"],
    queue.retentionSeconds,
    resource.MessageRetentionPeriod ?? 345_600,
    of("retention"),
  );
  yield at([...path, "delay"], queue.delaySeconds, resource.DelaySeconds ?? 0, of("delay"));
  const redrive = resource.RedrivePolicy as Values | undefined;
  yield at([...path, "dead_letter", "tries"], queue.deadLetter?.tries, redrive?.maxReceiveCount, of("tries"));
  if (queue.deadLetter) {
    const dead = stack.resources.get(queue.deadLetter.logicalId);
    yield at(
      path,
      queue.deadLetter.retentionSeconds,
      dead?.properties.MessageRetentionPeriod,
      of("retention of the dead letters"),
    );
  }
  for (const subscription of queue.subscriptions) {
    const found = properties(stack, subscription.logicalId);
    const topic = textOf(found.TopicArn).split(":").at(-1);
    yield at(
      ["subscribe", "topics"],
      subscription.topic,
      topic,
      `the subscription ${subscription.logicalId}`,
    );
    yield at(
      ["subscribe", "topics"],
      subscription.rawDelivery,
      text(found.RawMessageDelivery ?? false) === "true",
      `raw delivery of ${subscription.logicalId}`,
    );
    yield at(
      ["subscribe", "topics"],
      subscription.filterPolicy,
      policy(found.FilterPolicy),
      `the filter of ${subscription.logicalId}`,
    );
  }
}

function policy(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : value;
}

/** Name by name; a value that is JSON in any order of its keys. */
function* each(section: string, manifest: Values, rendered: Values): Generator<Comparison> {
  for (const name of new Set([...Object.keys(manifest), ...Object.keys(rendered)])) {
    const values = [manifest[name], rendered[name]].map(fromJson);
    yield { what: `${section}.${name}`, path: [section, name], manifest: values[0], rendered: values[1] };
  }
}

function fromJson(value: unknown): unknown {
  if (typeof value !== "string" || !/^[{[]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function properties(stack: Stack, id: string): Values {
  return stack.resources.get(id)?.properties ?? {};
}

function platform({ platform }: Workload): string {
  return /arm/i.test(platform) ? "ARM64" : "X86_64";
}

function architecture(task: Values): string {
  const given = (task.RuntimePlatform as Values | undefined)?.CpuArchitecture;
  return text(given) === "ARM64" ? "ARM64" : "X86_64";
}

function healthcheck({ image }: Workload): Values | undefined {
  if (!image.healthcheck) return undefined;
  const { command, intervalSeconds, timeoutSeconds, retries, startPeriodSeconds } = image.healthcheck;
  return {
    Command: command,
    Interval: intervalSeconds,
    Timeout: timeoutSeconds,
    Retries: retries,
    StartPeriod: startPeriodSeconds,
  };
}

function named(list: unknown, value: string, key = "Name"): Values {
  return Object.fromEntries(((list ?? []) as Values[]).map((item) => [String(item[key]), item[value]]));
}

/** The manifest's own, then what Copilot gives and addons add. */
function variables(workload: Workload, stack: Stack, cloud: CloudFormation, environment: string): Values {
  const { name, http, queue, topicQueues, publishes, type } = workload;
  const application = stack.tags["copilot-application"] ?? "";
  const ref = (id: string): unknown => stack.resources.get(id)?.ref;
  const given: Values = {
    COPILOT_APPLICATION_NAME: application,
    COPILOT_ENVIRONMENT_NAME: environment,
    COPILOT_SERVICE_NAME: name,
    COPILOT_SERVICE_DISCOVERY_ENDPOINT: `${environment}.${application}.local`,
  };
  const balancer = stack.resources.get("EnvControllerAction")?.data;
  if (http && type === "Load Balanced Web Service")
    given.COPILOT_LB_DNS = balancer?.PublicLoadBalancerDNSName;
  if (http && type === "Backend Service") given.COPILOT_LB_DNS = balancer?.InternalLoadBalancerDNSName;
  if (queue) given.COPILOT_QUEUE_URI = ref(queue.logicalId);
  if (topicQueues.length > 0)
    given.COPILOT_TOPIC_QUEUE_URIS = JSON.stringify(
      Object.fromEntries(topicQueues.map((own) => ["key" in own.env ? own.env.key : "", ref(own.logicalId)])),
    );
  if (publishes.length > 0)
    given.COPILOT_SNS_TOPIC_ARNS = JSON.stringify(
      Object.fromEntries(publishes.map((topic) => [topic.key, ref(topic.logicalId)])),
    );
  const own = Object.entries(workload.variables).map(([key, variable]) => [
    key,
    "value" in variable ? variable.value : cloud.exports.get(variable.fromCfn)?.value,
  ]);
  return { ...given, ...addonVariables(stack, cloud), ...Object.fromEntries(own) };
}

/** Outputs of the workload's addons that are no secret, policy or security group: variables in capitals. */
function addonVariables(stack: Stack, cloud: CloudFormation): Values {
  const nested = stack.resources.get("AddonsStack");
  const addons = nested && cloud.find(nested.ref);
  if (!addons) return {};
  const special = new Set([...addons.resources.values()].filter(isInjectedOtherwise).map(({ ref }) => ref));
  const outputs = Object.entries(addons.outputs).filter(([, value]) => !special.has(value));
  return Object.fromEntries(outputs.map(([name, value]) => [outputVariable(name), value]));
}

function isInjectedOtherwise({ type }: Resource): boolean {
  return ["AWS::SecretsManager::Secret", "AWS::IAM::ManagedPolicy", "AWS::EC2::SecurityGroup"].includes(type);
}

function secrets(workload: Workload, cloud: CloudFormation): Values {
  const { region, account } = cloud.place;
  return Object.fromEntries(
    Object.entries(workload.secrets).map(([name, secret]) => {
      if ("ssm" in secret) return [name, secret.ssm];
      if ("fromCfn" in secret) return [name, cloud.exports.get(secret.fromCfn)?.value];
      return [name, `arn:aws:secretsmanager:${region}:${account}:secret:${secret.secretsManager}`];
    }),
  );
}
