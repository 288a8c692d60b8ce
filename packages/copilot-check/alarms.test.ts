import { expect, test } from "vitest";
import { checkAlarms } from "./alarms.ts";
import { linked } from "./testing.ts";

const topic = `
  Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Principal: {Service: cloudwatch.amazonaws.com}}]}}}
  Notices:
    Type: AWS::SNS::Topic
    Properties: {TopicName: notices, KmsMasterKeyId: !Ref Key}
`;
const alarm = (changes: Record<string, unknown> = {}) => `
  Old:
    Type: AWS::CloudWatch::Alarm
    Properties: ${JSON.stringify({
      AlarmName: "old",
      Namespace: "AWS/SQS",
      MetricName: "ApproximateAgeOfOldestMessage",
      Dimensions: [{ Name: "QueueName", Value: "q" }],
      Period: 60,
      EvaluationPeriods: 5,
      DatapointsToAlarm: 3,
      AlarmActions: [{ "Fn::Sub": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:notices" }],
      ...changes,
    })}
`;
const service = (names: string[]) => `
  Service:
    Type: AWS::ECS::Service
    Properties: {DeploymentConfiguration: {Alarms: {AlarmNames: ${JSON.stringify(names)}}}}
`;

async function messagesOf(...resources: string[]) {
  const template = `Resources:${resources.join("")}`;
  const result = await linked({}, [{ kind: "environment", name: "test", template }]);
  expect(result.messages).toEqual([]);
  return checkAlarms(result).findings.map(({ message }) => message);
}

test("an alarm with a metric that is published, a window that is allowed and a topic that listens is well", async () => {
  expect(await messagesOf(topic, alarm(), service(["old"]))).toEqual([]);
  const hourly = {
    Namespace: "AWS/States",
    MetricName: "ExecutionsSucceeded",
    Period: 3600,
    EvaluationPeriods: 25,
  };
  const machine = { Dimensions: [{ Name: "StateMachineArn", Value: "m" }] };
  expect(await messagesOf(topic, alarm({ ...hourly, ...machine }))).toEqual([]);
});

test("metrics of one's own are not judged, and an alarm that a deployment watches need tell nobody", async () => {
  const own = alarm({ Namespace: "shop", MetricName: "Lag", AlarmActions: [] });
  expect(await messagesOf(own, service(["old"]))).toEqual([]);
});

test.each([
  [{ MetricName: "AgeOfOldestMessage" }, "old never rings: AWS/SQS has no metric AgeOfOldestMessage."],
  [
    { Dimensions: [{ Name: "Queue", Value: "q" }] },
    "old never rings: ApproximateAgeOfOldestMessage is published by QueueName, not by Queue.",
  ],
  [
    { EvaluationPeriods: 1500 },
    "old: it looks back 90000 s, and CloudWatch allows 86400 s for periods of 60 s.",
  ],
  [{ DatapointsToAlarm: 6 }, "old: 6 of 5 periods can never be beyond the threshold."],
  [{ AlarmActions: [] }, "old tells nobody."],
  [
    { AlarmActions: ["arn:aws:sns:ap-northeast-1:1:nowhere"] },
    "old tells arn:aws:sns:ap-northeast-1:1:nowhere, but there is no such topic.",
  ],
])("%j is found", async (changes, message) => {
  expect(await messagesOf(topic, alarm(changes))).toEqual([message]);
});

test("a rollback by an alarm that nobody makes is found", async () => {
  expect(await messagesOf(topic, alarm(), service(["new"]))).toEqual([
    "A deployment of shop-test watches the alarm new, which nobody makes.",
  ]);
});

test.each([
  [topic.replace("!Ref Key", "alias/aws/sns"), /may not use the key alias\/aws\/sns/],
  [
    topic.replace("cloudwatch.amazonaws.com", "events.amazonaws.com"),
    /its key does not let CloudWatch encrypt/,
  ],
  [
    `${topic}  Policy: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref Notices], PolicyDocument: {}}}\n`,
    /its policy does not let CloudWatch publish/,
  ],
])("a topic that CloudWatch cannot publish to is found (%#)", async (text, message) => {
  expect(await messagesOf(text, alarm())).toEqual([expect.stringMatching(message)]);
});
