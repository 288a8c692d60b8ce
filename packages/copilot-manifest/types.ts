import type { Files } from "./files.ts";

export type { Files };

/** A place in a file. `file` is relative to the workspace root with `/`; `line` and `column` count from 1. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

/** A mistake, as data. `rule` names the kind (`unknown-key`, `no-publisher`, …); `hint` says what to do next. */
export interface Problem extends Position {
  rule: string;
  message: string;
  hint?: string;
  /** On house rules, which are opinions; absent on what Copilot or AWS refuses, ignores or loses. */
  set?: "strict";
}

/** A YAML value that remembers where it was written. Anchors, aliases and merge keys are already followed. */
export type Node = ScalarNode | ListNode | MapNode;
export interface ScalarNode {
  kind: "scalar";
  value: string | number | boolean | null;
  /** As written, before YAML gave it a type: `"0.5"`, `007`, `1.10`. */
  text: string;
  /** A literal block (`|`) is never turned into a list by interpolation; a quoted number is a text. */
  style: "plain" | "quoted" | "block";
  /** A `${NAME}` that had no value is still in the text: what it will be cannot be judged. */
  unresolved?: boolean;
  /** A tag of one's own (`!Something`): such a value is not interpolated. */
  tag?: string;
  /** A value that is left out, in braces or brackets. */
  flow?: true;
  at: Position;
}
export interface ListNode {
  kind: "list";
  items: Node[];
  /** Written as a text with a JSON list in it, which Copilot makes a list. */
  json?: true;
  at: Position;
}
export interface MapNode {
  kind: "map";
  entries: Map<string, Entry>;
  at: Position;
}
export interface Entry {
  key: Position;
  value: Node;
  /** Holds an anchor that an alias elsewhere uses: a place for definitions, not a setting. */
  defines?: boolean;
}

/** One file of the workspace, read. `root` is undefined when it is empty or not YAML. */
export interface Source {
  name: string;
  file: string;
  root: MapNode | undefined;
}
export interface WorkloadSource extends Source {
  /** The manifest's `type`, as written. */
  type: string;
}

/** Everything that lies under `copilot/`, read but not yet seen for one environment. */
export interface Workspace {
  /** The repository's root, the parent of `copilot/`. */
  root: string;
  /** Where it was read from, and where patches and addons are. */
  files: Files;
  application: string;
  /** Names of the folders in `copilot/environments/` that hold a manifest. Empty: nothing here can say which exist. */
  environments: string[];
  environmentManifests: Map<string, Source>;
  workloads: Map<string, WorkloadSource>;
  pipelines: Map<string, Source>;
  problems: Problem[];
}

/** One environment's view: interpolated, merged, with Copilot's defaults. */
export interface Resolved {
  application: string;
  environment: string;
  workloads: Workload[];
  topology: Topology;
  problems: Problem[];
}

export type WorkloadType =
  | "Load Balanced Web Service"
  | "Request-Driven Web Service"
  | "Backend Service"
  | "Worker Service"
  | "Static Site"
  | "Scheduled Job";

export interface ContainerHealthCheck {
  command: string[];
  intervalSeconds: number;
  timeoutSeconds: number;
  retries: number;
  startPeriodSeconds: number;
}

export interface Build {
  /** Both relative to the workspace root, as Copilot resolves them. */
  dockerfile: string;
  context: string;
  args: Record<string, string>;
  target?: string;
}

export type Variable = { value: string } | { fromCfn: string };
export type Secret = { ssm: string } | { secretsManager: string } | { fromCfn: string };

export interface Http {
  path: string;
  healthcheckPath: string;
  healthcheckPort?: number;
  successCodes?: string;
  targetPort?: number;
  targetContainer?: string;
  alias: string[];
  gracePeriodSeconds: number;
  deregistrationDelaySeconds: number;
}

export interface Schedule {
  /** As written in `on.schedule`. */
  expression: string;
  /** What Copilot writes into the EventBridge rule; undefined for `none` (rule disabled). */
  rule?: string;
  /** A croner pattern (five fields, UTC). Undefined for `none` and for rates. */
  cron?: string;
  /** Seconds between runs, for rates. */
  everySeconds?: number;
  disabled: boolean;
}

