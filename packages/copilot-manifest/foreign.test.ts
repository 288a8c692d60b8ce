// Shapes that real workspaces have and a house of one's own has not: what is right in them must not be called wrong.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { check, readWorkspace } from "./index.ts";
import {
  environmentManifest,
  minimal,
  problemsOf,
  resolvedOf,
  workloadOf,
  workspaceFolder,
} from "./testing.ts";

const svc = (manifest: string) => ({ "copilot/svc/manifest.yml": manifest });
const prod = { "copilot/environments/prod/manifest.yml": environmentManifest("prod") };
const pipeline = (rest: string) =>
  `name: p\nversion: 1\nsource: { provider: GitHub, properties: { branch: main, repository: r } }\n${rest}`;
const parameters = "Parameters: { App: { Type: String }, Env: { Type: String } }\n";
const bucket = `${parameters}Resources: { Files: { Type: AWS::S3::Bucket } }\n`;

test("a pipeline without a folder of environments may name any environment", () => {
  const files = {
    ...svc(minimal.backend),
    "copilot/pipelines/p/manifest.yml": pipeline(
      "stages: [{ name: test }, { name: live, requires_approval: true }]\n",
    ),
  };
  expect(problemsOf(files)).toEqual([]);
});

test("the pipeline of older workspaces lies directly under copilot, its buildspec beside it", () => {
  const files = {
    ...svc(minimal.backend),
    "copilot/pipeline.yml": pipeline("stages:\n    - # The name of the environment.\n      name: test\n"),
  };
  expect(problemsOf(files)).toEqual([]);
});

test("variables of the CI are left alone, in every environment's section", () => {
  const manifest = `${minimal.web}  alias: api.\${CLIENT_DOMAIN}
env_file: \${ENV_FILE}.env
variables: { RELEASE: "\${GIT_SHA}", FULL: "https://\${HOST}:\${PORT}/" }
environments:
  prod: { http: { alias: ["a.\${CLIENT_DOMAIN}", "b.\${CLIENT_DOMAIN}"] } }
`;
  expect(problemsOf({ ...svc(manifest), ...prod })).toEqual([]);
});

test("a variable where a number is due never works, whatever its value", () => {
  expect(problemsOf(svc(`${minimal.backend}cpu: \${CPU}\n`))).toEqual([
    expect.stringContaining("`cpu` must be a whole number, without quotes"),
  ]);
});

test("sections and stages for environments of another repository are right, misspelt ones are not", () => {
  const files = (name: string) => ({
    ...svc(`${minimal.backend}environments: { ${name}: { count: 2 } }\n`),
    ...prod,
    "copilot/environments/dev/manifest.yml": environmentManifest("dev"),
    "copilot/pipelines/p/manifest.yml": pipeline(`stages: [{ name: ${name} }]\n`),
  });
  expect(problemsOf(files("accessibility"))).toEqual([]);
  expect(problemsOf(files("pord"))).toEqual([
    "copilot/pipelines/p/manifest.yml:4 unknown-environment: A stage's name is its environment, and there is no environment `pord`. Did you mean `prod`?",
    "copilot/svc/manifest.yml:5 unknown-environment: There is no environment `pord`: Copilot would never read this section. Did you mean `prod`?",
  ]);
  expect(problemsOf(files("production"))).toHaveLength(2);
});

test("anchors, merge keys and sections of one's own for them are read as YAML means them", () => {
  const manifest = `name: svc
type: Backend Service
image: &image { build: Dockerfile }
x-common: &common
  LOG_LEVEL: info
  MODE: &mode strict
variables:
  <<: *common
  OTHER: *mode
environments:
  dev: &small
    count: 1
    variables: { <<: *common, LOG_LEVEL: debug }
  prod:
    <<: *small
    count: 3
`;
  expect(problemsOf(svc(manifest))).toEqual([]);
  const { variables, count } = workloadOf(manifest, "prod");
  expect({ variables, count }).toEqual({
    count: 3,
    variables: { LOG_LEVEL: { value: "debug" }, MODE: { value: "strict" }, OTHER: { value: "strict" } },
  });
});

test("taskdef_overrides take any path and any value", () => {
  const manifest = `${minimal.backend}taskdef_overrides:
  - path: ContainerDefinitions[0].Ulimits[-]
    value: { Name: nofile, SoftLimit: 1048576, HardLimit: 1048576 }
  - { path: "ContainerDefinitions[0].EntryPoint", value: ["/bin/sh", "-c", "a || true; exec b"] }
  - { path: TaskRoleArn, value: !Ref Role }
`;
  expect(problemsOf(svc(manifest))).toEqual([]);
});

