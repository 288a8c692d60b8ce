import { describe, expect, test } from "vitest";
import { cloud, deploy } from "./testing.ts";

const topic = `
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: news.fifo, FifoTopic: true}
Outputs:
  Arn:
    Value: !Ref Topic
    Export: {Name: shop-Topic}
`;

const reader = `
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      Protocol: sqs
      TopicArn: {"Fn::ImportValue": shop-Topic}
      Endpoint: !GetAtt Queue.Arn
`;

describe("a stack that links", () => {
  test("gives names, Refs and attributes as CloudFormation would", async () => {
    const aws = cloud();
    await deploy(aws, "topics", topic);
    const { resources, status } = await deploy(aws, "reader", reader);
    expect(status).toBe("CREATE_COMPLETE");
    expect(resources.get("Subscription")?.properties).toMatchObject({
      TopicArn: "arn:aws:sns:ap-northeast-1:123456789012:news.fifo",
      Endpoint: expect.stringMatching(/^arn:aws:sqs:ap-northeast-1:123456789012:reader-Queue-\w{12}\.fifo$/),
    });
    expect(resources.get("Queue")?.ref).toMatch(
      /^https:\/\/sqs\.ap-northeast-1\.amazonaws\.com\/123456789012\/reader-Queue-/,
    );
  });

  test("evaluates conditions, mappings, Sub, Join, Split, Select and NoValue", async () => {
    const { outputs } = await deploy(
      cloud(),
      "shop",
      `
Parameters:
  Env: {Type: String}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Size: {test: {Small: "yes"}}
Conditions:
  IsTest: !Equals [!Ref Env, test]
  IsLive: !Not [!Condition IsTest]
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /\${Env}/\${!literal}/\${AWS::StackName}
      RetentionInDays: !If [IsLive, 365, !Ref AWS::NoValue]
  Live:
    Type: AWS::Logs::LogGroup
    Condition: IsLive
Outputs:
  Name: {Value: !Ref Log}
  Small: {Value: !FindInMap [Size, !Ref Env, Small]}
  Second: {Value: !Select [1, !Ref Zones]}
  Joined: {Value: !Join ["/", !Split ["-", a-b-c]]}
  Live: {Condition: IsLive, Value: !Ref Live}
`,
      { Env: "test" },
    );
    expect(outputs).toEqual({ Name: "/test/${literal}/shop", Small: "yes", Second: "b", Joined: "a/b/c" });
  });

  test("makes a resource after all that it refers to, whatever the order of writing", async () => {
    const { events } = await deploy(
      cloud(),
      "shop",
      "Resources:\n  A: {Type: AWS::IAM::Role, Properties: {Description: !Sub '${B}'}}\n  B: {Type: AWS::SNS::Topic, DependsOn: C}\n  C: {Type: AWS::SQS::Queue}\n",
    );
    const made = events.filter(
      ({ status, logicalId }) => status === "CREATE_COMPLETE" && logicalId !== "shop",
    );
    expect(made.map(({ logicalId }) => logicalId)).toEqual(["C", "B", "A"]);
  });

  test("leaves resources alone whose properties are as before, and plans only what changes", async () => {
    const aws = cloud();
    const stack = await deploy(aws, "topics", topic);
    const template = aws.template("topics", topic.replace("news.fifo", "olds.fifo"));
    expect(aws.plan(stack, aws.template("topics", topic), {})).toEqual({
      changes: [],
      outputsChanged: false,
    });
    expect(aws.plan(stack, template, {}).changes).toMatchObject([{ action: "Modify", logicalId: "Topic" }]);
  });
});

