import { readWorkspace, resolve } from "copilot-manifest";
import { expect, test } from "vitest";
import { agree } from "./agree.ts";
import { cloud, deploy, folderOf } from "./testing.ts";

const manifest = `name: worker
type: Worker Service
image:
  build: Dockerfile
cpu: 512
logging:
  retention: 14
variables:
  LEVEL: debug
subscribe:
  topics: []
  queue:
    timeout: 60s
    dead_letter:
      tries: 5
`;

const stack = (cpu: number, tries: number) => `
Resources:
  LogGroup: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 14}}
  EventsQueue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60, RedrivePolicy: {maxReceiveCount: ${tries}}}}
  DeadLetterQueue: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  Service: {Type: AWS::ECS::Service, Properties: {DesiredCount: 1, NetworkConfiguration: {AwsvpcConfiguration: {AssignPublicIp: ENABLED}}}}
  TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Cpu: "${cpu}"
      Memory: "512"
      ContainerDefinitions:
        - Environment:
            - {Name: LEVEL, Value: debug}
            - {Name: COPILOT_APPLICATION_NAME, Value: shop}
            - {Name: COPILOT_ENVIRONMENT_NAME, Value: test}
            - {Name: COPILOT_SERVICE_NAME, Value: worker}
            - {Name: COPILOT_SERVICE_DISCOVERY_ENDPOINT, Value: test.shop.local}
            - {Name: COPILOT_QUEUE_URI, Value: !Ref EventsQueue}
`;

async function agreement(template: string, name = "worker", text = manifest) {
  const workspace = readWorkspace(
    folderOf({
      "copilot/.workspace": "application: shop\n",
      "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
      [`copilot/${name}/manifest.yml`]: text,
      Dockerfile: "FROM scratch\n",
    }),
  );
  const aws = cloud();
  const deployed = await deploy(aws, `shop-test-${name}`, template);
  deployed.tags = { "copilot-application": "shop", "copilot-environment": "test" };
  const { fields, problems } = agree(workspace, new Map([["test", resolve(workspace, "test")]]), aws);
  return { fields, messages: problems.map(({ file, line, message }) => `${file}:${line} ${message}`) };
}

test("what both readers know is compared, and agrees", async () => {
  const { fields, messages } = await agreement(stack(512, 5));
  expect(messages).toEqual([]);
  expect(fields).toBeGreaterThan(20);
});

test("a difference is shown at the manifest's line", async () => {
  const { messages } = await agreement(stack(256, 3));
  expect(messages).toEqual([
    "copilot/worker/manifest.yml:5 worker in test: cpu is 512 in the manifest and 256 in the stack.",
    "copilot/worker/manifest.yml:15 worker in test: tries of EventsQueue is 5 in the manifest and 3 in the stack.",
  ]);
});

test("a variable that only one of the two knows is a difference", async () => {
  const { messages } = await agreement(
    stack(512, 5).replace("{Name: LEVEL, Value: debug}", "{Name: LOG, Value: debug}"),
  );
  expect(messages.map((message) => message.replace(/^\S+ /, ""))).toEqual([
    "worker in test: variables.LEVEL is debug in the manifest and (nothing) in the stack.",
    "worker in test: variables.LOG is (nothing) in the manifest and debug in the stack.",
  ]);
});

const web = `name: web
type: Load Balanced Web Service
image:
  build: Dockerfile
  port: 80
http:
  path: till
  alias: [till.shop.example]
`;

const rules = (host: string, redirect: string) => `
Resources:
  TargetGroup: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {HealthCheckPath: /}}
  HTTPSListenerRule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      Conditions:
        - {Field: host-header, HostHeaderConfig: {Values: [${host}]}}
        - {Field: path-pattern, PathPatternConfig: {Values: [/till, /till/*]}}
  HTTPListenerRuleWithDomain: {Type: AWS::ElasticLoadBalancingV2::ListenerRule, Properties: {Actions: [{Type: ${redirect}}]}}
`;

test("with a domain path and names are those of the HTTPS rule, and HTTP must redirect", async () => {
  const about = async (template: string) =>
    (await agreement(template, "web", web)).messages.filter((message) =>
      /http\.path|host names|redirect/.test(message),
    );
  expect(await about(rules("till.shop.example", "redirect"))).toEqual([]);
  expect(await about(rules("other.shop.example", "forward"))).toEqual([
    'copilot/web/manifest.yml:8 web in test: the list of host names is ["till.shop.example"] in the manifest and ["other.shop.example"] in the stack.',
    "copilot/web/manifest.yml:6 web in test: the redirect to HTTPS is true in the manifest and false in the stack.",
  ]);
});
