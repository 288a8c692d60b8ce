import { expect, test } from "vitest";
import { environmentManifest, minimal, problemsBySettings } from "./testing.ts";

/** A workspace that keeps every house rule, in production and beside it. */
const kept: Record<string, string> = {
  "copilot/web/manifest.yml": `name: web
type: Load Balanced Web Service
image: { build: Dockerfile, port: 8080 }
http:
  path: /
  healthcheck: /health
  deregistration_delay: 30s
count: 1
exec: false
storage: { readonly_fs: true }
network: { vpc: { placement: private } }
logging: { retention: 30 }
deployment: { rollback_alarms: [errors] }
taskdef_overrides: [{ path: "ContainerDefinitions[0].StopTimeout", value: 60 }]
variables: { PORT: 8080 }
secrets:
  KEY: /copilot/\${COPILOT_APPLICATION_NAME}/\${COPILOT_ENVIRONMENT_NAME}/secrets/KEY
environments:
  prod: { count: 2 }
`,
  "copilot/pub/manifest.yml": `name: pub
type: Backend Service
image: { build: Dockerfile, healthcheck: { command: ["CMD", "true"] } }
count: 2
storage: { readonly_fs: true }
network: { vpc: { placement: private } }
logging: { retention: 30 }
deployment: { rollback_alarms: [errors] }
taskdef_overrides: [{ path: "ContainerDefinitions[0].StopTimeout", value: 60 }]
publish: { topics: [{ name: item }] }
`,
  "copilot/sub/manifest.yml": `name: sub
type: Worker Service
image: { build: Dockerfile, healthcheck: { command: ["CMD", "true"] } }
count:
  range: { min: 1, max: 4, spot_from: 2 }
  queue_delay: { acceptable_latency: 1m, msg_processing_time: 10s }
storage: { readonly_fs: true }
network: { vpc: { placement: private } }
logging: { retention: 30 }
deployment: { rollback_alarms: [backlog] }
taskdef_overrides: [{ path: "ContainerDefinitions[0].StopTimeout", value: 120 }]
subscribe:
  topics: [{ name: item, service: pub }]
  queue:
    timeout: 30s
    retention: 96h
    dead_letter: { tries: 5 }
`,
  "copilot/sub/overrides/cfn.patches.yml":
    "- { op: add, path: /Resources/pubitemSNSTopicSubscription/Properties/RawMessageDelivery, value: true }\n",
  "copilot/job/manifest.yml": `name: job
type: Scheduled Job
image: { build: Dockerfile }
on: { schedule: "@daily" }
timeout: 30m
retries: 0
storage: { readonly_fs: true }
network: { vpc: { placement: private } }
logging: { retention: 30 }
`,
  "copilot/environments/dev/manifest.yml": environmentManifest("dev"),
  "copilot/environments/prod/manifest.yml": `name: prod
type: Environment
network: { vpc: { flow_logs: true } }
http: { public: { access_logs: true, ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06 } }
observability: { container_insights: true }
`,
  "copilot/pipelines/p/manifest.yml": `name: p
version: 1
source: { provider: GitHub, properties: { branch: main, repository: r } }
stages:
  - name: dev
  - name: prod
    requires_approval: true
    deployments:
      pub:
      sub: { depends_on: [pub] }
      web:
      job:
`,
};

const settings = "rules: strict\nproduction: [prod]\n";

type Change = [manifest: string, from: string, to: string];

function changed(...changes: Change[]): Record<string, string> {
  const files = { ...kept };
  for (const [manifest, from, to] of changes) {
    const path = `copilot/${manifest}/manifest.yml`;
    if (!files[path]?.includes(from)) throw new Error(`${path} does not hold ${from}`);
    files[path] = files[path].replace(from, to);
  }
  return files;
}

test("a workspace that keeps every house rule has no problems", () => {
  expect(problemsBySettings(kept, settings)).toEqual([]);
});

