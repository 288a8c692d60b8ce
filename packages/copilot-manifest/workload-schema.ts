import {
  any,
  bool,
  cidr,
  dictOf,
  duration,
  durationBetween,
  either,
  exactDuration,
  float,
  int,
  intBetween,
  listOf,
  map,
  oneOf,
  string,
  stringOrList,
  strings,
  type MapSchema,
  type ScalarSchema,
  type Schema,
} from "./schema.ts";
import type { WorkloadType } from "./types.ts";

const port = intBetween(1, 65_535, "a TCP or UDP port");
const fromCfn = map({ from_cfn: string });
const stringOrFromCfn = either({ scalar: string, map: fromCfn });
const variables = dictOf(stringOrFromCfn);
const secret = either({ scalar: string, map: map({ from_cfn: string, secretsmanager: string }) });
const secrets = dictOf(secret);
const envFile: ScalarSchema = {
  kind: "string",
  refuse: (text) => (text.endsWith(".env") ? undefined : "must end in .env"),
};

const build = either({
  scalar: string,
  map: map({
    dockerfile: string,
    context: string,
    args: dictOf(string),
    target: string,
    cache_from: strings,
  }),
});
const dependsOn = dictOf(oneOf("start", "complete", "success", "healthy"));
const containerHealthcheck = map({
  command: strings,
  interval: durationBetween("5s", "300s", "ECS's limit for a health check's interval"),
  timeout: durationBetween("2s", "60s", "ECS's limit for a health check's timeout"),
  retries: intBetween(1, 10, "ECS's limit for a health check's retries"),
  start_period: durationBetween("0s", "300s", "ECS's limit for a health check's start period"),
});

const imageKeys = {
  build,
  location: string,
  credentials: string,
  labels: dictOf(string),
  depends_on: dependsOn,
};
const image = (extra: Record<string, Schema>) => map({ ...imageKeys, ...extra }, [["build"], ["location"]]);

const healthPath: ScalarSchema = {
  kind: "string",
  refuse: (text) => (text === "" ? "must be a path: Copilot refuses the empty text" : undefined),
};
const httpHealthcheck = either({
  scalar: healthPath,
  map: map({
    path: string,
    port,
    success_codes: string,
    healthy_threshold: intBetween(2, 10, "the load balancer's limit"),
    unhealthy_threshold: intBetween(2, 10, "the load balancer's limit"),
    timeout: durationBetween("2s", "120s", "the load balancer's limit"),
    interval: durationBetween("5s", "300s", "the load balancer's limit"),
    grace_period: duration,
  }),
});
/** App Runner's own limits, with its load balancer. */
const appRunnerHealthcheck = either({
  scalar: string,
  map: map({
    path: string,
    port,
    success_codes: string,
    healthy_threshold: intBetween(1, 20, "App Runner's limit"),
    unhealthy_threshold: intBetween(1, 20, "App Runner's limit"),
    timeout: durationBetween("1s", "20s", "App Runner's limit"),
    interval: durationBetween("1s", "20s", "App Runner's limit"),
    grace_period: duration,
  }),
});
const alias = either({
  scalar: string,
  list: listOf(either({ scalar: string, map: map({ name: string, hosted_zone: string }) })),
});
const routingRule = {
  path: string,
  version: oneOf("grpc", "http1", "http2"),
  healthcheck: httpHealthcheck,
  stickiness: bool,
  alias,
  deregistration_delay: durationBetween("0s", "3600s", "the load balancer's limit"),
  target_container: string,
  target_port: port,
  allowed_source_ips: listOf(cidr),
  hosted_zone: string,
  redirect_to_https: bool,
};
const http: MapSchema = {
  ...map({
    ...routingRule,
    alb: string,
    targetContainer: string,
    additional_rules: listOf(map(routingRule)),
  }),
  renamed: { targetContainer: "target_container" },
};

