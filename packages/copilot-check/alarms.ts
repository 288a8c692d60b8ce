import type { Resource, Stack } from "./cloud-formation.ts";
import type { Linked } from "./link.ts";
import type { Finding } from "./report.ts";
import type { Path, Values } from "./template.ts";
import { textOf } from "./text.ts";

/** Dimensions under which AWS publishes a metric; another combination is a metric that never has a value. */
const published: Record<string, { metrics: RegExp; dimensions: string[] }> = {
  "AWS/ApplicationELB": {
    metrics:
      /^(?:Active|New|Rejected)ConnectionCount$|^HTTPCode_|^RequestCount(?:PerTarget)?$|^Target(?:ResponseTime|ConnectionErrorCount)$|^(?:Un)?HealthyHostCount$|^ConsumedLCUs$/,
    dimensions: [
      "LoadBalancer",
      "LoadBalancer,TargetGroup",
      "AvailabilityZone,LoadBalancer",
      "AvailabilityZone,LoadBalancer,TargetGroup",
      "TargetGroup",
    ],
  },
  "AWS/ECS": {
    metrics: /^(?:CPU|Memory)(?:Utilization|Reservation)$/,
    dimensions: ["ClusterName", "ClusterName,ServiceName"],
  },
  "AWS/Lambda": {
    metrics:
      /^(?:Errors|Invocations|Duration|Throttles|DeadLetterErrors|IteratorAge|ConcurrentExecutions|AsyncEvent\w+)$/,
    dimensions: ["FunctionName", "FunctionName,Resource", ""],
  },
  "AWS/RDS": {
    metrics: /^[A-Z]\w+$/,
    dimensions: ["DBClusterIdentifier", "DBClusterIdentifier,Role", "DBInstanceIdentifier"],
  },
  "AWS/SES": {
    metrics: /^(?:Reputation\.(?:Bounce|Complaint)Rate|Send|Delivery|Bounce|Complaint|Reject)$/,
    dimensions: ["", "ses:configuration-set"],
  },
  "AWS/SNS": { metrics: /^(?:NumberOf\w+|PublishSize)$/, dimensions: ["TopicName"] },
  "AWS/SQS": {
    metrics:
      /^(?:ApproximateAgeOfOldestMessage|ApproximateNumberOf(?:Messages(?:Visible|NotVisible|Delayed)|GroupsWithInflightMessages)|NumberOf\w+|SentMessageSize)$/,
    dimensions: ["QueueName"],
  },
  "AWS/States": {
    metrics: /^Execution(?:s(?:Failed|TimedOut|Succeeded|Started|Aborted)|Time|Throttled)$/,
    dimensions: ["StateMachineArn"],
  },
  "AWS/WAFV2": {
    metrics: /^(?:Blocked|Allowed|Counted|Passed)Requests$/,
    dimensions: ["Region,Rule,WebACL", "Rule,WebACL"],
  },
};

/**
 * What CloudFormation accepts and what makes an alarm silent: a metric that nobody publishes, a window that CloudWatch
 * refuses, a topic that is not there or that CloudWatch may not write to, and the name of an alarm that nobody makes.
 */
