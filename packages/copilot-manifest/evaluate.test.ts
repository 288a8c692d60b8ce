import { expect, test } from "vitest";
import { evaluate, readAddons, topicLogicalId } from "./index.ts";
import { minimal, workspaceOf } from "./testing.ts";
import type { EvaluatedStack, Meanings } from "./types.ts";

/** Meanings that show what was asked: `<A>` for a resource, `<A.Arn>` for an attribute, `parent …` for the parent's. */
const meanings: Meanings = {
  ref: (id, resource) => (resource ? `<${id}>` : `parent ${id}`),
  getAtt: (id, attribute, resource) => (resource ? `<${id}.${attribute}>` : `parent ${id}.${attribute}`),
  importValue: (name) => `import ${name}`,
};

const header = "Parameters:\n  App: { Type: String }\n  Env: { Type: String }\n  Name: { Type: String }\n";

function evaluated(
  template: string,
  options: { parameters?: string; environment?: string; meanings?: Meanings } = {},
): EvaluatedStack {
  const workspace = workspaceOf({
    "copilot/svc/manifest.yml": minimal.backend,
    "copilot/svc/addons/a.yml": template.startsWith("Parameters:") ? template : header + template,
    ...(options.parameters ? { "copilot/svc/addons/addons.parameters.yml": options.parameters } : {}),
  });
  const [stack] = readAddons(workspace, options.environment ?? "test");
  if (!stack) throw new Error("no stack");
  return evaluate(stack, options.meanings ?? meanings);
}

/** The value of one expression, as the property `P` of a resource. */
function valueOf(expression: string, more = "", environment = "test"): unknown {
  const stack = evaluated(
    `Resources:\n  A: { Type: T }\n  X:\n    Type: T\n    Properties:\n      P: ${expression}\n${more}`,
    { environment },
  );
  return stack.resources.get("X")?.properties["P"];
}

const tables =
  "Mappings:\n  Size:\n    test: { Name: small, Zones: [a, b] }\n    prod: { Name: large, Zones: [a, b, c] }\nConditions:\n  IsProd: !Equals [!Ref Env, prod]\n  NotProd: !Not [!Condition IsProd]\n  Both: !And [!Condition IsProd, !Equals [!Ref App, shop]]\n  Either: !Or [!Condition IsProd, !Equals [!Ref App, shop]]\n";

test.each([
  ["!Ref App", "shop"],
  ["!Ref Env", "test"],
  ["!Ref Name", "svc"],
  ["!Ref A", "<A>"],
  ["{ Ref: A }", "<A>"],
  ["!GetAtt A.Arn", "<A.Arn>"],
  ["!GetAtt [A, Endpoint.Port]", "<A.Endpoint.Port>"],
  ["{ 'Fn::GetAtt': A.Arn }", "<A.Arn>"],
  ["!Sub '${App}-${Env}-${A}-${A.Arn}'", "shop-test-<A>-<A.Arn>"],
  ["!Sub ['${X}/${Env}', { X: !Ref A }]", "<A>/test"],
  ["!Sub '${!Literal} ${AWS::Region}'", "${Literal} ap-northeast-1"],
  ["!Sub 'arn:${AWS::Partition}:s3:::x'", "arn:aws:s3:::x"],
  ["!Join ['-', [a, !Ref Env, 1]]", "a-test-1"],
  ["!Select [1, [a, b]]", "b"],
  ["!Select [0, !Split ['-', !Sub '${Env}-b']]", "test"],
  ["!Join ['_', !Split ['-', worker-item]]", "worker_item"],
  ["!FindInMap [Size, !Ref Env, Name]", "small"],
  ["!FindInMap [Size, !Ref Env, Zones]", ["a", "b"]],
  ["!FindInMap [Size, none, Name, { DefaultValue: other }]", "other"],
  ["!If [IsProd, a, b]", "b"],
  ["!If [NotProd, a, b]", "a"],
  ["!If [Both, a, b]", "b"],
  ["!If [Either, a, b]", "a"],
  ["!ImportValue x-y", "import x-y"],
  ["{ 'Fn::ImportValue': !Sub '${App}-VpcId' }", "import shop-VpcId"],
  ["!Base64 abc", "YWJj"],
  ["!Select [0, !GetAZs '']", "ap-northeast-1a"],
  ["[1, true, a]", [1, true, "a"]],
  ["[a, !Ref AWS::NoValue]", ["a"]],
  [
    "{ a: !Ref Env, Condition: { StringEquals: { b: c } } }",
    { a: "test", Condition: { StringEquals: { b: "c" } } },
  ],
])("%s", (expression, value) => {
  expect(valueOf(expression, tables)).toEqual(value);
});

test("conditions and mappings follow the environment", () => {
  expect(valueOf("!If [IsProd, !FindInMap [Size, !Ref Env, Name], none]", tables, "prod")).toBe("large");
  expect(valueOf("!If [Both, a, b]", tables, "prod")).toBe("a");
});

test("AWS::NoValue leaves the property out", () => {
  const { resources } = evaluated(
    `Resources:\n  X:\n    Type: T\n    Properties: { a: 1, b: !If [IsProd, 2, !Ref AWS::NoValue] }\n${tables}`,
  );
  expect(resources.get("X")?.properties).toEqual({ a: 1 });
});

test("a resource or output whose condition is false does not exist", () => {
  const template = `Resources:\n  A: { Type: T }\n  X: { Type: T, Condition: IsProd }\nOutputs:\n  Y: { Value: a, Condition: IsProd }\n  Z: { Value: b }\n${tables}`;
  expect([...evaluated(template).resources.keys()]).toEqual(["A"]);
  expect([...evaluated(template).outputs.keys()]).toEqual(["Z"]);
  expect([...evaluated(template, { environment: "prod" }).resources.keys()]).toEqual(["A", "X"]);
});