const sub4 = "{ min: 1, max: 4, spot_from: 2 }";
const broken: [rule: string, change: Change, problem: string][] = [
  [
    "readonly-fs",
    ["job", "readonly_fs: true", "readonly_fs: false"],
    "job/manifest.yml:7 readonly-fs: The containers of job can write to their own file system. Write `storage: { readonly_fs: true }`",
  ],
  [
    "placement",
    ["web", "network: { vpc: { placement: private } }", ""],
    "web/manifest.yml:1 placement: The tasks of web get public addresses, which is Copilot's default. Write `placement: private` under `network.vpc`.",
  ],
  [
    "single-task",
    ["pub", "count: 2", "count: { range: 1-4, cpu_percentage: 60 }"],
    "pub/manifest.yml:4 single-task: pub may run one task: when it stops, nobody is left. (prod) Write `count: 2`",
  ],
  [
    "lambda-shape",
    ["web", "prod: { count: 2 }", "prod: { count: { range: 2-4, cpu_percentage: 60 } }"],
    "web/manifest.yml:8 lambda-shape: web has the Lambda DynamicDesiredCountFunction in other environments and not here: no patch of its runtime fits all of them. (dev) Where one task is meant, write `range: { min: 1, max: 1 }`",
  ],
  [
    "null-override",
    ["web", "prod: { count: 2 }", "prod: { count: 2, logging: null }"],
    "web/manifest.yml:19 null-override: Nothing stands here: Copilot leaves the base's value as it is. Remove the key, or write a value.",
  ],
  [
    "null-override",
    ["web", "prod: { count: 2 }", "prod: { count: 2, variables: { PORT: null } }"],
    'web/manifest.yml:19 null-override: `PORT` becomes the empty text here: Copilot does not take it away. Write `""` if that is meant.',
  ],
  [
    "undescribed-environment",
    ["web", "prod: { count: 2 }", "prod: { count: 2 }\n  other: { count: 2 }"],
    "web/manifest.yml:20 undescribed-environment: No folder here describes the environment `other`. Known environments: dev, prod. If it lives in another repository, except this rule.",
  ],
  [
    "dead-letter",
    ["sub", "    dead_letter: { tries: 5 }\n", ""],
    "sub/manifest.yml:14 dead-letter: A message that sub cannot handle comes back until it expires, and is then lost. Write `dead_letter: { tries: <3 to 10> }`.",
  ],
  [
    "dead-letter",
    ["sub", "tries: 5", "tries: 2"],
    "sub/manifest.yml:17 dead-letter: sub tries a message 2 times: a passing fault is enough to set it aside.",
  ],
  [
    "dead-letter",
    ["sub", "tries: 5", "tries: 11"],
    "sub/manifest.yml:17 dead-letter: sub tries a message 11 times: it keeps others waiting.",
  ],
  [
    "dead-letter-retention",
    ["sub", "retention: 96h", "retention: 336h"],
    "sub/manifest.yml:16 dead-letter-retention: A message that sub gives up late is deleted as it arrives among the dead letters",
  ],
  [
    "queue-retention-margin",
    ["sub", "retention: 96h", "retention: 120s"],
    "sub/manifest.yml:16 queue-retention-margin: A message of sub lives 120 s, and its 5 tries may take 150 s: it is deleted before it becomes a dead letter. Write a `retention` of more than 150s",
  ],
  [
    "queue-timeout-margin",
    ["sub", "timeout: 30s", "timeout: 29s"],
    "sub/manifest.yml:15 queue-timeout-margin: sub hides a message for 29 s, and it may take 10 s (`msg_processing_time`): a slow one is handled twice. Write a `timeout` of 30s or more.",
  ],
  [
    "healthcheck",
    ["sub", ', healthcheck: { command: ["CMD", "true"] }', ""],
    "sub/manifest.yml:3 healthcheck: Nothing tells ECS whether sub works",
  ],
  [
    "log-retention",
    ["pub", "logging: { retention: 30 }", ""],
    "pub/manifest.yml:1 log-retention: pub does not say how long its logs are kept; Copilot's default is 30 days. Write `logging: { retention: <days> }`.",
  ],
  [
    "rollback-alarms",
    ["sub", "rollback_alarms: [backlog]", "rollback_alarms: { messages_delayed: 5 }"],
    "sub/manifest.yml:10 rollback-alarms: The alarms that Copilot makes for sub see processor, memory and delayed messages, not a backlog. Write a list",
  ],
  [
    "rollback-alarms",
    ["sub", "deployment: { rollback_alarms: [backlog] }", ""],
    "sub/manifest.yml:1 rollback-alarms: No alarm rolls a bad release of sub back. (prod)",
  ],
  [
    "spot",
    ["pub", "count: 2", "count: { spot: 2 }"],
    "pub/manifest.yml:4 spot: pub answers others, and its tasks may be taken away with two minutes' notice. Use Spot for workers only",
  ],
  [
    "spot",
    ["sub", "spot_from: 2", "spot_from: 1"],
    "sub/manifest.yml:5 spot: Every task of sub runs on Spot: AWS may take all of them away at once. (prod) Write `spot_from: 2`",
  ],
  [
    "job-limits",
    ["job", "timeout: 30m\n", ""],
    "job/manifest.yml:4 job-limits: A run of job that hangs is never ended. Write `timeout`, like 30m.",
  ],
  [
    "job-limits",
    ["job", "retries: 0\n", ""],
    "job/manifest.yml:4 job-limits: job does not say how often a failed run starts again",
  ],
  [
    "secret-variable",
    ["web", "PORT: 8080", "DB_PASSWORD: hunter2"],
    "web/manifest.yml:15 secret-variable: The variable DB_PASSWORD looks like a secret, and everyone who may read the task definition reads it. Name it under `secrets`",
  ],
  [
    "secret-variable",
    ["web", "PORT: 8080", "SALT: 9fX2kQ7vLm3RtY8wZb1NcJ5hGd6Ps4Ae"],
    "secret-variable: The variable SALT looks like a secret",
  ],
  [
    "secret-path",
    [
      "web",
      "/copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/KEY",
      "/copilot/shop/dev/secrets/KEY",
    ],
    "web/manifest.yml:17 secret-path: web reads KEY from a name that is not prod's own: /copilot/shop/dev/secrets/KEY. (prod) Write /copilot/${COPILOT_APPLICATION_NAME}",
  ],
  [
    "account-id",
    ["web", "PORT: 8080", "ROLE: arn:aws:iam::123456789012:role/x"],
    "web/manifest.yml:15 account-id: This holds the id of an AWS account. Use what Copilot injects",
  ],
  [
    "flow-logs",
    ["environments/prod", "flow_logs: true", "flow_logs: false"],
    "prod/manifest.yml:3 flow-logs: Nobody can say afterwards who spoke with whom in the network of prod. Write `flow_logs:",
  ],
  [
    "access-logs",
    ["environments/prod", "access_logs: true, ", ""],
    "prod/manifest.yml:4 access-logs: The requests to the load balancer leave no trace in prod. Write `access_logs: true`",
  ],
  [
    "ssl-policy",
    ["environments/prod", ", ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06", ""],
    "prod/manifest.yml:4 ssl-policy: The load balancer takes AWS's policy of 2016, TLS 1.0 included, in prod. Write `ssl_policy:",
  ],
  [
    "container-insights",
    ["environments/prod", "observability: { container_insights: true }", ""],
    "prod/manifest.yml:1 container-insights: There are no figures of single tasks and their restarts in prod. Write `container_insights: true`",
  ],
  [
    "health-path",
    ["web", "  healthcheck: /health\n", ""],
    "web/manifest.yml:4 health-path: The load balancer asks `/` of web",
  ],
  [
    "deregistration-delay",
    ["web", "deregistration_delay: 30s", "deregistration_delay: 5s"],
    "web/manifest.yml:7 deregistration-delay: web leaves the load balancer after 5 s, which cuts requests that still run. Write `deregistration_delay` between 30s and 60s.",
  ],
  [
    "stop-timeout",
    ["web", "value: 60", "value: 20"],
    "web/manifest.yml:1 stop-timeout: web is killed 20 s after SIGTERM. Set StopTimeout between 60 and 120: a patch of copilot/web/overrides/cfn.patches.yml",
  ],
  [
    "approval",
    ["pipelines/p", "    requires_approval: true\n", ""],
    "p/manifest.yml:6 approval: A push goes to prod without anyone's approval. Write `requires_approval: true`",
  ],
  [
    "undeployed-workload",
    ["pipelines/p", "      web:\n", ""],
    "p/manifest.yml:8 undeployed-workload: No pipeline deploys web to prod. Add it under `deployments` of the pipeline p",
  ],
  [
    "deploy-order",
    ["pipelines/p", "sub: { depends_on: [pub] }", "sub:"],
    "p/manifest.yml:10 deploy-order: sub subscribes to topics of pub and does not wait for it: in a new environment, or with a new topic, its stack fails. Write `depends_on: [pub]` under sub",
  ],
];