const portWith = (...protocols: string[]): ScalarSchema => ({
  kind: "string",
  refuse: (text) => {
    const [, number = "", protocol] = /^(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
    const known = protocol === undefined || protocols.includes(protocol.toLowerCase());
    return known && Number(number) > 0 && Number(number) < 65_536
      ? undefined
      : `must be like 8080 or 8080/${protocols[0]} (${protocols.join(", ")})`;
  },
});
const nlbListener = {
  port: portWith("tcp", "udp", "tls"),
  healthcheck: map({
    port,
    healthy_threshold: int,
    unhealthy_threshold: int,
    timeout: duration,
    interval: duration,
    grace_period: duration,
  }),
  target_container: string,
  target_port: port,
  ssl_policy: string,
  stickiness: bool,
  deregistration_delay: duration,
};
const nlb = map({ ...nlbListener, alias, additional_listeners: listOf(map(nlbListener)) });

const cooldown = map({ in: duration, out: duration });
const scaling = (scalar: ScalarSchema) => either({ scalar, map: map({ value: scalar, cooldown }) });
const percentage = intBetween(0, 100, "a percentage");
const tasks = intBetween(0, 5000, "ECS's limit for tasks of a service");
const count = either({
  scalar: tasks,
  map: map(
    {
      spot: int,
      range: either({ scalar: string, map: map({ min: tasks, max: tasks, spot_from: tasks }) }),
      cooldown,
      cpu_percentage: scaling(percentage),
      memory_percentage: scaling(percentage),
      requests: scaling(int),
      response_time: scaling(duration),
      queue_delay: map({
        acceptable_latency: exactDuration,
        msg_processing_time: exactDuration,
        cooldown,
      }),
    },
    [
      ["spot"],
      [
        "range",
        "cooldown",
        "cpu_percentage",
        "memory_percentage",
        "requests",
        "response_time",
        "queue_delay",
      ],
    ],
  ),
});

const efs = either({
  scalar: bool,
  map: map(
    {
      id: stringOrFromCfn,
      root_dir: string,
      auth: map({ iam: bool, access_point_id: string }),
      uid: int,
      gid: int,
    },
    [
      ["uid", "gid"],
      ["id", "root_dir", "auth"],
    ],
  ),
});
const containerPath: ScalarSchema = {
  kind: "string",
  refuse: (text) =>
    /^[\w.\-/]+$/.test(text) ? undefined : "may hold letters, digits, `.`, `-`, `_` and `/` only",
};
const storage = map({
  ephemeral: intBetween(20, 200, "GiB, Fargate's limit"),
  readonly_fs: bool,
  volumes: dictOf(map({ efs, path: containerPath, read_only: bool }), true),
});

const platform = either({
  scalar: oneOf("linux/amd64", "linux/x86_64", "linux/arm", "linux/arm64", "windows/amd64", "windows/x86_64"),
  map: map({ osfamily: string, architecture: string }),
});
const task = {
  cpu: int,
  memory: int,
  platform,
  count,
  // Any map, `{ enable: false }` included, turns it on, and stays when an environment writes `exec: false`.
  exec: either({ scalar: bool, map: map({ enable: bool }), sticky: "map-wins" }),
  variables,
  env_file: envFile,
  secrets,
  storage,
};
const command = { entrypoint: stringOrList, command: stringOrList };
const retention: ScalarSchema = {
  kind: "int",
  refuse: (text) =>
    logRetentions.has(Number(text))
      ? undefined
      : `must be a number of days that CloudWatch Logs knows: ${[...logRetentions].join(", ")}`,
};
const logRetentions = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]);
const logging = map({
  retention,
  image: string,
  destination: dictOf(string),
  enableMetadata: bool,
  secretOptions: secrets,
  configFilePath: string,
  variables,
  secrets,
  env_file: envFile,
});
const mountPoint = { path: containerPath, read_only: bool };
const sidecars = dictOf(
  map({
    port: portWith("tcp", "udp"),
    image: either({ scalar: string, map: map({ build, location: string }, [["build"], ["location"]]) }),
    essential: bool,
    credentialsParameter: string,
    variables,
    env_file: envFile,
    secrets,
    mount_points: listOf(map({ source_volume: string, ...mountPoint })),
    labels: dictOf(string),
    depends_on: dependsOn,
    healthcheck: containerHealthcheck,
    ...command,
  }),
  true,
);

const subnets = either({ list: strings, map: map({ from_tags: dictOf(stringOrList) }) });
const placement = either({ scalar: oneOf("public", "private"), map: map({ subnets }) });
const network = map({
  vpc: map({
    placement,
    security_groups: either({
      list: listOf(stringOrFromCfn),
      map: map({ groups: listOf(stringOrFromCfn), deny_default: bool }),
    }),
  }),
  connect: either({ scalar: bool, map: map({ alias: string }) }),
});