describe("a stack that does not link is refused, with the path", () => {
  const refused = async (text: string, aws = cloud(), given: Record<string, string> = {}) => {
    const { failure } = await deploy(aws, "shop", text, given);
    return `${failure?.path.join("/")}: ${failure?.message}`;
  };

  test.for<[string, string, string]>([
    [
      "a dangling Ref",
      "Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref VPC}}}",
      "Resources/A/Properties/QueueName/Ref: The template has no parameter or resource VPC.",
    ],
    [
      "a dangling name in Sub",
      "Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'x-${Nope.Arn}'}}}",
      "Resources/A/Properties/QueueName/Fn::Sub: The template has no parameter or resource Nope.",
    ],
    [
      "a dangling DependsOn",
      "Resources: {A: {Type: AWS::SQS::Queue, DependsOn: Nope}}",
      "Resources/A/DependsOn: The template has no parameter or resource Nope.",
    ],
    [
      "an unknown condition",
      "Resources: {A: {Type: AWS::SQS::Queue, Condition: Nope}}",
      "Resources/A/Condition: There is no condition Nope.",
    ],
    [
      "a missing export",
      "Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue nope}}}",
      "Resources/A/Properties/QueueName/Fn::ImportValue: No stack exports nope.",
    ],
    [
      "a missing mapping",
      "Mappings: {M: {a: {b: c}}}\nResources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !FindInMap [M, a, z]}}}",
      "Resources/A/Properties/QueueName/Fn::FindInMap: The mapping M has no z for a.",
    ],
    [
      "a Ref to what a false condition left out",
      "Conditions: {No: !Equals [a, b]}\nResources: {A: {Type: AWS::SQS::Queue, Condition: No}, B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}}",
      "Resources/B/Properties/TopicName/Ref: A does not exist here: its condition No is false.",
    ],
    [
      "a parameter without a value",
      "Parameters: {P: {Type: String}}\nResources: {}",
      "Parameters/P: The parameter P has no value.",
    ],
    [
      "a local nested template",
      "Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: s3://bucket/key}}}",
      "Resources/A/Properties/TemplateURL: TemplateURL must be an https URL of S3, not s3://bucket/key.",
    ],
    [
      "a nested template that is not there",
      "Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://b.s3.ap-northeast-1.amazonaws.com/k'}}}",
      "Resources/A/Properties/TemplateURL: There is no object at https://b.s3.ap-northeast-1.amazonaws.com/k.",
    ],
    [
      "a topic that is not there",
      "Resources: {A: {Type: AWS::SNS::Subscription, Properties: {TopicArn: 'arn:aws:sns:x:1:y'}}}",
      "Resources/A/Properties/TopicArn: There is no topic arn:aws:sns:x:1:y to subscribe to.",
    ],
    [
      "code that was not uploaded",
      "Resources: {A: {Type: AWS::Lambda::Function, Properties: {Code: functions/mail}}}",
      "Resources/A/Properties/Code: The code of A is no object of S3: the CLI uploads a path only with --upload-assets.",
    ],
    [
      "an export of the same name twice",
      "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {X: {Value: a, Export: {Name: n}}, Y: {Value: b, Export: {Name: n}}}",
      "Outputs/Y/Export/Name: n is exported twice by this stack.",
    ],
  ])("%s", async ([, text, message]) => {
    expect(await refused(text)).toBe(message);
  });

  test("a circle, with its members", async () => {
    const circle =
      "Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}, B: {Type: AWS::SQS::Queue, DependsOn: A}}";
    expect(await refused(circle)).toContain("Circular dependency between resources: A → B → A.");
  });

  test("a value outside AllowedValues, and a parameter that does not exist", async () => {
    const text = "Parameters: {P: {Type: String, AllowedValues: ['a']}}\nResources: {}";
    expect(await refused(text, cloud(), { P: "b" })).toBe(
      "Parameters/P: The parameter P is b, not one of a.",
    );
    expect(await refused(text, cloud(), { Q: "b" })).toContain("The template has no parameter Q");
  });

  test("a name, or an export, that another stack has", async () => {
    const aws = cloud();
    await deploy(aws, "topics", topic);
    expect(await refused(topic, aws)).toBe(
      "Resources/Topic: news.fifo exists already: Topic of the stack topics.",
    );
    const other =
      "Resources: {A: {Type: AWS::SQS::Queue}}\nOutputs: {X: {Value: a, Export: {Name: shop-Topic}}}";
    expect(await refused(other, aws)).toBe(
      "Outputs/X/Export/Name: shop-Topic is already exported by the stack topics.",
    );
  });

  test("an export that is in use cannot be renamed, changed or deleted", async () => {
    const aws = cloud();
    await deploy(aws, "topics", topic);
    await deploy(aws, "reader", reader);
    const renamed = await deploy(aws, "topics", topic.replace("shop-Topic", "shop-News"));
    expect(renamed.status).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect(renamed.failure?.message).toBe("The export shop-Topic cannot be deleted: reader uses it.");
    const changed = await deploy(aws, "topics", topic.replace("news.fifo", "olds.fifo"));
    expect(changed.failure?.message).toBe("The export shop-Topic cannot be changed: reader uses it.");
    await expect(aws.remove(renamed)).rejects.toThrow("reader uses it");
    expect(aws.exports.get("shop-Topic")?.stack).toBe("topics");
  });
});

