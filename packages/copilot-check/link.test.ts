import { expect, test } from "vitest";
import { linked } from "./testing.ts";

const environment = {
  kind: "environment" as const,
  name: "test",
  template: `
Parameters:
  AddonsTemplateURL: {Type: String, Default: ""}
Conditions:
  HasAddons: !Not [!Equals [!Ref AddonsTemplateURL, ""]]
Resources:
  AddonsStack:
    Type: AWS::CloudFormation::Stack
    Condition: HasAddons
    Properties:
      TemplateURL: !Ref AddonsTemplateURL
      Parameters:
        App: shop
        Env: test
        VPCID: !Ref VPC
`.replace("        VPCID: !Ref VPC\n", ""),
};

const worker = `name: worker
type: Worker Service
image:
  build: Dockerfile
variables:
  HOST:
    from_cfn: shop-test-DatabaseHost
`;

const reads = (name: string) => `
Resources:
  TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: worker
          Environment:
            - Name: HOST
              Value:
                Fn::ImportValue: ${name}
`;

test("what fits links: imports from the environment's addons, whatever the order", async () => {
  const addons =
    "Parameters:\n  App: {Type: String}\n  Env: {Type: String}\nResources:\n  Q: {Type: AWS::SQS::Queue}\nOutputs:\n  H: {Value: h, Export: {Name: !Sub '${App}-${Env}-DatabaseHost'}}\n";
  const { messages, cloud } = await linked(
    { "copilot/worker/manifest.yml": worker, "copilot/environments/addons/db.yml": addons },
    [
      { kind: "workload", name: "worker", template: reads("shop-test-DatabaseHost") },
      {
        ...environment,
        parameters: { AddonsTemplateURL: "https://b.s3.ap-northeast-1.amazonaws.com/addons.yml" },
      },
    ],
    { "b/addons.yml": addons },
  );
  expect(messages).toEqual([]);
  expect(cloud.find("shop-test-worker")?.status).toBe("CREATE_COMPLETE");
});

test("a missing export is shown at its from_cfn in the manifest", async () => {
  const { messages } = await linked({ "copilot/worker/manifest.yml": worker }, [
    environment,
    { kind: "workload", name: "worker", template: reads("shop-test-DatabaseHost") },
  ]);
  expect(messages).toEqual([
    "copilot/worker/manifest.yml:7 shop-test-worker: No stack exports shop-test-DatabaseHost. Export it in an addon of the environment, or correct the name.",
  ]);
});

test("two stacks that wait for each other's export are named", async () => {
  const template = (own: string, other: string) =>
    `Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !ImportValue shop-test-${other}\nOutputs:\n  O:\n    Value: a\n    Export:\n      Name: shop-test-${own}\n`;
  const { messages } = await linked({}, [
    environment,
    { kind: "workload", name: "first", template: template("First", "Second") },
    { kind: "workload", name: "second", template: template("Second", "First") },
  ]);
  expect(messages).toEqual([
    "rendered/test.first.yml:6 shop-test-first: No stack exports shop-test-Second. It may be exported by shop-test-second, which cannot be deployed either: perhaps each waits for the other.",
    "rendered/test.second.yml:6 shop-test-second: No stack exports shop-test-First. It may be exported by shop-test-first, which cannot be deployed either: perhaps each waits for the other.",
  ]);
});

test("a mistake in an addon is shown in the addon's own file", async () => {
  const addons =
    "Parameters:\n  App: {Type: String}\n  Env: {Type: String}\nResources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !ImportValue shop-Nowhere\n";
  const { messages } = await linked(
    { "copilot/environments/addons/queue.yml": addons },
    [
      {
        ...environment,
        parameters: { AddonsTemplateURL: "https://b.s3.ap-northeast-1.amazonaws.com/addons.yml" },
      },
    ],
    { "b/addons.yml": addons },
  );
  expect(messages).toEqual([
    "copilot/environments/addons/queue.yml:8 shop-test: No stack exports shop-Nowhere. Export it in an addon of the environment, or correct the name.",
  ]);
});

