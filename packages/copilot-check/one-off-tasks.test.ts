import { expect, test } from "vitest";
import { oneOffTasks, type OneOffTask } from "./one-off-tasks.ts";
import { cloud, deploy } from "./testing.ts";
import type { Values } from "./template.ts";

const network = `
  Cluster: {Type: AWS::ECS::Cluster}
  Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: shop/api}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: d}}
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: starts}}
  Inside: {Type: AWS::EC2::Subnet}
  Table: {Type: AWS::EC2::RouteTable}
  Association: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Inside, RouteTableId: !Ref Table}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: migration
      ExecutionRoleArn: !GetAtt Role.Arn
      ContainerDefinitions:
        - Name: migration
          Image: nothing
          Command: [node, migrate.mjs]
          LogConfiguration: {LogDriver: awslogs, Options: {awslogs-group: /g, awslogs-stream-prefix: p}}
`;
const wayOut = `
  Nat: {Type: AWS::EC2::NatGateway}
  Route: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref Table, NatGatewayId: !Ref Nat}}
`;

/** A task with this image, started in the stack's private subnet; ECS's answers. */
async function started(template: string, image: string, group?: string) {
  const aws = cloud();
  const stack = await deploy(aws, "s", `Resources:${template}`);
  expect(stack.failure).toBeUndefined();
  const tasks: OneOffTask[] = [];
  const calls = oneOffTasks(aws, { tasks, exitCode: () => 3 });
  const call = (operation: string, input: Values): Values => calls[operation]?.(input) as Values;
  const ref = (id: string): string => stack.resources.get(id)?.ref ?? "";
  const { taskDefinition } = call("DescribeTaskDefinition", { taskDefinition: ref("Task") }) as {
    taskDefinition: Values & { containerDefinitions: Values[] };
  };
  const { taskDefinition: revision } = call("RegisterTaskDefinition", {
    ...taskDefinition,
    containerDefinitions: [{ ...taskDefinition.containerDefinitions[0], image }],
  }) as { taskDefinition: Values };
  const awsvpcConfiguration = { subnets: [ref("Inside")], securityGroups: [group ?? ref("Group")] };
  const { tasks: answer } = call("RunTask", {
    cluster: ref("Cluster"),
    taskDefinition: revision.taskDefinitionArn,
    networkConfiguration: { awsvpcConfiguration },
  }) as { tasks: { taskArn: string }[] };
  return { call, task: tasks[0], arn: answer[0]?.taskArn ?? "" };
}

const image = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/shop/api:1";

test("a task with its image, in a private subnet with a NAT gateway, ends with the wanted code and leaves a log", async () => {
  const { call, task, arn } = await started(network + wayOut, image);
  expect(task).toMatchObject({ image, exitCode: 3, stacks: ["s"] });
  expect(call("DescribeTasks", { tasks: [arn] })).toMatchObject({ tasks: [{ lastStatus: "STOPPED" }] });
  const log = call("GetLogEvents", {
    logGroupName: "/g",
    logStreamName: `p/migration/${arn.split("/").at(-1)}`,
  });
  expect(JSON.stringify(log)).toContain("node migrate.mjs");
});

test("a task never starts without a way out, with a foreign image, an unknown repository or group", async () => {
  const reason = async (...args: Parameters<typeof started>) => {
    const { task } = await started(...args);
    expect(task?.exitCode).toBeUndefined();
    return task?.stoppedReason;
  };
  expect(await reason(network, image)).toContain("has no NAT gateway");
  expect(await reason(network + wayOut, "docker.io/library/node:24")).toContain("no image of this registry");
  expect(await reason(network + wayOut, image.replace("api", "other"))).toContain("no repository shop/other");
  expect(await reason(network + wayOut, image, "sg-unknown")).toContain("InvalidGroup.NotFound");
});

test("a role that is not there cannot be given to a task", async () => {
  const calls = oneOffTasks(cloud(), { tasks: [], exitCode: () => 0 });
  expect(() => calls.RegisterTaskDefinition?.({ executionRoleArn: "arn:aws:iam::1:role/none" })).toThrow(
    "not valid",
  );
});