test.each(broken)(
  "strict rules say what breaks %s, where, and what to write: %j",
  (rule, change, problem) => {
    const found = problemsBySettings(changed(change), settings);
    expect(found).toContainEqual(expect.stringContaining(problem));
    expect(found.filter((text) => !text.includes(` ${rule}: `))).toEqual([]);
  },
);

test.each(broken)("without the strict rules nobody is told about %s: %j", (_rule, change) => {
  expect(problemsBySettings(changed(change), "production: [prod]\n")).toEqual([]);
});

test.each<[what: string, change: Change]>([
  [
    "a system that is not Linux can write",
    ["job", "storage: { readonly_fs: true }", "platform: windows/amd64\ncpu: 1024\nmemory: 2048"],
  ],
  ["subnets by name", ["job", "placement: private", "placement: { subnets: [subnet-1] }"]],
  ["no worker has to run twice", ["sub", sub4, "{ min: 1, max: 1 }"]],
  [
    "a FIFO queue keeps 14 days: its dead letters get a new age",
    ["sub", "retention: 96h", "retention: 335h"],
  ],
  ["logs that go elsewhere", ["pub", "retention: 30", "destination: { Name: x }"]],
  ["an address that carries no password", ["web", "PORT: 8080", "API_TOKEN: https://tokens.example/v1"]],
  ["a switch whose name sounds like a secret", ["web", "PORT: 8080", "USE_TOKEN: true"]],
  ["a long plain text", ["web", "PORT: 8080", "TITLE: the-quick-brown-fox-jumps-over-the-lazy-dog"]],
  ["a number of twelve digits in a sentence", ["web", "PORT: 8080", "NOTE: call 090123456789 by day"]],
  [
    "an export for a secret",
    [
      "web",
      "/copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/KEY",
      "{ from_cfn: x }",
    ],
  ],
  [
    "an imported network, which somebody else logs",
    ["environments/prod", "flow_logs: true", "id: vpc-1, subnets: { public: [], private: [] }"],
  ],
  [
    "a stage that deploys everything",
    [
      "pipelines/p",
      "    deployments:\n      pub:\n      sub: { depends_on: [pub] }\n      web:\n      job:\n",
      "",
    ],
  ],
  [
    "a path through another deployment",
    [
      "pipelines/p",
      "sub: { depends_on: [pub] }\n      web:",
      "sub: { depends_on: [web] }\n      web: { depends_on: [pub] }",
    ],
  ],
])("strict rules let pass: %s", (_what, change) => {
  expect(problemsBySettings(changed(change), settings)).toEqual([]);
});

