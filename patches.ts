// Writes copilot/*/overrides/cfn.patches.yml: what every stack of a kind needs, and one entry for each topic, subscription
// and secret of the manifest. `node patches.ts` writes, `--check` only compares.
// A patch whose path is absent stops Copilot, so an environment must not have what another lacks: the shape is the manifest's.
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseDuration, readWorkspace, resolve } from "copilot-manifest";
import type { Queue, Workload } from "copilot-manifest";
import { stringify } from "yaml";

type Json = string | number | boolean | Json[] | { [key: string]: Json };
type Patch = { op: "add" | "replace" | "remove"; path: string; value?: Json };
type Section = { why: string; patches: Patch[] };

/** What a person must decide; its message is all there is to say. */
class Mistake extends Error {}

const sub = (text: string): Json => ({ "Fn::Sub": text });
const getAtt = (id: string, attribute: string): Json => ({ "Fn::GetAtt": [id, attribute] });
const imported = (name: string): Json => ({ "Fn::ImportValue": sub(`\${AppName}-\${EnvName}-${name}`) });
const arn = (service: string, rest: string) =>
  sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`);
const set = (id: string, path: string, value: Json): Patch => ({
  op: "add",
  path: `/Resources/${id}/Properties/${path}`,
  value,
});
const resource = (id: string, value: { [key: string]: Json }): Patch => ({
  op: "add",
  path: `/Resources/${id}`,
  value,
});

/** One workload as every environment sees it; what must not differ is taken from the first. */
type Views = [Workload, ...Workload[]];

function patchesOf(views: Views): Section[] {
  const [workload] = views;
  const job = workload.type === "Scheduled Job";
  const sections = [runtimes(workload), logs(workload), user()];
  if (!job) sections.push(stopping(workload), breaker(), zones(), collector());
  sections.push(...secrets(views));
  if (workload.queue) sections.push(...queue(workload.queue));
  if (workload.publishes.length > 0) sections.push(throughput(workload));
  const alarms = job ? jobAlarms() : serviceAlarms(workload);
  sections.push(alarms);
  return sections;
}

function runtimes({ type, count, http }: Workload): Section {
  const functions = ["EnvControllerFunction"];
  if (http) functions.push("RulePriorityFunction");
  if (typeof count === "object") functions.push("DynamicDesiredCountFunction");
  if (typeof count === "object" && type === "Worker Service")
    functions.push("BacklogPerTaskCalculatorFunction");
  return {
    why: "The Lambdas that Copilot generates ask for nodejs20.x, which Lambda no longer supports.",
    patches: functions.map((id) => ({
      op: "replace",
      path: `/Resources/${id}/Properties/Runtime`,
      value: "nodejs24.x",
    })),
  };
}

function logs({ type, count }: Workload): Section {
  const groups = ["LogGroup"];
  if (typeof count === "object" && type === "Worker Service") groups.push("BacklogPerTaskCalculatorLogGroup");
  return {
    why: "Logs are encrypted with the environment's key (copilot/environments/overrides).",
    patches: groups.map((id) => set(id, "KmsKeyId", imported("LogKeyArn"))),
  };
}

const container = "ContainerDefinitions/0";

function user(): Section {
  return {
    why: "Never root, whatever the image says.",
    patches: [set("TaskDefinition", `${container}/User`, "1000:1000")],
  };
}

/** The container that `observability.tracing` adds after the workload's own. */
function collector(): Section {
  const set1 = (property: string, value: Json) =>
    set("TaskDefinition", `ContainerDefinitions/1/${property}`, value);
  return {
    why: "Copilot's collector is of 2022, and takes the task with it when it ends: spans are worth less than a sale.",
    patches: [
      set1("Image", "public.ecr.aws/aws-observability/aws-otel-collector:v0.48.0"),
      set1("Essential", false),
      set1("Memory", 128),
      set1("User", "1000:1000"),
      set1("ReadonlyRootFilesystem", true),
    ],
  };
}

function stopping({ type }: Workload): Section {
  const worker = type === "Worker Service";
  return {
    why: worker
      ? "Time to finish what is in hand when a task is stopped: 120 s is Fargate's limit, and Copilot has no field for it."
      : "Time to finish what is in hand when a task is stopped; ECS's default is 30 s, and Copilot has no field for it.",
    patches: [set("TaskDefinition", `${container}/StopTimeout`, worker ? 120 : 60)],
  };
}

function breaker(): Section {
  const path = "DeploymentConfiguration/DeploymentCircuitBreaker/ResetOnHealthyTask";
  return {
    why: "A task that is healthy for a moment and then crashes counts: by default each healthy one starts the count anew.",
    patches: [set("Service", path, false)],
  };
}

function zones(): Section {
  return {
    why: "After a zone was away its share of the tasks comes back by itself.",
    patches: [set("Service", "AvailabilityZoneRebalancing", "ENABLED")],
  };
}

/** Copilot lets the agent read every secret with the environment's tags; here it reads what this manifest lists. */
function secrets(views: Views): Section[] {
  const listed = views.flatMap(({ name, secrets: own }) =>
    Object.values(own).map((secret) => {
      if (!("ssm" in secret))
        throw new Mistake(`${name}: a secret that is no SSM parameter; teach patches.ts its permission.`);
      // The manifest was read for one environment; the patch serves all.
      return secret.ssm.replace(/^\/copilot\/[^/]+\/[^/]+\//, "/copilot/${AppName}/${EnvName}/");
    }),
  );
  const names = [...new Set(listed)].toSorted();
  const policies = "/Resources/ExecutionRole/Properties/Policies/0";
  if (names.length === 0) {
    const why =
      "The manifest lists no secret and no env_file, so starting a task takes no permission beyond the image and the log.";
    return [{ why, patches: [{ op: "remove", path: policies }] }];
  }
  const parameters = names.map((name) => arn("ssm", `parameter${name}`));
  const statement = {
    Effect: "Allow",
    Action: ["ssm:GetParameters"],
    Resource: parameters,
    Condition: {
      StringEquals: {
        "ssm:ResourceTag/copilot-application": sub("${AppName}"),
        "ssm:ResourceTag/copilot-environment": sub("${EnvName}"),
      },
    },
  };
  return [
    {
      why: "Starting a task reads the secrets that the manifest lists. Copilot grants every one with the environment's tags.",
      patches: [{ op: "replace", path: `${policies}/PolicyDocument/Statement`, value: [statement] }],
    },
  ];
}

function queue({ subscriptions }: Queue): Section[] {
  const onlyTls = (id: string): Json => ({
    Sid: "OnlyTls",
    Effect: "Deny",
    Principal: "*",
    Action: "sqs:*",
    Resource: getAtt(id, "Arn"),
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  });
  const topics = subscriptions.map(({ service, name }) =>
    arn("sns", `\${AppName}-\${EnvName}-${service}-${name}.fifo`),
  );
  const undelivered = "UndeliveredQueue";
  return [
    {
      why: "A key that is years old is a key of the past; and SNS may use it for this account only.",
      patches: [
        set("EventsKMSKey", "EnableKeyRotation", true),
        set("EventsKMSKey", "KeyPolicy/Statement/1/Condition", {
          StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
        }),
      ],
    },
    {
      why: "Nobody speaks to the queues in clear text.",
      patches: [
        set("QueuePolicy", "PolicyDocument/Statement/-", onlyTls("EventsQueue")),
        set("DeadLetterPolicy", "PolicyDocument/Statement/-", onlyTls("DeadLetterQueue")),
      ],
    },
    {
      why: `What SNS cannot deliver, by a wrong policy or key, is lost unless a queue takes it. Not with the worker's key:
it must take messages when that key is what is wrong.`,
      patches: [
        resource(undelivered, {
          Type: "AWS::SQS::Queue",
          DeletionPolicy: "Retain",
          UpdateReplacePolicy: "Retain",
          Properties: { FifoQueue: true, MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true },
        }),
        resource("UndeliveredPolicy", {
          Type: "AWS::SQS::QueuePolicy",
          Properties: {
            Queues: [{ Ref: undelivered }],
            PolicyDocument: {
              Version: "2012-10-17",
              Statement: [
                {
                  Effect: "Allow",
                  Principal: { Service: "sns.amazonaws.com" },
                  Action: "sqs:SendMessage",
                  Resource: getAtt(undelivered, "Arn"),
                  Condition: { ArnEquals: { "aws:SourceArn": topics } },
                },
                onlyTls(undelivered),
              ],
            },
          },
        }),
      ],
    },
    {
      why: "The body is the event itself, not SNS's envelope around it. One pair for each subscription of the manifest.",
      patches: subscriptions.flatMap(({ logicalId }) => [
        set(logicalId, "RawMessageDelivery", true),
        set(logicalId, "RedrivePolicy", { deadLetterTargetArn: getAtt(undelivered, "Arn") }),
      ]),
    },
  ];
}

function throughput({ publishes }: Workload): Section {
  return {
    why: "Throughput counts per message group, not per topic: Copilot has no field for it. One for each topic of the manifest.",
    patches: publishes.map(({ logicalId }) => set(logicalId, "FifoThroughputScope", "MessageGroup")),
  };
}

type Alarm = {
  id: string;
  name: string;
  description: string;
  namespace: string;
  metric: string;
  dimensions: { [name: string]: Json };
  statistic: "Maximum" | "Minimum" | "Sum" | "SampleCount" | "p99";
  seconds?: number;
  /** Of so many periods, so many must be beyond the threshold. */
  of?: [periods: Json, beyond: Json];
  beyond: ["GreaterThanThreshold" | "LessThanThreshold", number];
  /** Whether silence is bad news. */
  silence?: "breaching" | "notBreaching";
};

function alarm({ id, name, description, namespace, metric, dimensions, ...rest }: Alarm): Patch {
  const { statistic, seconds = 60, of: [periods, beyond] = [1, 1], silence = "notBreaching" } = rest;
  const notices = [arn("sns", "${AppName}-${EnvName}-notices")];
  return resource(id, {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: sub(`\${AppName}-\${EnvName}-\${WorkloadName}-${name}`),
      AlarmDescription: description,
      Namespace: namespace.includes("${") ? sub(namespace) : namespace,
      MetricName: metric,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      ...(statistic === "p99" ? { ExtendedStatistic: statistic } : { Statistic: statistic }),
      Period: seconds,
      EvaluationPeriods: periods,
      DatapointsToAlarm: beyond,
      ComparisonOperator: rest.beyond[0],
      Threshold: rest.beyond[1],
      TreatMissingData: silence,
      AlarmActions: notices,
      OKActions: notices,
    },
  });
}

function serviceAlarms(workload: Workload): Section {
  const patches = [memoryAlarm()];
  const rollback: string[] = [];
  if (workload.http) {
    patches.push(...webAlarms());
    rollback.push("ServerErrorsAlarm");
  }
  if (workload.queue) {
    patches.push(...queueAlarms(workload));
    rollback.push("OldestMessageAlarm", "DeadLettersAlarm");
  }
  if (workload.publishes.length > 0) {
    patches.push(...relayAlarms());
    rollback.push("LagAlarm");
  }
  if (rollback.length === 0) {
    patches.push(...errorAlarm());
    rollback.push("ErrorsAlarm");
  }
  return {
    why: "Alarms. They tell the topic of copilot/addons/notices.yml, by its name. The service waits for those that its deployments watch.",
    patches: [
      ...patches,
      ...rollback.map((id): Patch => ({ op: "add", path: "/Resources/Service/DependsOn/-", value: id })),
    ],
  };
}

function memoryAlarm(): Patch {
  return alarm({
    id: "MemoryAlarm",
    name: "memory",
    description: "Memory is short; at 100 % the task is killed",
    namespace: "AWS/ECS",
    metric: "MemoryUtilization",
    dimensions: { ClusterName: imported("ClusterId"), ServiceName: getAtt("Service", "Name") },
    statistic: "Maximum",
    of: [5, 5],
    beyond: ["GreaterThanThreshold", 85],
  });
}

function webAlarms(): Patch[] {
  const dimensions = {
    LoadBalancer: getAtt("EnvControllerAction", "PublicLoadBalancerFullName"),
    TargetGroup: getAtt("TargetGroup", "TargetGroupFullName"),
  };
  const namespace = "AWS/ApplicationELB";
  return [
    alarm({
      id: "ServerErrorsAlarm",
      name: "server-errors",
      description: "The app answers with 5xx",
      namespace,
      metric: "HTTPCode_Target_5XX_Count",
      dimensions,
      statistic: "Sum",
      of: [5, 3],
      beyond: ["GreaterThanThreshold", 5],
    }),
    alarm({
      id: "SlowAlarm",
      name: "slow",
      description: "One answer of a hundred takes longer than a second",
      namespace,
      metric: "TargetResponseTime",
      dimensions,
      statistic: "p99",
      of: [10, 8],
      beyond: ["GreaterThanThreshold", 1],
    }),
    alarm({
      id: "UnhealthyAlarm",
      name: "unhealthy",
      description: "The load balancer sees tasks that do not answer",
      namespace,
      metric: "UnHealthyHostCount",
      dimensions,
      statistic: "Maximum",
      of: [5, 5],
      beyond: ["GreaterThanThreshold", 0],
    }),
    alarm({
      id: "DownAlarm",
      name: "down",
      description: "No task answers the load balancer, or there is none",
      namespace,
      metric: "HealthyHostCount",
      dimensions,
      statistic: "Maximum",
      of: [3, 3],
      beyond: ["LessThanThreshold", 1],
      silence: "breaching",
    }),
  ];
}

function queueAlarms({ name, manifest }: Workload): Patch[] {
  const { count } = manifest as { count?: { queue_delay?: { acceptable_latency?: string } } };
  const latency = parseDuration(count?.queue_delay?.acceptable_latency ?? "");
  if (latency === undefined) throw new Mistake(`${name}: count.queue_delay.acceptable_latency is missing.`);
  const visible = (id: string, alarmName: string, queueId: string, description: string): Patch =>
    alarm({
      id,
      name: alarmName,
      description,
      namespace: "AWS/SQS",
      metric: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: getAtt(queueId, "QueueName") },
      statistic: "Maximum",
      beyond: ["GreaterThanThreshold", 0],
    });
  return [
    alarm({
      id: "OldestMessageAlarm",
      name: "oldest-message",
      description:
        "The oldest message waits longer than three times the acceptable latency; a group is stuck or tasks are too few",
      namespace: "AWS/SQS",
      metric: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: getAtt("EventsQueue", "QueueName") },
      statistic: "Maximum",
      of: [5, 3],
      beyond: ["GreaterThanThreshold", 3 * latency],
    }),
    visible(
      "DeadLettersAlarm",
      "dead-letters",
      "DeadLetterQueue",
      "A message was given up; money may wait in it, and it is deleted after 14 days",
    ),
    visible(
      "UndeliveredAlarm",
      "undelivered",
      "UndeliveredQueue",
      "SNS could not deliver to the queue: its policy or its key is wrong; the message is deleted after 14 days",
    ),
  ];
}

/** backend-outbox measures itself once a minute (its figures.ts); silence is the worst figure. */
function relayAlarms(): Patch[] {
  const figure = (
    id: string,
    name: string,
    metric: string,
    [periods, limit]: [number, number],
    description: string,
  ) =>
    alarm({
      id,
      name,
      description,
      namespace: "${AppName}",
      metric,
      dimensions: { env: sub("${EnvName}"), service: sub("${WorkloadName}") },
      statistic: "Maximum",
      of: [periods, periods],
      beyond: ["GreaterThanThreshold", limit],
    });
  return [
    figure("LagAlarm", "lag", "OutboxLag", [5, 10_000], "Events leave more than ten seconds late"),
    figure("DepthAlarm", "depth", "OutboxDepth", [5, 5000], "More than 5,000 events wait to leave"),
    figure("BlockedAlarm", "blocked", "OutboxBlockedGroups", [1, 0], "A group of events waits for a person"),
    alarm({
      id: "SilentAlarm",
      name: "silent",
      description: "No relay has said for three minutes that it works; nothing leaves the outbox",
      namespace: "${AppName}",
      metric: "OutboxLag",
      dimensions: { env: sub("${EnvName}"), service: sub("${WorkloadName}") },
      statistic: "SampleCount",
      of: [3, 3],
      beyond: ["LessThanThreshold", 1],
      silence: "breaching",
    }),
  ];
}

/** For a service behind Service Connect, which has no load balancer to count its answers: errors in its log. */
function errorAlarm(): Patch[] {
  const namespace = "${AppName}-${EnvName}-${WorkloadName}";
  return [
    resource("ErrorLines", {
      Type: "AWS::Logs::MetricFilter",
      Properties: {
        LogGroupName: { Ref: "LogGroup" },
        FilterPattern: '{ $.level = "error" || $.level = "fatal" }',
        MetricTransformations: [
          { MetricNamespace: sub(namespace), MetricName: "ErrorLines", MetricValue: "1", Unit: "Count" },
        ],
      },
    }),
    alarm({
      id: "ErrorsAlarm",
      name: "errors",
      description: "The log fills with errors",
      namespace,
      metric: "ErrorLines",
      dimensions: {},
      statistic: "Sum",
      of: [5, 3],
      beyond: ["GreaterThanThreshold", 5],
    }),
  ];
}

function jobAlarms(): Section {
  const runs = (id: string, name: string, metric: string, description: string): Patch =>
    alarm({
      id,
      name,
      description,
      namespace: "AWS/States",
      metric,
      dimensions: { StateMachineArn: { Ref: "StateMachine" } },
      statistic: "Sum",
      seconds: 300,
      beyond: ["GreaterThanThreshold", 0],
    });
  const hours: Json = {
    "Fn::FindInMap": ["HoursWithoutSuccess", { Ref: "WorkloadName" }, { Ref: "EnvName" }],
  };
  return {
    why: "Alarms. They tell the topic of copilot/addons/notices.yml, by its name. Absence is the dangerous failure: nobody else would notice.",
    patches: [
      runs("FailedAlarm", "failed", "ExecutionsFailed", "A run ended in failure"),
      runs("TimedOutAlarm", "timed-out", "ExecutionsTimedOut", "A run took longer than its limit"),
      alarm({
        id: "AbsentAlarm",
        name: "absent",
        description: "No run has succeeded for an hour longer than there may be between two",
        namespace: "AWS/States",
        metric: "ExecutionsSucceeded",
        dimensions: { StateMachineArn: { Ref: "StateMachine" } },
        statistic: "Sum",
        seconds: 3600,
        of: [hours, hours],
        beyond: ["LessThanThreshold", 1],
        silence: "breaching",
      }),
    ],
  };
}

/** Hours from one run of a schedule to the next, and one more for the run itself. The stack of each job finds its own. */
function hoursWithoutSuccess(jobs: Views[]): Section {
  const hoursOf = ({ name, schedule }: Workload): number => {
    const [, hour = ""] = /^\d+ (\S+) \* \* \*$/.exec(schedule?.cron ?? "") ?? [];
    const every = /^\*\/(\d+)$/.exec(hour)?.[1];
    if (hour === "*") return 2;
    if (every) return Number(every) + 1;
    if (/^\d+$/.test(hour)) return 25;
    throw new Mistake(`${name}: teach patches.ts how long ${schedule?.expression} may be silent.`);
  };
  const value = Object.fromEntries(
    jobs.map((views) => [
      views[0].name,
      Object.fromEntries(
        views.map((view) => [environments[views.indexOf(view)] ?? "", hoursOf(view)] as const),
      ),
    ]),
  );
  return {
    why: "Hours between two runs of the schedule, and one more.",
    patches: [{ op: "add", path: "/Mappings", value: { HoursWithoutSuccess: value } }],
  };
}

function textOf(sections: Section[]): string {
  const head = "# Written by patches.ts from the manifests: change those, then run it again.\n";
  const bodies = sections.map(({ why, patches }) => {
    const comment = why.replaceAll(/^/gm, "# ");
    return `${comment}\n${stringify(patches, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  });
  return head + bodies.join("");
}