describe("rollback", () => {
  test("of a creation leaves nothing behind", async () => {
    const aws = cloud({ fail: (_stack, id) => (id === "B" ? "no capacity" : undefined) });
    const text =
      "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}, B: {Type: AWS::SQS::Queue, DependsOn: A}}";
    const stack = await deploy(aws, "shop", text);
    expect(stack).toMatchObject({ status: "ROLLBACK_COMPLETE", resources: new Map() });
    expect(stack.failure?.message).toBe("no capacity");
    const other = await deploy(aws, "other", text.replace(/, B: .*/, "}"));
    expect(other.status).toBe("CREATE_COMPLETE");
  });

  test("of an update keeps resources, outputs and parameters as they were", async () => {
    let broken = false;
    const aws = cloud({ fail: (_stack, id) => (broken && id === "B" ? "no capacity" : undefined) });
    const text =
      "Parameters: {P: {Type: String}}\nResources: {A: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref P}}, B: {Type: AWS::SQS::Queue, DependsOn: A, Properties: {DelaySeconds: !Ref P}}}\nOutputs: {P: {Value: !Ref P}}";
    await deploy(aws, "shop", text, { P: "1" });
    broken = true;
    const stack = await deploy(aws, "shop", text, { P: "2" });
    expect(stack).toMatchObject({
      status: "UPDATE_ROLLBACK_COMPLETE",
      outputs: { P: "1" },
      parameters: { P: "1" },
    });
    expect(stack.resources.get("A")?.properties).toEqual({ DelaySeconds: "1" });
  });

  test("deletes what a custom resource's script replaced, after the update", async () => {
    const seen: string[] = [];
    const aws = cloud({
      custom: async ({ kind, resource }) => {
        seen.push(`${kind} ${kind === "Create" ? "" : resource.ref}`.trim());
        return { data: {}, physicalId: `certificate-${String(resource.properties.Name)}` };
      },
    });
    const template = (name: string) =>
      `Resources: {C: {Type: Custom::C, Properties: {Name: ${name}}}, Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref C}}}`;
    await deploy(aws, "shop", template("a"));
    await deploy(aws, "shop", template("b"));
    expect(seen).toEqual(["Create", "Update certificate-a", "Delete certificate-a"]);
    expect(aws.find("shop")?.resources.get("Q")?.name).toBe("certificate-b");
  });

  test("tells a custom resource to go back, and one that was made to go away", async () => {
    const said: string[] = [];
    const aws = cloud({
      custom: async ({ kind, resource }) => (
        said.push(`${kind} ${resource.logicalId} ${String(resource.properties.V)}`),
        { data: {} }
      ),
      fail: (_stack, id) => (id === "Z" ? "no" : undefined),
    });
    const text = (v: number, more = "") => `Resources: {C: {Type: Custom::X, Properties: {V: ${v}}}${more}}`;
    await deploy(aws, "shop", text(1));
    await deploy(
      aws,
      "shop",
      text(
        2,
        ", D: {Type: Custom::X, DependsOn: C, Properties: {V: 2}}, Z: {Type: AWS::SQS::Queue, DependsOn: D}",
      ),
    );
    expect(said).toEqual(["Create C 1", "Update C 2", "Create D 2", "Delete D 2", "Update C 1"]);
  });
});

test("EnvController switches a feature of the environment on, and deleting the workload switches it off", async () => {
  const aws = cloud();
  const environment = await deploy(
    aws,
    "shop-test",
    "Parameters: {ALBWorkloads: {Type: String, Default: ''}}\nConditions: {HasLB: !Not [!Equals [!Ref ALBWorkloads, '']]}\nResources: {LB: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Condition: HasLB}}\nOutputs: {PublicLoadBalancerDNSName: {Condition: HasLB, Value: !GetAtt LB.DNSName}}",
  );
  expect(environment.resources.size).toBe(0);
  const web = await deploy(
    aws,
    "shop-test-web",
    "Resources: {Action: {Type: Custom::EnvControllerFunction, Properties: {Workload: web, EnvStack: shop-test, Parameters: [ALBWorkloads]}}}\nOutputs: {DNS: {Value: !GetAtt Action.PublicLoadBalancerDNSName}}",
  );
  expect(web.outputs.DNS).toMatch(/\.elb\.amazonaws\.com$/);
  expect(environment.parameters).toEqual({ ALBWorkloads: "web" });
  await aws.remove(web);
  expect(environment.parameters).toEqual({ ALBWorkloads: "" });
  expect(environment.resources.size).toBe(0);
});

test("a subnet lies in a zone of the stack's region", async () => {
  const subnet = (zone: string) =>
    deploy(cloud(), "s", `Resources: {S: {Type: AWS::EC2::Subnet, Properties: {AvailabilityZone: ${zone}}}}`);
  expect((await subnet("ap-northeast-1c")).failure).toBeUndefined();
  expect((await subnet("ap-northeast-3c")).failure?.message).toContain("no zone of ap-northeast-1");
});