test("nobody has a shell in production, however it is written", () => {
  const shell = (text: string) =>
    changed(["web", "exec: false", text], ["web", "readonly_fs: true", "readonly_fs: false"]);
  const message =
    "no-exec: Anyone with `ecs:ExecuteCommand` has a shell in web. (prod) Write `exec: false`; a map turns it on in any case.";
  for (const text of ["exec: true", "exec: { enable: false }"])
    expect(problemsBySettings(shell(text), settings)).toContainEqual(`copilot/web/manifest.yml:9 ${message}`);
  expect(problemsBySettings(shell("exec: true"), "rules: strict\nproduction: []\n").join()).not.toContain(
    "no-exec",
  );
});

test("a patch sets the stop time-out as well, and an override program may", () => {
  const files = changed([
    "web",
    'taskdef_overrides: [{ path: "ContainerDefinitions[0].StopTimeout", value: 60 }]\n',
    "",
  ]);
  const patch =
    "- op: add\n  path: /Resources/TaskDefinition/Properties/ContainerDefinitions/0/StopTimeout\n  value: 90\n";
  expect(problemsBySettings(files, settings)).toHaveLength(1);
  expect(problemsBySettings({ ...files, "copilot/web/overrides/cfn.patches.yml": patch }, settings)).toEqual(
    [],
  );
  expect(problemsBySettings({ ...files, "copilot/web/overrides/cdk.json": "{}" }, settings)).toEqual([]);
});