/** Every file of patches, by its path from the root. */
function patchFiles(): Map<string, string> {
  const views = new Map<string, Workload[]>();
  for (const environment of environments) {
    // What is wrong with the manifests, `copilot-manifest check` says.
    for (const workload of resolve(workspace, environment, {}).workloads)
      views.set(workload.name, [...(views.get(workload.name) ?? []), workload]);
  }
  const found = new Map<string, string>();
  const jobs = [...views.values()].filter((of): of is Views => of[0]?.type === "Scheduled Job");
  for (const [name, of] of views) {
    const own = join(root, "copilot", name, "overrides");
    // A new workload has none yet, and gets its own.
    const folder = existsSync(own) ? realpathSync(own) : own;
    const file = relative(root, join(folder, "cfn.patches.yml"));
    const sections = patchesOf(of as Views);
    if (of[0]?.type === "Scheduled Job") sections.push(hoursWithoutSuccess(jobs));
    const text = textOf(sections);
    // Folders that are links to one are one file: the workloads behind it must want the same.
    if ((found.get(file) ?? text) !== text)
      throw new Mistake(
        `${file} is linked by ${name}, which needs other patches: give it a folder of its own.`,
      );
    found.set(file, text);
  }
  return found;
}

/** Writes the files that are not as they should be, or only names them. */
function settle(files: Map<string, string>, { checking }: { checking: boolean }): void {
  for (const [file, text] of files) {
    const path = join(root, file);
    if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
    if (checking) {
      console.error(`✘ ${file} is not what the manifests ask for: run \`node patches.ts\`.`);
      process.exitCode = 1;
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`${file} written`);
  }
}

const root = import.meta.dirname;
const workspace = readWorkspace(root);
const environments = workspace.environments;
try {
  settle(patchFiles(), { checking: process.argv.includes("--check") });
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`✘ ${error.message}`);
  process.exitCode = 1;
}
