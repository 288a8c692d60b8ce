import { posix } from "node:path";
import { parseDuration, wholeSeconds } from "./duration.ts";
import { at, entriesOf, isNull, itemsOf, positionOf, textOf, textsOf, toValue } from "./node.ts";
import { parseSchedule } from "./schedule.ts";
import { splitShell } from "./shell.ts";
import { publishedTopics, queuesOf } from "./topology.ts";
import type {
  Build,
  ContainerHealthCheck,
  Http,
  MapNode,
  Node,
  Scaling,
  Schedule,
  Secret,
  Variable,
  Workload,
  WorkloadType,
} from "./types.ts";

export interface Names {
  application: string;
  environment: string;
}

/** Reads one merged manifest into its types, with Copilot's defaults for what is not written. */
export function readWorkload(
  root: MapNode,
  name: string,
  type: WorkloadType,
  file: string,
  names: Names,
): Workload {
  const runs = type !== "Static Site";
  const appRunner = type === "Request-Driven Web Service";
  const ecsService = runs && !appRunner && type !== "Scheduled Job";
  const image = readImage(at(root, "image"));
  const http = type === "Static Site" ? undefined : readHttp(at(root, "http"));
  const queues = type === "Worker Service" ? queuesOf(root, name, names) : [];
  const optional = {
    command: commandOf(at(root, "command")),
    entrypoint: commandOf(at(root, "entrypoint")),
    http,
    connect: connectOf(root, name, image.port, http),
    discoveryName: ecsService ? `${name}.${names.environment}.${names.application}.local` : undefined,
    envFile: textOf(at(root, "env_file")),
    queue: queues.find((queue) => queue.env.variable === "COPILOT_QUEUE_URI"),
    ...(type === "Scheduled Job" ? job(root) : {}),
  };
  return {
    name,
    type,
    file,
    image,
    ...defined(optional),
    cpu: numberOf(at(root, "cpu")) ?? (appRunner ? 1024 : 256),
    memory: numberOf(at(root, "memory")) ?? (appRunner ? 2048 : 512),
    count: countOf(at(root, "count")),
    placement: placementOf(at(root, "network", "vpc", "placement")),
    securityGroups: securityGroupsOf(at(root, "network", "vpc", "security_groups")),
    platform: platformOf(at(root, "platform")),
    exec: execOf(at(root, "exec")),
    variables: record(at(root, "variables"), variableOf),
    secrets: record(at(root, "secrets"), secretOf),
    publishes: publishedTopics(root, name, names),
    topicQueues: queues.filter((queue) => queue.env.variable === "COPILOT_TOPIC_QUEUE_URIS"),
    logRetentionDays: numberOf(at(root, "logging", "retention")) ?? 30,
    manifest: toValue(root) as Record<string, unknown>,
    source: (path) => positionOf(root, path),
  };
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

export function numberOf(node: Node | undefined): number | undefined {
  return node?.kind === "scalar" && typeof node.value === "number" ? node.value : undefined;
}

export function isTrue(node: Node | undefined): boolean {
  if (node?.kind !== "scalar") return false;
  return node.value === true || /^(?:y|yes|on)$/i.test(node.text);
}

export function isFalse(node: Node | undefined): boolean {
  if (node?.kind !== "scalar") return false;
  return node.value === false || /^(?:n|no|off)$/i.test(node.text);
}

function record<T>(node: Node | undefined, read: (value: Node) => T): Record<string, T> {
  return Object.fromEntries(entriesOf(node).map(([key, { value }]) => [key, read(value)]));
}

function readImage(node: Node | undefined): Workload["image"] {
  const build = buildOf(at(node, "build"));
  const location = textOf(at(node, "location"));
  const healthcheck = containerHealthcheck(at(node, "healthcheck"));
  return defined({ build, location, port: numberOf(at(node, "port")), healthcheck });
}

/** The dockerfile is looked for in the context, the context is the dockerfile's folder, where one of the two is missing. */
function buildOf(node: Node | undefined): Build | undefined {
  const short = textOf(node);
  const dockerfile = short ?? textOf(at(node, "dockerfile"));
  const context = textOf(at(node, "context"));
  if (!dockerfile && !context && node?.kind !== "map") return undefined;
  return {
    dockerfile: posix.normalize(dockerfile ?? posix.join(context ?? ".", "Dockerfile")),
    context: posix.normalize(context ?? posix.dirname(dockerfile ?? ".")),
    args: record(at(node, "args"), (value) => textOf(value) ?? ""),
    ...defined({ target: textOf(at(node, "target")) }),
  };
}

function containerHealthcheck(node: Node | undefined): ContainerHealthCheck | undefined {
  if (node?.kind !== "map" || node.entries.size === 0) return undefined;
  return {
    command: textsOf(at(node, "command")) ?? ["CMD-SHELL", "curl -f http://localhost/ || exit 1"],
    intervalSeconds: wholeSeconds(textOf(at(node, "interval"))) ?? 10,
    timeoutSeconds: wholeSeconds(textOf(at(node, "timeout"))) ?? 5,
    retries: numberOf(at(node, "retries")) ?? 2,
    startPeriodSeconds: wholeSeconds(textOf(at(node, "start_period"))) ?? 0,
  };
}

function readHttp(node: Node | undefined): Http | undefined {
  if (node?.kind !== "map") return undefined;
  const check = at(node, "healthcheck");
  const alias = at(node, "alias");
  const aliases =
    alias?.kind === "list"
      ? alias.items.map((item) => textOf(item) ?? textOf(at(item, "name")) ?? "")
      : textsOf(alias);
  return {
    path: textOf(at(node, "path")) ?? "/",
    healthcheckPath: rooted(textOf(check) ?? textOf(at(check, "path")) ?? "/"),
    alias: aliases ?? [],
    gracePeriodSeconds: wholeSeconds(textOf(at(check, "grace_period"))) ?? 60,
    deregistrationDelaySeconds: wholeSeconds(textOf(at(node, "deregistration_delay"))) ?? 60,
    ...defined({
      healthcheckPort: numberOf(at(check, "port")),
      successCodes: textOf(at(check, "success_codes")),
      targetPort: numberOf(at(node, "target_port")),
      targetContainer: textOf(at(node, "target_container")) ?? textOf(at(node, "targetContainer")),
    }),
  };
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function commandOf(node: Node | undefined): string[] | undefined {
  if (node?.kind === "list") return node.items.length > 0 ? textsOf(node) : undefined;
  const text = textOf(node);
  return text === undefined ? undefined : splitShell(text);
}

function connectOf(
  root: MapNode,
  name: string,
  imagePort: number | undefined,
  http: Http | undefined,
): Workload["connect"] {
  const node = at(root, "network", "connect");
  const alias = textOf(at(node, "alias"));
  if (!isTrue(node) && alias === undefined) return undefined;
  const port = http?.targetPort ?? imagePort;
  // Without a port the service is a client only.
  return port === undefined ? {} : { alias: alias ?? name, port };
}

function countOf(node: Node | undefined): number | Scaling {
  if (node?.kind !== "map" || node.entries.size === 0) return numberOf(node) ?? 1;
  const spot = numberOf(at(node, "spot"));
  if (spot !== undefined) return spot;
  const [min = 0, max = 0] = rangeOf(at(node, "range"));
  const scaled = (key: string) => at(node, key, "value") ?? at(node, key);
  return {
    min,
    max,
    ...defined({
      spotFrom: numberOf(at(node, "range", "spot_from")),
      cpuPercentage: numberOf(scaled("cpu_percentage")),
      memoryPercentage: numberOf(scaled("memory_percentage")),
      requests: numberOf(scaled("requests")),
      responseTimeSeconds: secondsOf(scaled("response_time")),
      queueDelayTarget: queueDelayTarget(at(node, "queue_delay")),
    }),
  };
}

function secondsOf(node: Node | undefined): number | undefined {
  return wholeSeconds(textOf(node));
}

export function rangeOf(node: Node | undefined): number[] {
  const band = /^(\d+)-(\d+)$/.exec(textOf(node) ?? "");
  if (band) return [Number(band[1]), Number(band[2])];
  return [numberOf(at(node, "min")) ?? 0, numberOf(at(node, "max")) ?? 0];
}

/** Messages that one task may have before it: the latency divided by the time for one message, rounded up. */
function queueDelayTarget(node: Node | undefined): number | undefined {
  const latency = parseDuration(textOf(at(node, "acceptable_latency")) ?? "");
  const processing = parseDuration(textOf(at(node, "msg_processing_time")) ?? "");
  return latency && processing ? Math.ceil(latency / processing) : undefined;
}

function placementOf(node: Node | undefined): Workload["placement"] {
  const text = textOf(node);
  if (text === "private") return "private";
  const ids = textsOf(at(node, "subnets"));
  return ids ? { ids } : "public";
}

function securityGroupsOf(node: Node | undefined): Workload["securityGroups"] {
  const list = node?.kind === "map" ? at(node, "groups") : node;
  return itemsOf(list).map((item) => {
    const fromCfn = textOf(at(item, "from_cfn"));
    return fromCfn === undefined ? (textOf(item) ?? "") : { fromCfn };
  });
}

function platformOf(node: Node | undefined): string {
  if (node?.kind === "map")
    return `${textOf(at(node, "osfamily")) ?? "linux"}/${textOf(at(node, "architecture")) ?? "x86_64"}`;
  return textOf(node) ?? "linux/x86_64";
}

/** Copilot turns it on for `true` and for any map, `{ enable: false }` included. */
function execOf(node: Node | undefined): boolean {
  return isTrue(node) || (node?.kind === "map" && node.entries.size > 0);
}

function variableOf(node: Node): Variable {
  const fromCfn = textOf(at(node, "from_cfn"));
  return fromCfn === undefined ? { value: textOf(node) ?? "" } : { fromCfn };
}

function secretOf(node: Node): Secret {
  const secretsManager = textOf(at(node, "secretsmanager"));
  if (secretsManager !== undefined) return { secretsManager };
  const fromCfn = textOf(at(node, "from_cfn"));
  return fromCfn === undefined ? { ssm: textOf(node) ?? "" } : { fromCfn };
}

function job(root: MapNode): { schedule?: Schedule; timeoutSeconds?: number; retries?: number } {
  const retries = numberOf(at(root, "retries"));
  return defined({
    schedule: scheduleOf(at(root, "on", "schedule")),
    timeoutSeconds: secondsOf(at(root, "timeout")),
    // Copilot writes no retry for 0.
    retries: retries === 0 ? undefined : retries,
  });
}

function scheduleOf(node: Node | undefined): Schedule | undefined {
  const text = textOf(node);
  if (text === undefined || isNull(node)) return undefined;
  try {
    return parseSchedule(text);
  } catch {
    return { expression: text, disabled: true };
  }
}