test("JSON in variables is a text, but a list of texts becomes a list, which Copilot refuses", () => {
  const json = `${minimal.backend}variables:
  OBJECT: '{"a": ["b"], "c": 1}'
  NUMBERS: "[1, 2]"
  EMPTY: "[]"
  BLOCK: |
    ["a", "b"]
`;
  expect(problemsOf(svc(json))).toEqual([]);
  expect(problemsOf(svc(`${minimal.backend}variables:\n  HOSTS: '["a"]'\n`))).toEqual([
    "copilot/svc/manifest.yml:6 type: Copilot makes a list of this text, since it is a JSON list of texts, and `variables.HOSTS` must be a text or a map with from_cfn. Write it as a literal block (`|`), which Copilot leaves a text.",
  ]);
});

test("values of other kinds than texts, and none at all, may be variables and secrets", () => {
  const manifest = `${minimal.backend}variables:
  YES: True
  PORT: 5432
  RATE: 1.0
  ZONE: -05:00
  NOTHING:
secrets:
  LATER: # to be filled in
  QUOTED: "'arn:aws:secretsmanager:us-east-1:111122223333:secret:x:username::'"
`;
  expect(problemsOf(svc(manifest))).toEqual([]);
});

test("a workspace whose application is named only where Copilot runs is checked all the same", () => {
  const { "copilot/svc/manifest.yml": manifest } = svc(
    `${minimal.backend}secrets: { KEY: "/copilot/\${COPILOT_APPLICATION_NAME}/\${COPILOT_ENVIRONMENT_NAME}/KEY" }\n`,
  );
  const root = workspaceFolder({ "copilot/svc/manifest.yml": manifest }, { application: false });
  const workspace = readWorkspace(root);
  expect(check(workspace, {})).toEqual([]);
  expect(
    check(workspace, {}, { settings: { rules: "strict", elsewhere: [], workloads: {}, except: [] } }),
  ).toContainEqual(expect.objectContaining({ rule: "no-workspace-file", file: "copilot" }));
});

test("files that are made elsewhere are not asked for: ignored by git, or outside the repository", () => {
  const manifest = (build: string) =>
    `name: svc\ntype: Backend Service\nimage: { build: ${build} }\nenv_file: local.env\n`;
  const root = workspaceFolder({ ...svc(manifest("../other/Dockerfile")), ".gitignore": "*.env\n" });
  expect(check(readWorkspace(root), {})).toMatchObject([{ rule: "missing-file", line: 4 }]);
  spawnSync("git", ["init", "--quiet", root]);
  expect(check(readWorkspace(root), {})).toEqual([]);
  const inside = workspaceFolder(svc(manifest("other/Dockerfile").replace("env_file: local.env\n", "")));
  expect(check(readWorkspace(inside), {})).toMatchObject([{ rule: "missing-file", line: 3 }]);
});

test("where environments are only guessed from sections, a workload's table need not have all of them", () => {
  const table = `Parameters: { App: { Type: String }, Env: { Type: String }, Name: { Type: String } }
Mappings: { Size: { staging: { Min: 1 } } }
Resources: { Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { Threshold: !FindInMap [Size, !Ref Env, Min] } } }
`;
  const files = {
    ...svc(`${minimal.backend}environments: { prod: { count: 2 } }\n`),
    "copilot/svc/addons/a.yml": table,
  };
  expect(problemsOf(files)).toEqual([]);
  expect(problemsOf({ ...files, ...prod })).toEqual([expect.stringContaining("finds nothing for prod")]);
});

test("a table without a row for an environment is right where a condition keeps its resource away", () => {
  const template = `${parameters}Mappings: { Vpn: { prod: { Cidr: 10.0.0.0/16 } } }
Conditions: { Has: !Or [!Equals [!Ref Env, prod], !Equals [!Ref Env, production]] }
Resources:
  Vpn: { Type: AWS::EC2::ClientVpnEndpoint, Condition: Has, Properties: { ClientCidrBlock: !FindInMap [Vpn, !Ref Env, Cidr] } }
`;
  const files = {
    ...prod,
    "copilot/environments/dev/manifest.yml": environmentManifest("dev"),
    "copilot/environments/addons/vpn.yml": template,
  };
  expect(problemsOf(files)).toEqual([]);
});

test("templates as people write them: blanks in ${}, long forms, imports, versions and metadata", () => {
  const template = `AWSTemplateFormatVersion: "2010-09-09"
Description: x
Metadata: { cfn-lint: { config: { ignore_checks: [W2001] } } }
Parameters:
    App: { Type: String, Description: Your application's name. }
    Env: { Type: String }
    Name: { Type: String }
Conditions:
  Live: !Equals
    - true # false at first
    - true
Resources:
  Files: { Type: AWS::S3::Bucket, Condition: Live }
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: !Sub
        - For \${Bucket}
        - { Bucket: !Ref Files }
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Resource:
              - !Sub \${ Files.Arn}/*
              - Fn::Sub: ["\${ Other }/*", { Other: { "Fn::ImportValue": !Sub "\${App}-\${Env}-Other" } }]
            Condition: { Bool: { "aws:SecureTransport": false } }
  Reader:
    Type: AWS::Lambda::Function
    Properties: { Code: { ZipFile: "return \`\${answer.status}\`" } }
  Action: { Type: Custom::Thing, Properties: { ServiceToken: !GetAtt Reader.Arn } }
Outputs:
  PolicyArn: { Value: !Ref Policy }
  Answer: { Value: !GetAtt "Action.Answer" }
`;
  expect(problemsOf({ ...svc(minimal.backend), "copilot/svc/addons/files.yaml": template })).toEqual([]);
});