test("a topic's own queue is judged at its own place; a default queue that nothing feeds is not judged", () => {
  const files = changed([
    "sub",
    "topics: [{ name: item, service: pub }]\n  queue:\n    timeout: 30s\n    retention: 96h\n    dead_letter: { tries: 5 }\n",
    "topics:\n    - name: item\n      service: pub\n      queue:\n        timeout: 30s\n        dead_letter: { tries: 1 }\n",
  ]);
  expect(problemsBySettings(files, settings)).toEqual([
    expect.stringContaining("sub/manifest.yml:18 dead-letter: sub tries a message 1 times"),
  ]);
});

test("a message may take what `handler_limit` says, more than what the scaling reckons with", () => {
  const limited = `${settings}workloads: { sub: { handler_limit: 20s } }\n`;
  expect(problemsBySettings(kept, limited)).toEqual([
    expect.stringContaining(
      "queue-timeout-margin: sub hides a message for 30 s, and it may take 20 s (`handler_limit` in copilot-manifest.yml)",
    ),
  ]);
});

test("production is what the settings name, else what a pipeline deploys only after approval", () => {
  const files = changed(["web", "prod: { count: 2 }", "prod: { count: 1 }"]);
  expect(problemsBySettings(files, "rules: strict\n")).toEqual([expect.stringContaining("single-task")]);
  expect(problemsBySettings(files, "rules: strict\nproduction: []\n")).toEqual([]);
  const unapproved = changed(
    ["pipelines/p", "    requires_approval: true\n", ""],
    ["web", "count: 2 }", "count: 1 }"],
  );
  expect(problemsBySettings(unapproved, "rules: strict\n")).toEqual([]);
});

test("an exception takes a rule away where it says so, and has a reason", () => {
  const files = changed(["web", "prod: { count: 2 }", "prod: { count: 1 }"], ["pub", "count: 2", "count: 1"]);
  const except = (...lines: string[]) => `${settings}except:\n  - { ${lines.join(", ")}, reason: because }\n`;
  expect(problemsBySettings(files, settings)).toHaveLength(2);
  expect(problemsBySettings(files, except("rule: single-task"))).toEqual([]);
  expect(problemsBySettings(files, except("rule: single-task", "workload: web"))).toEqual([
    expect.stringContaining("pub may run one task"),
  ]);
  expect(problemsBySettings(files, except("rule: single-task", "environment: prod"))).toEqual([]);
});

test("an exception that excepts nothing is an error, where its rule was looked at", () => {
  const except = "except:\n  - rule: single-task\n    workload: web\n    reason: because\n";
  expect(problemsBySettings(kept, settings + except)).toEqual([
    "copilot-manifest.yml:4 exception-unused: The exception from `single-task` for web excepts nothing. Remove it: what it allowed is gone, and it would hide the next one.",
  ]);
  expect(problemsBySettings(kept, except)).toEqual([]);
});

test("an exception may take away any rule, by the workload's folder too", () => {
  const files = { "copilot/svc/manifest.yml": `${minimal.backend}cpus: 1\n` };
  const except = "except:\n  - { rule: unknown-key, workload: svc, reason: read by our own script }\n";
  expect(problemsBySettings(files, "")).toHaveLength(1);
  expect(problemsBySettings(files, except)).toEqual([]);
});

