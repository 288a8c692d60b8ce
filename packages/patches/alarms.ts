import { parseDuration } from "copilot-manifest";
import type { Workload } from "copilot-manifest";
import { arn, getAtt, imported, Mistake, resource, sub } from "./patch.ts";
import type { Json, Patch, Section } from "./patch.ts";
import type { Views } from "./workload.ts";

type Alarm = {
  id: string;
  name: string;
  /** Who is woken: `page` now, `warn` at daylight. */
  severity: "page" | "warn";
  description: string;
  /** What to type first; `docs/alarms.md` goes on from there. */
  next: string;
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

const ops = (command: string, ...rest: string[]) => ["pnpm ops", command, "${EnvName}", ...rest].join(" ");
const ownLogs = "copilot svc logs --name ${WorkloadName} --env ${EnvName} --since 30m";
const ownStatus = "copilot svc status --name ${WorkloadName} --env ${EnvName}";

function alarm({
  id,
  name,
  severity,
  description,
  next,
  namespace,
  metric,
  dimensions,
  ...rest
}: Alarm): Patch {
  const { statistic, seconds = 60, of: [periods, beyond] = [1, 1], silence = "notBreaching" } = rest;
  const notices = [arn("sns", "${AppName}-${EnvName}-notices")];
  return resource(id, {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: sub(`\${AppName}-\${EnvName}-\${WorkloadName}-${name}`),
      AlarmDescription: sub(`[${severity}] ${description}. First: ${next} (docs/alarms.md, ${name})`),
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

/** Of a service: what it has decides what may go wrong. */
export function serviceAlarms(workload: Workload): Section {
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
    severity: "warn",
    description: "Memory is short; at 100 % the task is killed",
    next: ownStatus,
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
      severity: "page",
      description: "The app answers with 5xx",
      next: ownLogs,
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
      severity: "warn",
      description: "One answer of a hundred takes longer than a second",
      next: ownStatus,
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
      severity: "warn",
      description: "The load balancer sees tasks that do not answer",
      next: ownStatus,
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
      severity: "page",
      description: "No task answers the load balancer, or there is none",
      next: ownStatus,
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
  const ofQueue = (
    id: string,
    queueId: string,
    metric: string,
    beyond: number,
    what: Pick<Alarm, "name" | "description" | "next"> & Partial<Alarm>,
  ): Patch =>
    alarm({
      id,
      severity: "page",
      namespace: "AWS/SQS",
      metric,
      dimensions: { QueueName: getAtt(queueId, "QueueName") },
      statistic: "Maximum",
      beyond: ["GreaterThanThreshold", beyond],
      ...what,
    });
  const [visible, oldest] = ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"];
  const peek = ops("dlq peek", "${WorkloadName}");
  return [
    ofQueue("OldestMessageAlarm", "EventsQueue", oldest, 3 * latency, {
      name: "oldest-message",
      description:
        "The oldest message waits longer than three times the acceptable latency; a group is stuck or tasks are too few",
      next: ops("queues"),
      of: [5, 3],
    }),
    ofQueue("DeadLettersAlarm", "DeadLetterQueue", visible, 0, {
      name: "dead-letters",
      description: "A message was given up; money may wait in it, and it is deleted after 14 days",
      next: peek,
    }),
    ofQueue("DeadLettersOldAlarm", "DeadLetterQueue", oldest, TEN_DAYS, {
      name: "dead-letters-old",
      description: "A dead letter has waited for ten days; in four more it is deleted",
      next: peek,
    }),
    ofQueue("UndeliveredAlarm", "UndeliveredQueue", visible, 0, {
      name: "undelivered",
      description:
        "SNS could not deliver to the queue: its policy or its key is wrong; the message is deleted after 14 days",
      next: `${peek} --undelivered`,
    }),
    ofQueue("UndeliveredOldAlarm", "UndeliveredQueue", oldest, TEN_DAYS, {
      name: "undelivered-old",
      description: "What SNS could not deliver has waited for ten days; in four more it is deleted",
      next: `${peek} --undelivered`,
    }),
    figure("ParkedAlarm", "ParkedGroups", 0, {
      name: "parked",
      severity: "page",
      description: "A group of messages is parked behind one that fails, and waits for a person",
      next: ops("parked", "${WorkloadName}"),
    }),
    figure("StraysAlarm", "InboxStrays", 0, {
      name: "strays",
      severity: "warn",
      description:
        "Events were handled whose id lies in no day: a clock is wrong, or somebody made ids by hand",
      next: ops("strays", "${WorkloadName}"),
    }),
  ];
}

const TEN_DAYS = 10 * 24 * 3600;

/** A figure that the code itself reports (figures.ts of backend-outbox, waiting.ts of packages/consumer), each minute. */
function figure(
  id: string,
  metric: string,
  beyond: number,
  what: Pick<Alarm, "name" | "severity" | "description" | "next"> & Partial<Alarm>,
): Patch {
  return alarm({
    id,
    namespace: "${AppName}",
    metric,
    dimensions: { env: sub("${EnvName}"), service: sub("${WorkloadName}") },
    statistic: "Maximum",
    beyond: ["GreaterThanThreshold", beyond],
    ...what,
  });
}

/** What the relay measures (its figures.ts); silence is the worst figure. */
function relayAlarms(): Patch[] {
  const next = ops("outbox");
  return [
    figure("LagAlarm", "OutboxLag", 10_000, {
      name: "lag",
      severity: "warn",
      description: "Events leave more than ten seconds late",
      next,
      of: [5, 5],
    }),
    figure("StalledAlarm", "OutboxLag", 60_000, {
      name: "stalled",
      severity: "page",
      description: "Events leave more than a minute late",
      next,
      of: [2, 2],
    }),
    figure("DepthAlarm", "OutboxDepth", 5000, {
      name: "depth",
      severity: "warn",
      description: "More than 5,000 events wait to leave",
      next,
      of: [5, 5],
    }),
    figure("BlockedAlarm", "OutboxBlockedGroups", 0, {
      name: "blocked",
      severity: "page",
      description: "A topic refuses an event for good; its group waits for a person",
      next: ops("blocked"),
    }),
    figure("UnownedAlarm", "OutboxUnownedShards", 0, {
      name: "unowned",
      severity: "page",
      description: "Some shards of the outbox have had no relay for three minutes: their events do not leave",
      next,
      of: [3, 3],
    }),
    figure("SnapshotAlarm", "OutboxOldestSnapshot", 60_000, {
      name: "snapshot",
      severity: "warn",
      description:
        "A session keeps a snapshot for more than a minute: the outbox cannot be vacuumed and gets slower. Its pid is oldSnapshotPid in the log's line of this figure",
      next,
      of: [3, 3],
    }),
    figure("SilentAlarm", "OutboxLag", 1, {
      name: "silent",
      severity: "page",
      description: "No relay has said for three minutes that it works; nothing leaves the outbox",
      next: ownLogs,
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
      severity: "page",
      description: "The log fills with errors",
      next: ownLogs,
      namespace,
      metric: "ErrorLines",
      dimensions: {},
      statistic: "Sum",
      of: [5, 3],
      beyond: ["GreaterThanThreshold", 5],
    }),
  ];
}

/** Of a job. */
export function jobAlarms(): Section {
  const next = "copilot job logs --name ${WorkloadName} --env ${EnvName}";
  const runs = (id: string, name: string, metric: string, description: string): Patch =>
    alarm({
      id,
      name,
      severity: "warn",
      description,
      next,
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
        severity: "page",
        description: "No run has succeeded for an hour longer than there may be between two",
        next,
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
export function hoursWithoutSuccess(jobs: Views[], environments: string[]): Section {
  const hoursOf = ({ name, schedule }: Workload): number => {
    const [, hour = ""] = /^\d+ (\S+) \* \* \*$/.exec(schedule?.cron ?? "") ?? [];
    const every = /^\*\/(\d+)$/.exec(hour)?.[1];
    if (hour === "*") return 2;
    if (every) return Number(every) + 1;
    if (/^\d+$/.test(hour)) return 25;
    throw new Mistake(`${name}: teach packages/patches how long ${schedule?.expression} may be silent.`);
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