test("patches of what this package does not know are let pass, comments and a whole section too", () => {
  const patches = `# - op: remove
#   path: /Resources/TaskRole
- op: replace
  path: /Resources/Service/Properties/NetworkConfiguration/AwsvpcConfiguration
  value: { Subnets: { Fn::Split: [",", { Fn::ImportValue: !Sub "\${AppName}-\${EnvName}-PrivateSubnets" }] } }
- op: add
  path: /Resources/EventsQueue/Properties/ContentBasedDeduplication
  value: true
- op: add
  path: /Outputs
  value: { Arn: { Value: !GetAtt EventsQueue.Arn } }
- { op: add, path: /Resources/TaskDefinition/Properties/ContainerDefinitions/1, value: { Name: init } }
`;
  expect(problemsOf({ ...svc(minimal.worker), "copilot/svc/overrides/cfn.patches.yml": patches })).toEqual(
    [],
  );
  const comments = "# - op: remove\n#   path: /Resources/TaskRole\n";
  expect(problemsOf({ ...svc(minimal.worker), "copilot/svc/overrides/cfn.patches.yml": comments })).toEqual(
    [],
  );
});

test("every documented way to the load balancers is right", () => {
  const manifest = `name: svc
type: 'Load Balanced Web Service'
image: { build: Dockerfile, port: 8080, depends_on: { proxy: start } }
http:
  path: '/'
  alb: arn:aws:elasticloadbalancing:eu-west-2:111122223333:loadbalancer/app/x/1
  target_container: proxy
  healthcheck: { path: /live, port: 9000, success_codes: '200,301', grace_period: 2m }
  additional_rules:
    - { path: customers, target_port: 8081 }
    - { path: admin, alias: [{ name: admin.example.com }] }
nlb:
  port: 8080/tcp
  additional_listeners:
    - { port: 8085/tcp, target_port: 3000, target_container: proxy }
sidecars:
  proxy:
    port: 443
    image:
      registry.example.com/proxy:latest
network: { vpc: { security_groups: { deny_default: true, groups: [sg-1, { from_cfn: "\${COPILOT_APPLICATION_NAME}-x" }] } } }
`;
  expect(problemsOf(svc(manifest))).toEqual([]);
});

test("App Runner has limits of its own for health checks", () => {
  const checked = (text: string) =>
    problemsOf(svc(`${minimal.appRunner}http: { healthcheck: { ${text} } }\n`));
  expect(checked("healthy_threshold: 1, unhealthy_threshold: 20, interval: 1s, timeout: 1s")).toEqual([]);
  expect(checked("interval: 30s")).toEqual([
    expect.stringContaining("must be between 1s and 20s: App Runner's limit"),
  ]);
});

test("a handler of less than a second scales as Copilot computes it", () => {
  const manifest = `${minimal.worker}count: { range: 1-4, queue_delay: { acceptable_latency: 10m, msg_processing_time: 250ms } }\n`;
  expect(problemsOf(svc(manifest))).toEqual([]);
  expect(workloadOf(manifest).count).toMatchObject({ queueDelayTarget: 2400 });
});

test("an environment with its own network, one that Copilot makes, and one behind a CDN are right", () => {
  const environment = (name: string, text: string) => ({
    [`copilot/environments/${name}/manifest.yml`]: `name: ${name}\ntype: Environment\n${text}`,
  });
  const files = {
    ...environment(
      "own",
      "network: { vpc: { id: vpc-1, subnets: { private: [{ id: subnet-1 }] }, flow_logs: on } }\n",
    ),
    ...environment(
      "made",
      "network: { vpc: { cidr: 10.0.0.0/16, subnets: { public: [{ cidr: 10.0.0.0/24, az: a }] }, security_group: { ingress: [{ ip_protocol: tcp, ports: 80, cidr: 0.0.0.0/0 }] } } }\n",
    ),
    ...environment(
      "cdn",
      "cdn: true\nhttp: { public: { security_groups: { ingress: { restrict_to: { cdn: true } } } } }\n",
    ),
    "copilot/environments/addons/files.yml": bucket,
  };
  expect(problemsOf(files)).toEqual([]);
});

test("an application of several repositories: the topics' publisher may live in another one", () => {
  const files = svc(`${minimal.worker}subscribe: { topics: [{ name: orders, service: shop }] }\n`);
  const workspace = readWorkspace(workspaceFolder(files));
  expect(check(workspace, {})).toHaveLength(1);
  expect(check(workspace, {}, { elsewhere: ["shop"] })).toEqual([]);
  expect(resolvedOf(files).topology.queues).toHaveLength(1);
});