const topicName: ScalarSchema = {
  kind: "string",
  refuse: (text) => {
    if (text.endsWith(".fifo"))
      return "never carries .fifo: write `fifo: true` beside the name, or `queue.fifo` in a worker";
    return /^[A-Za-z0-9_-]+$/.test(text) ? undefined : "may hold letters, digits, `-` and `_` only";
  },
};
const publish = map({
  topics: listOf(
    map({ name: topicName, fifo: either({ scalar: bool, map: map({ content_based_deduplication: bool }) }) }),
  ),
});
const queueFields = {
  retention: durationBetween("60s", "336h", "SQS keeps a message 1 minute to 14 days"),
  delay: durationBetween("0s", "15m", "SQS delays up to 15 minutes"),
  timeout: durationBetween("0s", "12h", "SQS hides a message up to 12 hours"),
  dead_letter: map({ tries: intBetween(1, 1000, "SQS's limit for maxReceiveCount") }),
  // Copilot has no transformer for this union: `true` wins over any map, and `false` does not take a map away.
  fifo: either({
    scalar: bool,
    map: map({
      content_based_deduplication: bool,
      deduplication_scope: oneOf("messageGroup", "queue"),
      throughput_limit: oneOf("perMessageGroupId", "perQueue"),
      high_throughput: bool,
    }),
    sticky: "true-wins",
  }),
};
const subscribe = map({
  topics: listOf(
    map({
      name: topicName,
      service: string,
      filter_policy: dictOf(any),
      queue: either({ scalar: bool, map: map(queueFields) }),
    }),
  ),
  queue: map(queueFields),
});

const rollbackAlarms = (extra: Record<string, Schema>) => {
  return either({ list: strings, map: map({ cpu_utilization: float, memory_utilization: float, ...extra }) });
};
const deployment = (extra: Record<string, Schema>) => {
  return map({ rolling: oneOf("default", "recreate"), rollback_alarms: rollbackAlarms(extra) });
};
const observability = map({ tracing: oneOf("awsxray") });
const taskdefOverrides = listOf(map({ path: string, value: any }));

const ecs = { ...command, ...task, logging, sidecars, network, publish, taskdef_overrides: taskdefOverrides };

const tables: Record<WorkloadType, Record<string, Schema>> = {
  "Load Balanced Web Service": {
    ...ecs,
    image: image({ port, healthcheck: containerHealthcheck }),
    http: either({ scalar: bool, map: http }),
    nlb,
    deployment: deployment({}),
    observability,
  },
  "Backend Service": {
    ...ecs,
    image: image({ port, healthcheck: containerHealthcheck }),
    http,
    deployment: deployment({}),
    observability,
  },
  "Worker Service": {
    ...ecs,
    image: image({ healthcheck: containerHealthcheck }),
    subscribe,
    deployment: deployment({ messages_delayed: int }),
    observability,
  },
  "Scheduled Job": {
    ...ecs,
    image: image({ healthcheck: containerHealthcheck }),
    on: map({ schedule: string }),
    retries: int,
    timeout: string,
  },
  "Request-Driven Web Service": {
    http: map({
      healthcheck: appRunnerHealthcheck,
      alias: string,
      private: either({ scalar: bool, map: map({ endpoint: string }) }),
    }),
    cpu: int,
    memory: int,
    platform,
    image: image({ port }),
    variables,
    secrets,
    command: string,
    tags: dictOf(string),
    publish,
    network: map({ vpc: map({ placement }) }),
    observability,
    count: string,
  },
  "Static Site": {
    http: map({ alias: string, certificate: string }),
    files: listOf(
      map({
        source: string,
        destination: string,
        recursive: bool,
        exclude: stringOrList,
        reinclude: stringOrList,
      }),
    ),
  },
};

export const workloadTypes = Object.keys(tables) as WorkloadType[];

export function isWorkloadType(type: string): type is WorkloadType {
  return Object.hasOwn(tables, type);
}

/** What an environment may override: everything but `name`, `type` and `environments`. */
export function overridable(type: WorkloadType): MapSchema {
  return map(tables[type]);
}

/** The whole manifest of a workload of this type. */
export function workloadSchema(type: WorkloadType): MapSchema {
  return map({ name: string, type: string, ...tables[type], environments: dictOf(overridable(type), true) });
}
