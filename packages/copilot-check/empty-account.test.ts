import { readWorkspace } from "copilot-manifest";
import { expect, test } from "vitest";
import type { CloudFormation } from "./cloud-formation.ts";
import { emptyAccount } from "./empty-account.ts";
import { ServiceError } from "./protocols.ts";
import { cloud, folderOf } from "./testing.ts";
import type { Values } from "./template.ts";

function account(aws: CloudFormation = cloud()) {
  const root = folderOf({
    "copilot/.workspace": "application: shop\n",
    "copilot/pipelines/main/manifest.yml":
      "name: main\nversion: 1\nsource:\n  provider: GitHub\n  properties:\n    connection_name: ours\n",
  });
  const empty = emptyAccount(readWorkspace(root), aws);
  const call = (operation: string, input: Values = {}): Promise<Values> =>
    Promise.resolve().then(() => empty.answer({ protocol: "query", host: "x", operation, input }) as Values);
  /** What the CLI does for a stack; the status that it ends with. */
  const deploy = async (
    StackName: string,
    TemplateBody: string,
    ChangeSetType = "CREATE",
    more: Values = {},
  ) => {
    const { Id } = await call("CreateChangeSet", {
      StackName,
      TemplateBody,
      ChangeSetType,
      ChangeSetName: "c",
      ...more,
    });
    const { Status, StatusReason } = await call("DescribeChangeSet", { ChangeSetName: Id });
    if (Status === "FAILED") return String(StatusReason);
    await call("ExecuteChangeSet", { ChangeSetName: Id });
    const { Stacks } = (await call("DescribeStacks", { StackName })) as { Stacks: Values[] };
    return String(Stacks[0]?.StackStatus);
  };
  return { call, deploy, aws };
}

const queue = (delay: number) =>
  `Resources: {Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: ${delay}}}}`;

test("a change set creates, updates, and says when there is nothing to change", async () => {
  const { call, deploy } = account();
  expect(await deploy("a", queue(1))).toBe("CREATE_COMPLETE");
  expect(await deploy("a", queue(1), "UPDATE")).toContain("didn't contain changes");
  expect(await deploy("a", queue(2), "UPDATE")).toBe("UPDATE_COMPLETE");
  await expect(deploy("a", queue(1))).rejects.toThrow("already exists");
  await expect(deploy("b", queue(1), "UPDATE")).rejects.toThrow("does not exist");
  await expect(deploy("c", "Resources: {Q: {Type: AWS::SQS::Queue, DependsOn: X}}")).rejects.toThrow(
    "no parameter or resource X",
  );
  await call("DeleteStack", { StackName: "a" });
  await expect(call("DescribeStacks", { StackName: "a" })).rejects.toBeInstanceOf(ServiceError);
});

test("events come newest first and end with the stack's own", async () => {
  const { call, deploy } = account();
  await deploy("a", queue(1));
  const { StackEvents } = (await call("DescribeStackEvents", { StackName: "a" })) as {
    StackEvents: Values[];
  };
  expect(StackEvents[0]).toMatchObject({ LogicalResourceId: "a", ResourceStatus: "CREATE_COMPLETE" });
  expect(new Set(StackEvents.map(({ EventId }) => EventId)).size).toBe(StackEvents.length);
});

test("an update of a stack keeps the parameters that it does not name", async () => {
  const { call, deploy } = account();
  const text =
    "Parameters: {A: {Type: String}, B: {Type: String, Default: b}}\nResources: {}\nOutputs: {All: {Value: !Sub '${A}${B}'}}";
  await deploy("a", text, "CREATE", { Parameters: [{ ParameterKey: "A", ParameterValue: "1" }] });
  await call("UpdateStack", {
    StackName: "a",
    UsePreviousTemplate: "true",
    Parameters: [
      { ParameterKey: "A", UsePreviousValue: "true" },
      { ParameterKey: "B", ParameterValue: "2" },
    ],
  });
  const { Stacks } = (await call("DescribeStacks", { StackName: "a" })) as { Stacks: Values[] };
  expect(Stacks[0]).toMatchObject({
    StackStatus: "UPDATE_COMPLETE",
    Outputs: [{ OutputKey: "All", OutputValue: "12" }],
  });
});

test("a stack set deploys its instance, and an operation's failure has its reason", async () => {
  const { call } = account();
  await call("CreateStackSet", { StackSetName: "s", TemplateBody: queue(1) });
  const { OperationId } = await call("CreateStackInstances", {
    StackSetName: "s",
    Regions: ["ap-northeast-1"],
  });
  expect(await call("DescribeStackSetOperation", { StackSetName: "s", OperationId })).toMatchObject({
    StackSetOperation: { Status: "SUCCEEDED" },
  });
  const broken = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue nope}}}";
  const failed = await call("UpdateStackSet", { StackSetName: "s", TemplateBody: broken });
  expect(await call("DescribeStackSetOperation", { StackSetName: "s", ...failed })).toMatchObject({
    StackSetOperation: { Status: "FAILED", StatusReason: "No stack exports nope." },
  });
});

test("parameters, topics by tag, and the pipelines' connections", async () => {
  const { call, deploy } = account();
  await call("PutParameter", { Name: "/copilot/a/b", Value: "1" });
  await expect(call("PutParameter", { Name: "/copilot/a/b", Value: "2" })).rejects.toThrow("/copilot/a/b");
  expect(await call("GetParametersByPath", { Path: "/copilot/a/" })).toMatchObject({
    Parameters: [{ Value: "1" }],
  });
  await deploy("t", "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}}", "CREATE", {
    Tags: [{ Key: "copilot-service", Value: "api" }],
  });
  const tagged = (value: string) =>
    call("GetResources", {
      ResourceTypeFilters: ["sns"],
      TagFilters: [{ Key: "copilot-service", Values: [value] }],
    });
  expect(await tagged("api")).toMatchObject({
    ResourceTagMappingList: [{ ResourceARN: "arn:aws:sns:ap-northeast-1:123456789012:news" }],
  });
  expect(await tagged("web")).toMatchObject({ ResourceTagMappingList: [] });
  expect(await call("ListConnections")).toMatchObject({
    Connections: [{ ConnectionName: "ours", ConnectionStatus: "AVAILABLE" }],
  });
});

test("an unknown call is refused by name", async () => {
  await expect(account().call("DescribeEverything")).rejects.toThrow(
    "The stand-in for AWS does not know DescribeEverything of x.",
  );
});