export function checkAlarms({ cloud, place }: Pick<Linked, "cloud" | "place">): {
  alarms: number;
  findings: Finding[];
} {
  const findings: Finding[] = [];
  const all = [...cloud.resources()];
  const of = (type: string) => all.filter(([, resource]) => resource.type === type);
  const report = (stack: Stack, path: Path, message: string, hint: string) =>
    findings.push({ ...place(stack.name, path), message, hint });
  const topics = new Map(of("AWS::SNS::Topic").map(([, topic]) => [topic.ref, topic]));
  const watched = new Set(of("AWS::ECS::Service").flatMap(([, service]) => rollbackAlarms(service)));
  const names = new Set<string>();
  const alarms = of("AWS::CloudWatch::Alarm");

  for (const [stack, { logicalId, properties }] of alarms) {
    const name = textOf(properties.AlarmName);
    const path: Path = ["Resources", logicalId, "Properties"];
    names.add(name);
    const silent = silentMetric(properties);
    if (silent !== undefined)
      report(
        stack,
        [...path, "MetricName"],
        `${name} never rings: ${silent}`,
        "See the metrics and dimensions in the service's own documents.",
      );
    const window = tooLong(properties);
    if (window !== undefined)
      report(stack, [...path, "EvaluationPeriods"], `${name}: ${window}`, "Choose fewer or shorter periods.");
    const actions = listOf(properties.AlarmActions);
    if (actions.length === 0 && !watched.has(name))
      report(stack, path, `${name} tells nobody.`, "Give it AlarmActions, or let a deployment watch it.");
    for (const action of actions.filter((arn) => /^arn:[^:]*:sns:/.test(arn))) {
      const topic = topics.get(action);
      const deaf = topic ? deafTopic(topic, all) : "there is no such topic.";
      if (deaf !== undefined)
        report(
          stack,
          [...path, "AlarmActions"],
          `${name} tells ${action}, but ${deaf}`,
          "Make the topic in an addon of the environment, with a key and a policy that let cloudwatch.amazonaws.com in.",
        );
    }
  }

  for (const [stack, service] of of("AWS::ECS::Service"))
    for (const name of rollbackAlarms(service))
      if (!names.has(name))
        report(
          stack,
          ["Resources", service.logicalId, "Properties", "DeploymentConfiguration"],
          `A deployment of ${stack.name} watches the alarm ${name}, which nobody makes.`,
          "Correct the name in deployment.rollback_alarms, or make the alarm.",
        );
  return { alarms: alarms.length, findings };
}

function rollbackAlarms({ properties }: Resource): string[] {
  const deployment = (properties.DeploymentConfiguration ?? {}) as { Alarms?: { AlarmNames?: unknown } };
  return listOf(deployment.Alarms?.AlarmNames);
}

/** Why the metric has no values, if that can be said; metrics of one's own are not judged. */
function silentMetric({ Namespace, MetricName, Dimensions }: Values): string | undefined {
  const known = published[textOf(Namespace)];
  const metric = textOf(MetricName);
  if (!known || metric === "") return undefined;
  if (!known.metrics.test(metric)) return `${textOf(Namespace)} has no metric ${metric}.`;
  const dimensions = ((Dimensions ?? []) as { Name?: unknown }[])
    .map(({ Name }) => textOf(Name))
    .toSorted()
    .join(",");
  if (known.dimensions.includes(dimensions)) return undefined;
  const choices = known.dimensions.map((names) => names || "none").join(" or ");
  return `${metric} is published by ${choices}, not by ${dimensions || "none"}.`;
}

/** CloudWatch's limits of what an alarm looks back at: a day, or a week for periods of an hour and more. */
function tooLong({ Period, EvaluationPeriods, DatapointsToAlarm }: Values): string | undefined {
  const [period, periods] = [Number(Period ?? 0), Number(EvaluationPeriods ?? 1)];
  const limit = period < 3600 ? 86_400 : 604_800;
  if (period * periods > limit)
    return `it looks back ${period * periods} s, and CloudWatch allows ${limit} s for periods of ${period} s.`;
  if (DatapointsToAlarm !== undefined && Number(DatapointsToAlarm) > periods)
    return `${textOf(DatapointsToAlarm)} of ${periods} periods can never be beyond the threshold.`;
  return undefined;
}

/** Why CloudWatch cannot publish to a topic: it says nothing then, to anybody. */
function deafTopic({ ref, properties }: Resource, all: [Stack, Resource][]): string | undefined {
  const lets = (document: unknown) => JSON.stringify(document ?? "").includes("cloudwatch.amazonaws.com");
  const key = textOf(properties.KmsMasterKeyId);
  if (key.includes("alias/aws/sns"))
    return "CloudWatch may not use the key alias/aws/sns: the alarm is dropped.";
  const own = all.find(([, { type, ref: id }]) => type === "AWS::KMS::Key" && id !== "" && key.endsWith(id));
  if (own && !lets(own[1].properties.KeyPolicy))
    return "its key does not let CloudWatch encrypt: the alarm is dropped.";
  const policy = all.find(
    ([, { type, properties: given }]) =>
      type === "AWS::SNS::TopicPolicy" && listOf(given.Topics).includes(ref),
  );
  if (policy && !lets(policy[1].properties.PolicyDocument))
    return "its policy does not let CloudWatch publish.";
  return undefined;
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}