export interface Scaling {
  min: number;
  max: number;
  spotFrom?: number;
  cpuPercentage?: number;
  memoryPercentage?: number;
  requests?: number;
  responseTimeSeconds?: number;
  /** Messages per task that the backlog metric aims at. */
  queueDelayTarget?: number;
}

export interface Workload {
  name: string;
  type: WorkloadType;
  /** The manifest, relative to the root. */
  file: string;
  image: { build?: Build; location?: string; port?: number; healthcheck?: ContainerHealthCheck };
  /** Absent: the image's own. */
  command?: string[];
  entrypoint?: string[];
  http?: Http;
  /** Service Connect: `alias` (default: the workload's name) is set only where the service has a port. */
  connect?: { alias?: string; port?: number };
  /** Service discovery name, `<workload>.<env>.<app>.local`; absent for jobs and static sites. */
  discoveryName?: string;
  cpu: number;
  memory: number;
  count: number | Scaling;
  placement: "public" | "private" | { ids: string[] };
  securityGroups: (string | { fromCfn: string })[];
  platform: string;
  exec: boolean;
  variables: Record<string, Variable>;
  secrets: Record<string, Secret>;
  envFile?: string;
  publishes: Topic[];
  /** Worker Services: the default queue, `COPILOT_QUEUE_URI`. */
  queue?: Queue;
  topicQueues: Queue[];
  /** Scheduled Jobs only. */
  schedule?: Schedule;
  timeoutSeconds?: number;
  retries?: number;
  logRetentionDays: number;
  /** The whole merged manifest as plain values, for what has no field of its own. */
  manifest: Record<string, unknown>;
  /** Where the value at this path was written; the nearest parent's place when it was not written at all. */
  source(path: (string | number)[]): Position;
}

export interface Topic {
  /** As in the manifest, without `.fifo`. */
  name: string;
  workload: string;
  /** `<app>-<env>-<workload>-<name>[.fifo]`: the name in the ARN. */
  resourceName: string;
  /** The key of `COPILOT_SNS_TOPIC_ARNS`: the name, with `.fifo` where it is one. */
  key: string;
  /** Its id in the workload's stack; addons.parameters.yml may `!Ref` it. */
  logicalId: string;
  fifo: boolean;
  contentBasedDeduplication: boolean;
  at: Position;
}

export interface Subscription {
  /** resourceName of the topic. */
  topic: string;
  /** As written: the topic's name without `.fifo`, and the workload that publishes it. */
  name: string;
  service: string;
  rawDelivery: boolean;
  filterPolicy?: Record<string, unknown>;
  logicalId: string;
  at: Position;
}

export interface DeadLetter {
  tries: number;
  resourceName: string;
  logicalId: string;
  retentionSeconds: number;
}

export interface Queue {
  workload: string;
  /** `EventsQueue`, or `<service><Topic>EventsQueue` for a topic's own queue: its id in the stack. */
  logicalId: string;
  /** `<app>-<env>-<workload>-<logicalId>[.fifo]`, at most 80 characters; CloudFormation adds a random part to it. */
  resourceName: string;
  fifo: boolean;
  contentBasedDeduplication: boolean;
  /** high_throughput, or throughput_limit/deduplication_scope written out. */
  throughputLimit?: "perMessageGroupId" | "perQueue";
  deduplicationScope?: "messageGroup" | "queue";
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  delaySeconds: number;
  deadLetter?: DeadLetter;
  /** How the container learns of it. */
  env: { variable: "COPILOT_QUEUE_URI" } | { variable: "COPILOT_TOPIC_QUEUE_URIS"; key: string };
  subscriptions: Subscription[];
  at: Position;
}

export interface Topology {
  topics: Topic[];
  queues: Queue[];
}

/** One merged addons template with its parameters, as Copilot would hand it to CloudFormation. */
export interface AddonStack {
  /** The workload whose stack nests it; undefined for the environment's. */
  workload: string | undefined;
  application: string;
  environment: string;
  /** The template files, relative to the root, in the order in which Copilot merges them. */
  files: string[];
  parameters: Map<string, AddonParameter>;
  mappings: MapNode | undefined;
  conditions: MapNode | undefined;
  resources: Map<string, AddonResource>;
  outputs: Map<string, AddonOutput>;
  problems: Problem[];
}