test("a meaning sees the properties of the resource, whatever the order in the template", () => {
  const { resources } = evaluated(
    "Resources:\n  User:\n    Type: T\n    Properties: { Bucket: !Ref Bucket }\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties: { BucketName: !Sub '${App}-files' }\n",
    { meanings: { ...meanings, ref: (_id, resource) => resource?.properties["BucketName"] } },
  );
  expect(resources.get("User")?.properties).toEqual({ Bucket: "shop-files" });
  expect([...resources.keys()]).toEqual(["User", "Bucket"]);
});

test("resources that refer to each other end, each seen without its properties by the other", () => {
  const { resources } = evaluated(
    "Resources:\n  A:\n    Type: T\n    Properties: { B: !Ref B }\n  B:\n    Type: T\n    Properties: { A: !Ref A }\n",
  );
  expect(resources.get("A")?.properties).toEqual({ B: "<B>" });
});

test("parameters come from addons.parameters.yml, which speaks of the parent's stack, else from their default", () => {
  const template = `${header}  Topic: { Type: String }\n  Role: { Type: String }\n  Free: { Type: String, Default: x }\nResources:\n  X:\n    Type: T\n    Properties: { T: !Ref Topic, R: !Sub '\${Role}', F: !Ref Free }\n`;
  const parameters = `Parameters:\n  Topic: !Ref ${topicLogicalId("external-ec", true)}\n  Role: !Join ['/', [!GetAtt TaskRole.Arn, !Ref EnvName, !Ref WorkloadName]]\n`;
  expect(evaluated(template, { parameters }).resources.get("X")?.properties).toEqual({
    T: "parent externalecfifoSNSTopic",
    R: "parent TaskRole.Arn/test/svc",
    F: "x",
  });
});

test("the environment's parameters may speak of its network in both kinds of environment", () => {
  const workspace = workspaceOf({
    "copilot/environments/addons/a.yml":
      "Parameters:\n  App: { Type: String }\n  Env: { Type: String }\n  VPCID: { Type: String }\nResources:\n  X: { Type: T, Properties: { V: !Ref VPCID } }\nOutputs:\n  O: { Value: !Ref X }\n",
    "copilot/environments/addons/addons.parameters.yml":
      "Parameters:\n  VPCID: !GetAtt EnvironmentSecurityGroup.VpcId\n",
  });
  const [stack] = readAddons(workspace, "test");
  const result = stack && evaluate(stack, meanings);
  expect(result?.resources.get("X")?.properties).toEqual({ V: "parent EnvironmentSecurityGroup.VpcId" });
  // Nothing of an environment's stack reaches a container by itself.
  expect(result?.injected).toEqual({ variables: {}, secrets: {}, policies: [], securityGroups: [] });
});

test("outputs become variables, secrets, policies and security groups, as Copilot does it", () => {
  const { injected, outputs } = evaluated(`Resources:
  Bucket: { Type: AWS::S3::Bucket }
  Secret: { Type: AWS::SecretsManager::Secret }
  Policy: { Type: AWS::IAM::ManagedPolicy }
  Group: { Type: AWS::EC2::SecurityGroup }
Outputs:
  FeedBucketName: { Value: !Ref Bucket }
  UsersDDBTable: { Value: !GetAtt Bucket.Arn, Export: { Name: !Sub '\${App}-table' } }
  DatabaseSecret: { Value: !Ref Secret }
  SecretArn: { Value: !GetAtt Secret.Id }
  AccessPolicy: { Value: { Ref: Policy } }
  ClientGroup: { Value: !Ref Group }
`);
  expect(injected).toEqual({
    variables: { FEED_BUCKET_NAME: "<Bucket>", USERS_DDB_TABLE: "<Bucket.Arn>", SECRET_ARN: "<Secret.Id>" },
    secrets: { DATABASE_SECRET: "<Secret>" },
    policies: ["<Policy>"],
    securityGroups: ["<Group>"],
  });
  expect(outputs.get("UsersDDBTable")).toMatchObject({ value: "<Bucket.Arn>", exportName: "shop-table" });
});

test("what has no value is left out and listed with its place and reason", () => {
  const nothing: Meanings = { ref: () => undefined, getAtt: () => undefined };
  const { resources, unresolved } = evaluated(
    "Resources:\n  A: { Type: T }\n  X:\n    Type: T\n    Properties:\n      R: !Ref A\n      G: !GetAtt A.Arn\n      S: !Sub '${A}/x'\n      I: !ImportValue y\n      M: !FindInMap [a, b, c]\n      T: { 'Fn::Transform': { Name: AWS::Include } }\n      K: kept\n",
    { meanings: nothing },
  );
  expect(resources.get("X")?.properties).toEqual({ K: "kept" });
  expect(unresolved.map(({ expression, reason, at }) => [expression, reason, at.line])).toEqual([
    ["!Ref A", "reference", 10],
    ["!GetAtt A.Arn", "attribute", 11],
    ["!Ref A", "reference", 12],
    ["!ImportValue y", "import", 13],
    ["!FindInMap [a, b, c]", "mapping", 14],
    ["Fn::Transform", "function", 15],
  ]);
});

test("a resource knows where it was written, and the parts of its template keep their own lines", () => {
  expect(evaluated("Resources:\n  A: { Type: T }\n").resources.get("A")?.at).toEqual({
    file: "copilot/svc/addons/a.yml",
    line: 6,
    column: 3,
  });
});