test("a dangling `!Ref VPC` in addons.parameters.yml is shown there", async () => {
  const template =
    "Parameters:\n  App: {Type: String}\n  Env: {Type: String}\n  VPCID: {Type: String}\nResources:\n  Q: {Type: AWS::SQS::Queue}\n";
  const parent = environment.template.replace(
    "        Env: test\n",
    "        Env: test\n        VPCID: !Ref VPC\n",
  );
  const { messages } = await linked(
    {
      "copilot/environments/addons/vpc.yml": template,
      "copilot/environments/addons/addons.parameters.yml":
        "# what the environment tells\nParameters:\n  VPCID: !Ref VPC\n",
    },
    [{ ...environment, template: parent }],
  );
  expect(messages).toEqual([
    "copilot/environments/addons/addons.parameters.yml:3 shop-test: The template has no parameter or resource VPC. CloudFormation would refuse the deployment here.",
  ]);
});

test("a mistake that an override brought in is shown in the override", async () => {
  const { messages } = await linked(
    {
      "copilot/worker/manifest.yml": worker,
      "copilot/worker/overrides/cfn.patches.yml":
        "- op: add\n  path: /Resources/Q/Properties/QueueName\n  value: !Ref Nope\n",
    },
    [
      environment,
      {
        kind: "workload",
        name: "worker",
        template:
          "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !Ref Nope\n",
      },
    ],
  );
  expect(messages[0]).toContain(
    "copilot/worker/overrides/cfn.patches.yml:2 shop-test-worker: The template has no parameter or resource Nope.",
  );
});

const secretReader = (resource: string) => `
Resources:
  ExecutionRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [ssm:GetParameters]
                Resource: [!Sub "arn:aws:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter${resource}"]
`;
const withSecret = (name: string) => `${worker.replace(/variables:[\s\S]*/, "")}secrets:\n  KEY: ${name}\n`;

test("a secret of another environment, and one that the role may not read", async () => {
  const other = await linked(
    { "copilot/worker/manifest.yml": withSecret("/copilot/shop/live/secrets/KEY") },
    [environment, { kind: "workload", name: "worker", template: secretReader("/*") }],
  );
  expect(other.messages[0]).toContain(
    "copilot/worker/manifest.yml:6 worker in test reads the secret /copilot/shop/live/secrets/KEY",
  );
  const narrowed = await linked(
    { "copilot/worker/manifest.yml": withSecret("/copilot/shop/test/secrets/KEY") },
    [
      environment,
      { kind: "workload", name: "worker", template: secretReader("/copilot/shop/test/secrets/OTHER") },
    ],
  );
  expect(narrowed.messages[0]).toContain(
    "the execution role may not read the secret /copilot/shop/test/secrets/KEY",
  );
});

test("a pipeline must deploy a publisher before its subscriber", async () => {
  const pipeline = (dependsOn: string) =>
    `name: main\nversion: 1\nsource: {provider: GitHub}\nstages:\n  - name: test\n    deployments:\n      topics:\n      worker:${dependsOn}\n`;
  const stacks = [
    environment,
    {
      kind: "workload" as const,
      name: "topics",
      template: "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: shop-test-topics-news}}}",
    },
    {
      kind: "workload" as const,
      name: "worker",
      template:
        "Resources: {S: {Type: AWS::SNS::Subscription, Properties: {TopicArn: 'arn:aws:sns:ap-northeast-1:123456789012:shop-test-topics-news'}}}",
    },
  ];
  const wrong = await linked({ "copilot/pipelines/main/manifest.yml": pipeline("") }, stacks);
  expect(wrong.messages).toEqual([
    "copilot/pipelines/main/manifest.yml:8 The stage test may deploy worker before topics, whose topic shop-test-topics-news it needs. Write `depends_on: [topics]` below worker.",
  ]);
  const right = await linked(
    { "copilot/pipelines/main/manifest.yml": pipeline("\n        depends_on: [topics]") },
    stacks,
  );
  expect(right.messages).toEqual([]);
});