export interface AddonParameter {
  default?: Node;
  /** From addons.parameters.yml; refers to the parent's stack, not to this one. */
  value?: Node;
  at: Position;
}

export interface AddonResource {
  type: string;
  /** Name of a condition of the stack: without it being true the resource does not exist. */
  condition?: string;
  /** As written, intrinsics in long form (`{ "Fn::Sub": … }`, `{ Ref: … }`). */
  properties: Node | undefined;
  node: Node;
  at: Position;
}

export interface AddonOutput {
  value: Node | undefined;
  exportName?: Node;
  condition?: string;
  at: Position;
}

/** What names mean where the stack is run. `undefined`: not known here; the expression ends in `unresolved`. */
export interface Meanings {
  /** `!Ref` of a resource of this stack; in addons.parameters.yml of one of the parent's (then `resource` is undefined). */
  ref(logicalId: string, resource: EvaluatedResource | undefined): unknown;
  /** `!GetAtt`, the same way. */
  getAtt(logicalId: string, attribute: string, resource: EvaluatedResource | undefined): unknown;
  /** A parameter that neither App, Env and Name, nor addons.parameters.yml, nor a default answers. */
  parameter?(name: string): unknown;
  importValue?(name: string): unknown;
  /** `AWS::Region`, `AWS::AccountId`, … Without it: ap-northeast-1, twelve zeros, partition aws, amazonaws.com. */
  pseudo?(name: string): string | undefined;
}

export interface EvaluatedResource {
  logicalId: string;
  type: string;
  /** What could not be evaluated is left out. */
  properties: Record<string, unknown>;
  at: Position;
}

export interface EvaluatedOutput {
  /** undefined when it could not be evaluated. */
  value: unknown;
  exportName?: string;
  at: Position;
}

export interface EvaluatedStack {
  workload: string | undefined;
  resources: Map<string, EvaluatedResource>;
  outputs: Map<string, EvaluatedOutput>;
  /** What Copilot does with a workload's outputs; empty for the environment's stack. */
  injected: {
    /** `FEED_BUCKET_NAME` → value, into every container. */
    variables: Record<string, string>;
    /** Outputs that `!Ref` a SecretsManager secret. */
    secrets: Record<string, string>;
    /** Outputs that `!Ref` a managed policy: attached to the task role. */
    policies: string[];
    /** Outputs that `!Ref` a security group: attached to the service. */
    securityGroups: string[];
  };
  unresolved: Unresolved[];
}

/** An expression that had no value, and where it was written. */
export interface Unresolved {
  expression: string;
  reason: "reference" | "attribute" | "parameter" | "import" | "mapping" | "function" | "cycle";
  at: Position;
}

/** `recommended`: what Copilot or AWS refuses, ignores or loses. `strict` adds house rules, which are opinions. */
export type RuleSet = "recommended" | "strict";

/** What no manifest can say; `copilot-manifest.yml` beside `copilot/`. */
export interface Settings {
  /** Default: recommended. */
  rules?: RuleSet;
  /** The environments that people live from. Absent: those that a pipeline deploys only after approval. */
  production?: string[];
  /** Services of the application that live in other repositories. */
  elsewhere: string[];
  /** Absent: code is not looked at. */
  code?: {
    /** Paths of a workload's entry module, the first that exists: `{name}`, `{context}` and build arguments (`{WORKLOAD}`) stand in braces. */
    entries: string[];
    /** The same for Lambda functions of addons: `{code}` is the local path of their code. */
    functions: string[];
    /** The function whose first argument's keys are the variables that the workload reads. */
    call: string;
    /** Variables that something reads which no scan can see. */
    read: string[];
  };
  workloads: Record<string, WorkloadSettings>;
  except: Exception[];
}

export interface WorkloadSettings {
  /** Instead of `code.entries`. */
  entry?: string;
  /** Instead of looking at the code: the variables that it reads. */
  keys?: { required: string[]; optional: string[] };
  /** Instead of looking at the code: the health paths that it serves. */
  health?: string[];
  /** The longest that one message may take. */
  handlerLimitSeconds?: number;
}

/** A rule that this workspace does not keep, and why; for one workload or environment where they are named. */
export interface Exception {
  rule: string;
  workload?: string;
  environment?: string;
  reason: string;
  at: Position;
}