test("mistakes in the settings are said with file, line and the nearest name", () => {
  const text =
    "rules: strickt\nelswhere: [x]\nproduction: [prd]\nworkloads: { wbe: { health: [/x] } }\nexcept:\n  - { rule: single-tsk, reason: x }\n  - { rule: no-exec }\n";
  expect(problemsBySettings(kept, text)).toEqual([
    "copilot-manifest.yml:1 value: `rules` (strickt) must be one of recommended, strict.",
    "copilot-manifest.yml:2 unknown-key: `elswhere` is no key of this file: it would be ignored. Did you mean `elsewhere`?",
    "copilot-manifest.yml:3 settings: There is no environment `prd`. Did you mean `prod`?",
    "copilot-manifest.yml:4 settings: There is no workload `wbe`. Did you mean `web`?",
    "copilot-manifest.yml:6 settings: There is no rule `single-tsk`. Did you mean `single-task`?",
    "copilot-manifest.yml:7 settings: An exception needs a `rule` and a `reason`. Say why this workspace does not keep the rule: whoever reads it decides by that.",
  ]);
});

test("SNS's envelope is told where a subscription is not patched, each with its patch", () => {
  const files = { ...kept, "copilot/sub/overrides/cfn.patches.yml": "[]\n" };
  expect(problemsBySettings(files, settings)).toEqual([
    'copilot/sub/manifest.yml:13 raw-delivery: sub gets messages of "item" in SNS\'s envelope, their attributes inside it. Add to copilot/sub/overrides/cfn.patches.yml: { op: add, path: /Resources/pubitemSNSTopicSubscription/Properties/RawMessageDelivery, value: true }.',
  ]);
  expect(problemsBySettings(files, "production: [prod]\n")).toEqual([]);
});

const addon = (resources: string, more = "") =>
  `Parameters: { App: { Type: String }, Env: { Type: String }${more} }\nResources:\n  ${resources}\n`;

test.each([
  [
    "asks for Copilot's own network",
    {
      "copilot/environments/addons/db.yml": addon(
        "Db: { Type: AWS::EC2::SecurityGroup, Properties: { VpcId: !Ref Vpc } }",
        ", Vpc: { Type: String }",
      ),
      "copilot/environments/addons/addons.parameters.yml": "Parameters:\n  Vpc: !Ref VPC\n",
    },
    "addons/addons.parameters.yml:2 vpc-reference: An environment that imports its network has no `VPC`. Write `!GetAtt EnvironmentSecurityGroup.VpcId`",
  ],
  [
    "imports what its own environment exports",
    {
      "copilot/environments/addons/db.yml": addon(
        'Db: { Type: AWS::EC2::SecurityGroup, Properties: { VpcId: { "Fn::ImportValue": !Sub "${App}-${Env}-VpcId" } } }',
      ),
    },
    "addons/db.yml:3 own-export: The environment exports ${App}-${Env}-VpcId only after its addons are made: a new environment cannot be deployed. Hand it over in addons.parameters.yml",
  ],
  [
    "nests a template of its folder",
    {
      "copilot/environments/addons/db.yml": addon(
        "Db: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: copilot/db/template.yml } }",
      ),
    },
    "addons/db.yml:3 local-template: Copilot turns copilot/db/template.yml into an s3:// address, which CloudFormation refuses. Put the resources into a file of this folder",
  ],
])("strict rules say where an environment's addon %s", (_what, files, problem) => {
  expect(problemsBySettings({ ...kept, ...files }, settings)).toEqual([expect.stringContaining(problem)]);
  expect(problemsBySettings({ ...kept, ...files }, "production: [prod]\n")).toEqual([]);
});

test("addons that serve every environment are right", () => {
  const files = {
    "copilot/environments/addons/db.yml": addon(
      'Db: { Type: AWS::EC2::SecurityGroup, Properties: { VpcId: !Ref Vpc, Tags: [{ Key: a, Value: { "Fn::ImportValue": !Sub "${App}-${Env}-Key" } }] } }\n  Nested: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: "https://example.com/t.yml" } }',
      ", Vpc: { Type: String }",
    ),
    "copilot/environments/addons/addons.parameters.yml":
      "Parameters:\n  Vpc: !GetAtt EnvironmentSecurityGroup.VpcId\n",
  };
  expect(problemsBySettings({ ...kept, ...files }, settings)).toEqual([]);
});
