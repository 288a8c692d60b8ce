import { expect, test } from "vitest";
import { check } from "./check.ts";
import { environmentManifest, minimal, problemsOf, workspaceOf } from "./testing.ts";

const svc = (manifest: string) => ({ "copilot/svc/manifest.yml": manifest });
const one = (text: string): unknown => expect.stringContaining(text);

test.each(Object.entries(minimal))("the smallest manifest of type %s has no problems", (_name, manifest) => {
  expect(problemsOf(svc(manifest))).toEqual([]);
});

test.each([
  ["cpus: 256", "`cpus` is no key that Copilot knows: it would be ignored. Did you mean `cpu`?"],
  ["stop_timeout: 8s", "`stop_timeout` is no key that Copilot knows"],
  ["deployments:\n  rolling: default", "Did you mean `deployment`?"],
  [
    "count:\n  range: 1-4\n  cpu_percent: 70",
    "`cpu_percent` under `count` is no key that Copilot knows: it would be ignored. Did you mean `cpu_percentage`?",
  ],
  ["sidecars:\n  nginx:\n    image: nginx\n    ports: '80'", "`ports` under `sidecars.nginx`"],
  [
    "environments:\n  test:\n    variable:\n      A: b",
    "`variable` under `environments.test` is no key that Copilot knows: it would be ignored. Did you mean `variables`?",
  ],
])("an unknown key is an error with the nearest known name: %s", (text, message) => {
  expect(problemsOf(svc(`${minimal.backend}${text}\n`))).toContainEqual(one(message));
});

test("an unknown key says its file and line", () => {
  const [problem] = problemsOf(svc(`${minimal.backend}cpu: 256\ncpus: 256\n`));
  expect(problem).toMatch(/^copilot\/svc\/manifest\.yml:6 unknown-key:/);
});

test("a misspelt key in a pipeline, which would ask for no approval, is an error", () => {
  const pipeline =
    "name: p\nversion: 1\nsource: { provider: GitHub, properties: { branch: main, repository: r } }\nstages:\n  - name: test\n    requires_aproval: true\n";
  expect(problemsOf({ "copilot/pipelines/p/manifest.yml": pipeline })).toEqual([
    "copilot/pipelines/p/manifest.yml:6 unknown-key: `requires_aproval` under `stages[0]` is no key that Copilot knows: it would be ignored. Did you mean `requires_approval`?",
  ]);
});

test("an unknown environment is an error where environments have folders", () => {
  const files = {
    ...svc(`${minimal.backend}environments:\n  prodution:\n    cpu: 512\n`),
    "copilot/environments/production/manifest.yml": environmentManifest("production"),
  };
  expect(problemsOf(files)).toEqual([
    "copilot/svc/manifest.yml:6 unknown-environment: There is no environment `prodution`: Copilot would never read this section. Did you mean `production`?",
  ]);
});

test("without folders for environments no name of one can be called wrong", () => {
  const pipeline =
    "name: p\nversion: 1\nsource: { provider: GitHub, properties: { branch: main, repository: r } }\nstages:\n  - name: prod\n";
  const files = {
    ...svc(`${minimal.backend}environments:\n  prod:\n    cpu: 512\n    memory: 1024\n`),
    "copilot/pipelines/p/manifest.yml": pipeline,
  };
  expect(problemsOf(files)).toEqual([]);
});

test.each([
  ["cpu: 300", "Fargate has no 300 cpu units."],
  [
    "cpu: 512\nmemory: 512",
    "Fargate has no 512 MiB for 512 cpu units. With 512: 1024 to 4096 in steps of 1024.",
  ],
  ["cpu: 256\nmemory: 1536", "With 256: 512, 1024 or 2048."],
  [
    "logging:\n  retention: 31",
    "`logging.retention` (31) must be a number of days that CloudWatch Logs knows",
  ],
  ["storage:\n  ephemeral: 5", "`storage.ephemeral` (5) must be between 20 and 200"],
  [
    "image:\n  build: Dockerfile\n  healthcheck:\n    interval: 1s",
    "`image.healthcheck.interval` (1s) must be between 5s and 300s",
  ],
  ["platform: linux/arm46", "`platform` (linux/arm46) must be one of linux/amd64"],
  ["env_file: .env.local", "must end in .env"],
])("what Fargate, ECS or CloudWatch Logs do not take is an error: %s", (text, message) => {
  const manifest = text.startsWith("image:") ? minimal.backend.replace(/image:[^]*/, "") : minimal.backend;
  expect(problemsOf(svc(`${manifest}${text}\n`))).toContainEqual(one(message));
});

test.each([
  [
    "timeout: 13h",
    "`subscribe.queue.timeout` (13h) must be between 0s and 12h: SQS hides a message up to 12 hours.",
  ],
  ["retention: 400h", "`subscribe.queue.retention` (400h) must be between 60s and 336h"],
  ["delay: 1h", "`subscribe.queue.delay` (1h) must be between 0s and 15m"],
  ["dead_letter: { tries: 2000 }", "`subscribe.queue.dead_letter.tries` (2000) must be between 1 and 1000"],
  ["dead_letter: { tries: 0 }", "`subscribe.queue.dead_letter.tries` (0) must be between 1 and 1000"],
  [
    "timeout: 1500ms",
    "`subscribe.queue.timeout` (1500ms) becomes 1 s: Copilot cuts what is below a second. Write whole seconds.",
  ],
  [
    "timeout: 90",
    "`subscribe.queue.timeout` must be a duration like 30s, 5m or 1h30m (there are no days), not 90.",
  ],
  [
    "retention: 20d",
    "`subscribe.queue.retention` must be a duration like 30s, 5m or 1h30m (there are no days), not 20d.",
  ],
  [
    "fifo: { high_throughput: true, throughput_limit: perQueue }",
    "`high_throughput` sets `throughput_limit` and `deduplication_scope` itself.",
  ],
  [
    "fifo: { throughput_limit: perMessageGroupId, deduplication_scope: queue }",
    "`perMessageGroupId` needs `deduplication_scope: messageGroup`.",
  ],
  ["fifo: { high_throughput: false }", "The queue is FIFO all the same"],
])("a queue beyond SQS's limits, or against itself, is an error: %s", (text, message) => {
  const manifest = `${minimal.worker}subscribe:\n  topics: []\n  queue:\n    ${text}\n`;
  expect(problemsOf(svc(manifest))).toContainEqual(one(message));
});

test("a queue section without topics is an error: Copilot leaves it out", () => {
  const problems = problemsOf(svc(`${minimal.worker}subscribe:\n  queue:\n    timeout: 1m\n`));
  expect(problems).toEqual([
    one(
      "svc/manifest.yml:6 queue-without-topics: Without `subscribe.topics` Copilot leaves the whole `queue` section out",
    ),
  ]);
});

test("a variable that Copilot gives too is an error", () => {
  expect(problemsOf(svc(`${minimal.worker}variables:\n  COPILOT_QUEUE_URI: x\n`))).toEqual([
    "copilot/svc/manifest.yml:6 injected-variable: Copilot gives COPILOT_QUEUE_URI itself: it would stand twice in the container. Remove it.",
  ]);
  expect(problemsOf(svc(`${minimal.backend}variables:\n  COPILOT_QUEUE_URI: x\n`))).toEqual([]);
});

test("a name that is a variable and a secret is an error", () => {
  expect(problemsOf(svc(`${minimal.backend}variables: { A: b }\nsecrets: { A: /c }\n`))).toEqual([
    one("A is a variable and a secret"),
  ]);
});

test.each([
  ["a duplicate key", "cpu: 256\ncpu: 512", "duplicate-key: A key is written twice in one map."],
  ["a quoted number", 'cpu: "256"', '`cpu` must be a whole number, without quotes, not the text "256".'],
  ["a range without a metric", "count:\n  range: 1-4", "`range` needs a metric to scale on."],
  ["a metric without a range", "count:\n  cpu_percentage: 70", "`cpu_percentage` needs a `range`."],
  [
    "a range upside down",
    "count:\n  range: 4-1\n  cpu_percentage: 70",
    "The smallest number of tasks (4) is larger than the largest (1).",
  ],
  ["a range that is none", "count:\n  range: 4\n  cpu_percentage: 70", "`range` must be like 1-4, not 4."],
  [
    "spot with a range",
    "count:\n  spot: 1\n  range: 1-4\n  cpu_percentage: 70",
    "`spot` excludes `range` and every metric.",
  ],
  ["an empty map for a value", "count: {}", "`count` must be a whole number, without quotes or a map with"],
  [
    "a service that scales on a queue",
    "count:\n  range: 1-4\n  queue_delay: { acceptable_latency: 1m, msg_processing_time: 1s }",
    "A Backend Service cannot scale on `queue_delay`.",
  ],
  ["requests without http", "count:\n  range: 1-4\n  requests: 10", "`requests` needs `http`"],
  [
    "build and location",
    "image:\n  build: Dockerfile\n  location: x",
    "`image` has both `build` and `location`.",
  ],
  [
    "a connect alias without a port",
    "network: { connect: { alias: a } }",
    "`connect.alias` has nothing to name",
  ],
  [
    "a topic name with a dot",
    "publish: { topics: [{ name: a.b }] }",
    "may hold letters, digits, `-` and `_` only",
  ],
  ["a topic name with .fifo", "publish: { topics: [{ name: a.fifo }] }", "never carries .fifo"],
  ["a topic twice", "publish: { topics: [{ name: a }, { name: a }] }", 'svc publishes topic "a" twice.'],
  ["a sidecar without image", "sidecars: { a: { port: '80' } }", "The sidecar `a` needs an `image`."],
  ["a target that is no container", "http: { path: a, target_container: b }", "There is no container `b`."],
  [
    "a dependency that is no container",
    "sidecars: { a: { image: x, depends_on: { svd: start } } }",
    "There is no container `svd`. Did you mean `svc`?",
  ],
  ["a volume without a path", "storage: { volumes: { v: { efs: true } } }", "A volume needs the `path`"],
  ["a JSON list in a variable", `variables: { A: '["a"]' }`, "Write it as a literal block"],
  [
    "a list for a text",
    "variables: { A: [1] }",
    "`variables.A` must be a text or a map with from_cfn, not a list.",
  ],
])("refused: %s", (_what, text, message) => {
  const manifest = text.startsWith("image:") ? minimal.backend.replace(/image:[^]*/, "") : minimal.backend;
  expect(problemsOf(svc(`${manifest}${text}\n`))).toContainEqual(one(message));
});

test("queue_delay that no number of tasks can keep is refused", () => {
  const delay = (text: string) =>
    problemsOf(svc(`${minimal.worker}count: { range: 1-4, queue_delay: ${text} }\n`));
  expect(delay("{ acceptable_latency: 1m, msg_processing_time: 2m }")).toEqual([
    one("`msg_processing_time` is longer than `acceptable_latency`"),
  ]);
  expect(delay("{ acceptable_latency: 1m }")).toEqual([
    one("`queue_delay` needs `acceptable_latency` and `msg_processing_time`."),
  ]);
  expect(delay("{ acceptable_latency: 1m, msg_processing_time: 1s }")).toEqual([]);
});

test("a manifest whose name is not its folder's is refused, and so is a name that Copilot does not take", () => {
  expect(problemsOf(svc(minimal.backend.replace("svc", "scv")))).toEqual([
    "copilot/svc/manifest.yml:1 name: The manifest calls itself `scv`, its folder is `svc`: every command of Copilot stops there. Write `name: svc`, or rename the folder.",
  ]);
  expect(problemsOf({ "copilot/Svc_1/manifest.yml": minimal.backend.replace("svc", "Svc_1") })).toEqual([
    one("`Svc_1` is no name for a workload."),
  ]);
});

test("an unknown type is refused with the nearest one", () => {
  expect(problemsOf(svc(minimal.backend.replace("Backend Service", "Backend Servise")))).toEqual([
    one("Did you mean `Backend Service`?"),
  ]);
});

test("what a type needs and does not have is said", () => {
  expect(
    problemsOf(svc("name: svc\ntype: Load Balanced Web Service\nimage: { build: Dockerfile }\n")),
  ).toEqual([
    one("A Load Balanced Web Service needs `http`."),
    one("A Load Balanced Web Service needs `image.port`."),
  ]);
  expect(problemsOf(svc("name: svc\ntype: Scheduled Job\nimage: { build: Dockerfile }\n"))).toEqual([
    one("A Scheduled Job needs `on.schedule`."),
  ]);
});

test("a job's mistakes are said: schedule, time limit, retries, scaling", () => {
  const job = (text: string) => problemsOf(svc(`${minimal.job.replace('"@daily"', '"0 9 1 * 1"')}${text}\n`));
  expect(job("timeout: 1d\nretries: -1\ncount: { range: 1-2, cpu_percentage: 50 }")).toEqual([
    one(
      'The schedule "0 9 1 * 1" cannot be used: EventBridge takes a day of the month or a weekday, not both.',
    ),
    one("`timeout` must be a duration"),
    one("`retries` cannot be negative."),
    one("A Scheduled Job runs one task: it cannot scale."),
  ]);
});

const publisher =
  "name: pub\ntype: Backend Service\nimage: { build: Dockerfile }\npublish: { topics: [{ name: item, fifo: true }] }\n";
const subscriber = (topic: string, queue = "{ fifo: true }") =>
  `${minimal.worker}subscribe:\n  topics:\n    - ${topic}\n  queue: ${queue}\n`;

test("a subscription without a publisher is an error with file, line and what to do", () => {
  const problems = problemsOf({
    "copilot/pub/manifest.yml": publisher,
    ...svc(subscriber("{ name: itme, service: pub }")),
  });
  expect(problems).toEqual([
    'copilot/svc/manifest.yml:7 no-publisher: svc has nothing to receive: pub does not publish topic "itme". Did you mean `item`? Add it under publish.topics in copilot/pub/manifest.yml, or remove the subscription.',
  ]);
});

test("a subscription to a service that does not exist is an error, unless it lives elsewhere", () => {
  const files = {
    "copilot/pub/manifest.yml": publisher,
    ...svc(subscriber("{ name: item, service: pubs }")),
  };
  expect(problemsOf(files)).toEqual([
    one('there is no service `pubs` that could publish topic "item". Did you mean `pub`?'),
  ]);
  expect(check(workspaceOf(files), {}, { elsewhere: ["pubs"] })).toEqual([]);
});

test("FIFO on one side only is an error, both ways", () => {
  const fifoTopic = problemsOf({
    "copilot/pub/manifest.yml": publisher,
    ...svc(subscriber("{ name: item, service: pub }", "{ timeout: 1m }")),
  });
  expect(fifoTopic).toEqual([
    one(
      'svc/manifest.yml:7 fifo-mismatch: Topic "item" of pub is FIFO, but svc receives it in a standard queue',
    ),
  ]);
  const standard = problemsOf({
    "copilot/pub/manifest.yml": publisher.replace(", fifo: true", ""),
    ...svc(subscriber("{ name: item, service: pub }")),
  });
  expect(standard).toEqual([one('Topic "item" of pub is standard, but svc receives it in a FIFO queue')]);
});

test("a subscription that is written twice is an error", () => {
  const twice = subscriber("{ name: item, service: pub }").replace(/( {4}- .*\n)/, "$1$1");
  expect(problemsOf({ "copilot/pub/manifest.yml": publisher, ...svc(twice) })).toEqual([
    one('svc subscribes to "item" of pub twice.'),
  ]);
});

test("a patch of a subscription, topic or queue that the stack does not have is an error", () => {
  const patches =
    "- op: add\n  path: /Resources/pubitmeSNSTopicSubscription/Properties/RawMessageDelivery\n  value: true\n- op: replace\n  path: /Resources/EventsKMSKey/Properties/EnableKeyRotation\n  value: true\n";
  const files = { "copilot/pub/manifest.yml": publisher, ...svc(subscriber("{ name: item, service: pub }")) };
  expect(problemsOf({ ...files, "copilot/svc/overrides/cfn.patches.yml": patches })).toEqual([
    one(
      "overrides/cfn.patches.yml:2 patch: The stack of svc has no `pubitmeSNSTopicSubscription`: the patch stops Copilot. Did you mean `pubitemfifoSNSTopicSubscription`?",
    ),
  ]);
});

test("a mistake on one line is said once, whatever the number of environments", () => {
  const files = {
    ...svc(`${minimal.backend}cpus: 1\n`),
    "copilot/environments/a/manifest.yml": environmentManifest("a"),
    "copilot/environments/b/manifest.yml": environmentManifest("b"),
  };
  expect(problemsOf(files)).toHaveLength(1);
});

test("what is only wrong in one environment is found", () => {
  const files = {
    ...svc(`${minimal.backend}environments:\n  b:\n    cpu: 1024\n`),
    "copilot/environments/a/manifest.yml": environmentManifest("a"),
    "copilot/environments/b/manifest.yml": environmentManifest("b"),
  };
  expect(problemsOf(files)).toEqual([
    one("svc/manifest.yml:7 size: Fargate has no 512 MiB for 1024 cpu units."),
  ]);
});

test("an environment's manifest is checked: keys, name, type", () => {
  const text = "name: other\ntype: Enviroment\nnetwork: { vpc: { flow_log: true } }\n";
  expect(problemsOf({ "copilot/environments/test/manifest.yml": text })).toEqual([
    one("test/manifest.yml:1 name: The manifest calls itself `other`"),
    one("test/manifest.yml:2 unknown-type"),
    one("Did you mean `flow_logs`?"),
  ]);
});

test("a pipeline that deploys what is not there, waits for what it does not deploy, or for itself, is an error", () => {
  const pipeline = `name: p
version: 1
source: { provider: GitHub, properties: { branch: main, repository: r } }
stages:
  - name: tset
    deployments:
      svv:
      svc: { depends_on: [web] }
      infra: { template_path: a.yml, template_config: b.json, stack_name: c }
    post_deployments:
      smoke: { buildspec: a.yml, depends_on: [smoke] }
      other: { depends_on: [] }
`;
  const files = {
    ...svc(minimal.backend),
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
    "copilot/pipelines/p/manifest.yml": pipeline,
    "a.yml": "version: 0.2\n",
  };
  expect(problemsOf(files)).toEqual([
    one(
      "p/manifest.yml:5 unknown-environment: A stage's name is its environment, and there is no environment `tset`. Did you mean `test`?",
    ),
    one("p/manifest.yml:7 unknown-workload: There is no workload `svv` to deploy. Did you mean `svc`?"),
    one("p/manifest.yml:8 unknown-dependency: `svc` waits for `web`"),
    one("p/manifest.yml:11 cycle: `smoke` waits for itself"),
    one("p/manifest.yml:12 missing: `other` needs a `buildspec`."),
  ]);
});

test("a pipeline of another schema version is an error: Copilot says that there is no pipeline", () => {
  const pipeline =
    "name: p\nversion: 2\nsource: { provider: GitHub, properties: { branch: main, repository: r } }\nstages: []\n";
  expect(problemsOf({ "copilot/pipelines/p/manifest.yml": pipeline })).toEqual([
    one("`version` (2) must be 1"),
  ]);
});

test("a buildspec that is not there is an error: CodeBuild would say it in the middle of a deployment", () => {
  const pipeline = (build: string, step: string) =>
    `name: p\nversion: 1\nsource: { provider: GitHub, properties: { branch: main, repository: r } }\n${build}stages:\n  - name: test\n    post_deployments: { smoke: { buildspec: ${step} } }\n`;
  const files = (build: string, step: string) => ({
    "copilot/pipelines/p/manifest.yml": pipeline(build, step),
    "ci/smoke.yml": "version: 0.2\n",
  });
  expect(problemsOf(files("", "ci/smoke.yml"))).toEqual([]);
  expect(problemsOf(files("build: { buildspec: ci/smoke.yml }\n", "ci/smoke.yml"))).toEqual([]);
  expect(problemsOf(files("build: { buildspec: ci/build.yml }\n", "ci/smok.yml"))).toEqual([
    one("p/manifest.yml:4 missing-file: The buildspec of the pipeline p does not exist: ci/build.yml."),
    one("p/manifest.yml:7 missing-file: The buildspec of smoke does not exist: ci/smok.yml."),
  ]);
});

test("a network load balancer has a port", () => {
  expect(problemsOf(svc(`${minimal.web}nlb: { port: 443/tls }\n`))).toEqual([]);
  expect(problemsOf(svc(`${minimal.web}nlb: { target_port: 80 }\n`))).toEqual([one("`nlb` needs a `port`.")]);
});

test("addresses are ranges, and a health check has a path", () => {
  const http = (text: string) => problemsOf(svc(minimal.web.replace("path: /", `path: /\n  ${text}`)));
  expect(http('allowed_source_ips: ["10.24.34.0/23", "2001:db8::/32"]')).toEqual([]);
  expect(http("allowed_source_ips: [10.24.34.1]")).toEqual([
    one("`http.allowed_source_ips[0]` (10.24.34.1) must be a range like 10.0.0.0/16."),
  ]);
  expect(http('healthcheck: ""')).toEqual([one("must be a path: Copilot refuses the empty text")]);
});

test("what is left out in braces is the empty text to Copilot, which writes the file again; elsewhere it is nothing", () => {
  expect(problemsOf(svc(`${minimal.backend}storage: { readonly_fs: }\n`))).toEqual([
    one('`storage.readonly_fs` must be true or false, not the text "".'),
  ]);
  for (const nothing of [
    "storage:\n  readonly_fs:\n",
    "storage: { readonly_fs: null }\n",
    "variables: { A: , B: }\n",
  ])
    expect(problemsOf(svc(minimal.backend + nothing))).toEqual([]);
});

test('what YAML 1.1 called yes and no is true and false, in quotes too; `"true"` is not', () => {
  const fs = (value: string) => problemsOf(svc(`${minimal.backend}storage: { readonly_fs: ${value} }\n`));
  for (const value of ["on", '"on"', "Yes", "NO", "True"]) expect(fs(value)).toEqual([]);
  expect(fs('"true"')).toEqual([one('must be true or false, not the text "true".')]);
  expect(problemsOf(svc(`${minimal.backend}cpu: 1_024\nmemory: 2048\n`))).toEqual([]);
});

test("a sidecar's Dockerfile that is not there is an error, however it is named", () => {
  const sidecars =
    "sidecars:\n  a: { image: { build: a/Dockerfile } }\n  b: { image: { build: { context: b } } }\n  c: { image: { build: { dockerfile: c.dockerfile, context: . } } }\n  d: { image: { location: d } }\n  e: { image: e }\n";
  expect(problemsOf(svc(minimal.backend + sidecars))).toEqual([
    one(
      "svc/manifest.yml:6 missing-file: The Dockerfile of the sidecar a of svc does not exist: a/Dockerfile.",
    ),
    one(
      "svc/manifest.yml:7 missing-file: The Dockerfile of the sidecar b of svc does not exist: b/Dockerfile.",
    ),
    one(
      "svc/manifest.yml:8 missing-file: The Dockerfile of the sidecar c of svc does not exist: c.dockerfile.",
    ),
  ]);
  const files = { "a/Dockerfile": "", "b/Dockerfile": "", "c.dockerfile": "" };
  expect(problemsOf({ ...svc(minimal.backend + sidecars), ...files })).toEqual([]);
});

test("a Dockerfile or env_file that is not there is an error, where its path has a value here", () => {
  const manifest = minimal.backend.replace("build: Dockerfile", "build: { context: web }");
  expect(problemsOf(svc(`${manifest}env_file: svc.env\n`))).toEqual([
    one("svc/manifest.yml:4 missing-file: The Dockerfile of svc does not exist: web/Dockerfile."),
    one("svc/manifest.yml:5 missing-file: The env_file of svc does not exist: svc.env."),
  ]);
  expect(
    problemsOf({ ...svc(`${manifest}env_file: \${STAGE}.env\n`), "web/Dockerfile": "FROM scratch\n" }),
  ).toEqual([]);
});

test("a folder that is no workspace, and a workspace without an application, are said", () => {
  expect(problemsOf({ "copilot/.workspace": "aplication: shop\n" })).toEqual([
    one("The workspace does not say which application it belongs to."),
  ]);
});

test("what is right in a workspace of another kind is not called wrong", () => {
  const manifest = `# Everything here passes Copilot, and is meant.
name: \${SERVICE:-}svc
type: Load Balanced Web Service
x-anything: { goes: here }
shared: &shared
  LOG_LEVEL: info
defaults:
  env: &env
    <<: *shared
    NODE_ENV: production
image:
  location: \${REGISTRY}/svc:\${TAG}
  port: 3000
http:
  path: /
  alias: ["\${COPILOT_ENVIRONMENT_NAME}.example.com", { name: www.example.com }]
  targetContainer: nginx
  healthcheck: /health
cpu: 512
memory: 1024
count: { range: { min: 1, max: 10, spot_from: 3 }, cpu_percentage: { value: 70, cooldown: { in: 30s, out: 60s } }, cooldown: { in: 1m } }
exec: yes
variables:
  <<: *env
  CONFIG: |
    ["a", "b"]
  OPTIONS: '{"a": [1, 2]}'
  ESCAPED: \\\${HOME}
secrets:
  KEY: /copilot/\${COPILOT_APPLICATION_NAME}/\${COPILOT_ENVIRONMENT_NAME}/secrets/KEY
  OTHER: { secretsmanager: "name:key::" }
sidecars:
  nginx: { image: { build: nginx/Dockerfile }, port: 8080/tcp, depends_on: { svc: healthy }, mount_points: [{ source_volume: v, path: /v }] }
storage:
  volumes: { v: { path: /v, read_only: true, efs: { id: { from_cfn: x }, root_dir: /data } } }
logging: { retention: 90, destination: { Name: cloudwatch, region: ap-northeast-1 } }
taskdef_overrides:
  - { path: "ContainerDefinitions[0].StopTimeout", value: 60 }
deployment: { rolling: recreate, rollback_alarms: { cpu_utilization: 70.5 } }
environments:
  elsewhere:
    count: { spot: 2 }
    image: { location: "\${REGISTRY}/svc:elsewhere" }
  another: &another
    http: { alias: a.example.com }
  third: *another
  fourth:
`;
  expect(problemsOf({ ...svc(manifest.replace("${SERVICE:-}", "")), "nginx/Dockerfile": "" })).toEqual([]);
});

test("containers that wait for each other are an error: ECS refuses the task", () => {
  const sidecars = (second: string) =>
    `sidecars: { a: { image: x, depends_on: { b: start } }, b: { image: x, depends_on: { ${second}: start } } }\n`;
  expect(problemsOf(svc(minimal.backend + sidecars("svc")))).toEqual([]);
  expect(problemsOf(svc(minimal.backend + sidecars("a")))).toEqual([
    one(
      "svc/manifest.yml:5 cycle: The containers wait for each other: a → b → a. ECS refuses the task. Remove one `depends_on`.",
    ),
    one("cycle: The containers wait for each other: b → a → b."),
  ]);
});

const addonOf = (resources: string) => ({
  ...svc(minimal.backend),
  "copilot/svc/addons/a.yml": `Parameters: { App: { Type: String }, Env: { Type: String }, Name: { Type: String } }\nResources:\n${resources}`,
});

test("resources of an addon that refer to each other are an error, by reference and by DependsOn", () => {
  const pair = (second: string) =>
    `  A: { Type: AWS::SQS::Queue, Properties: { RedrivePolicy: !GetAtt B.Arn } }\n  B: { Type: AWS::SQS::Queue, ${second} }\n`;
  expect(problemsOf(addonOf(pair("Properties: { KmsMasterKeyId: x }")))).toEqual([]);
  expect(problemsOf(addonOf(pair("DependsOn: [A]")))).toContainEqual(
    one(
      "svc/addons/a.yml:3 cycle: The resources refer to each other: A → B → A. CloudFormation refuses the template.",
    ),
  );
  expect(problemsOf(addonOf(pair('Properties: { KmsMasterKeyId: !Sub "${A.Arn}" }')))).toHaveLength(2);
});

test.each([
  ["AWS::SQS::Queue", "QueueName", 80],
  ["AWS::IAM::Role", "RoleName", 64],
  ["AWS::ElasticLoadBalancingV2::TargetGroup", "Name", 32],
])("a name that an addon writes out is held against AWS's limit: %s", (type, property, limit) => {
  // environment-svc- is 16 characters long.
  const named = (length: number) =>
    addonOf(
      `  A: { Type: "${type}", Properties: { ${property}: !Sub "\${Env}-\${Name}-${"x".repeat(length - 16)}" } }\n`,
    );
  expect(problemsOf(named(limit))).toEqual([]);
  expect(problemsOf(named(limit + 1))).toEqual([
    one(`svc/addons/a.yml:3 name-limit: \`A\` would be called environment-svc-x`),
  ]);
  expect(problemsOf(named(limit + 1))).toEqual([
    one(`${limit + 1} characters, and AWS takes ${limit}. Shorten it by 1, or leave \`${property}\` out`),
  ]);
});

test("a name whose length is only known at deployment is not judged", () => {
  const long = "x".repeat(64);
  const role = `  A: { Type: AWS::IAM::Role, Properties: { RoleName: !Sub "\${AWS::StackName}-${long}" } }\n`;
  expect(problemsOf(addonOf(role))).toEqual([]);
});

test("names that Copilot puts together are held against AWS's limits", () => {
  const named = (name: string, manifest: string) => ({
    [`copilot/${name}/manifest.yml`]: manifest.replace("svc", name),
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
  });
  // shop-test- is 10 characters long.
  expect(problemsOf(named("j".repeat(70), minimal.job))).toEqual([]);
  expect(problemsOf(named("j".repeat(71), minimal.job))).toEqual([
    one("manifest.yml:1 name-limit: The state machine would be called shop-test-jjj"),
  ]);
  expect(problemsOf(named("b".repeat(118), minimal.backend))).toEqual([]);
  expect(problemsOf(named("b".repeat(119), minimal.backend))).toEqual([
    one("129 characters, and AWS takes 128. Shorten one part of it by 1"),
  ]);
  const topic = (length: number) =>
    problemsOf(named("b", `${minimal.backend}publish: { topics: [{ name: ${"t".repeat(length)} }] }\n`));
  expect(topic(244)).toEqual([]);
  expect(topic(245)).toEqual([one("name-limit: The topic would be called shop-test-b-ttt")]);
});

test("an environment's name that its roles cannot carry is an error", () => {
  // shop- and -CFNExecutionRole take 22 of the 64 characters of a role's name.
  const named = (length: number) => {
    const name = "e".repeat(length);
    return problemsOf({ [`copilot/environments/${name}/manifest.yml`]: environmentManifest(name) });
  };
  expect(named(42)).toEqual([]);
  expect(named(43)).toEqual([
    one("manifest.yml:1 name-limit: The environment's role would be called shop-eee"),
  ]);
});

test.each([
  ["an AWS access key", "AKIAQ4XJZ7RL2MNTWB5E", "AKIAIOSFODNN7EXAMPLE"],
  ["a private key", '"-----BEGIN RSA PRIVATE KEY-----"', '"-----BEGIN CERTIFICATE-----"'],
  ["a GitHub token", `ghp_${"a1B2".repeat(9)}`, "ghp_short"],
  ["a Stripe key", `sk_live_${"a1B2".repeat(5)}`, `sk_test_${"a1B2".repeat(5)}`],
  [
    "a password in an address",
    "postgres://app:hunter2@db.example:5432/shop",
    "postgres://app@db.example:5432/shop",
  ],
  ["a password in an address", "postgres://app:hunter2@db.example/shop", "postgres://app:app@localhost/shop"],
  ["a password in an address", "https://me:pw@git.example/x", '"${PASSWORD} https://example.com:8080/@x"'],
])("a credential in a manifest is an error, what only looks like one is none: %s", (what, bad, good) => {
  const manifest = (value: string) => svc(`${minimal.backend}variables:\n  X: ${value}\n`);
  expect(problemsOf(manifest(good))).toEqual([]);
  expect(problemsOf(manifest(bad))).toEqual([
    `copilot/svc/manifest.yml:6 secret-value: This holds ${what}. Take it out, make it invalid where it was issued, and name it under \`secrets\` (\`copilot secret init\`).`,
  ]);
});

test("a message that is deleted while the scaling still lets it wait is an error", () => {
  const worker = (retention: string) =>
    problemsOf(
      svc(
        `${minimal.worker}count: { range: 1-4, queue_delay: { acceptable_latency: 10m, msg_processing_time: 1s } }\nsubscribe:\n  topics: []\n  queue: { retention: ${retention} }\n`,
      ),
    );
  expect(worker("11m")).toEqual([]);
  expect(worker("10m")).toEqual([
    one(
      "svc/manifest.yml:8 queue-retention: A message of svc lives 600 s, and the scaling lets it wait 600 s: it is deleted before it is late. Write a `retention` of more than 600s",
    ),
  ]);
});

test.each([
  ["exec: true", "storage: { readonly_fs: true }", "svc/manifest.yml:5 exec-readonly: `exec` never works"],
  [
    "platform: linux/arm64",
    "count: { spot: 2 }",
    "svc/manifest.yml:6 spot-arm: Copilot refuses Spot on ARM.",
  ],
  [
    "platform: linux/arm64",
    "count: { range: { min: 1, max: 2, spot_from: 2 }, cpu_percentage: 60 }",
    "spot-arm: Copilot refuses Spot on ARM. Use linux/x86_64, or no Spot.",
  ],
])(
  "of two settings that exclude each other either is right, both are an error: %s and %s",
  (a, b, problem) => {
    expect(problemsOf(svc(`${minimal.backend}${a}\n`))).toEqual([]);
    expect(problemsOf(svc(`${minimal.backend}${b}\n`))).toEqual([]);
    expect(problemsOf(svc(`${minimal.backend}${a}\n${b}\n`))).toEqual([one(problem)]);
  },
);

test("a stop time-out beyond Fargate's limit is an error, by taskdef_overrides and by patch", () => {
  const override = (value: number) =>
    problemsOf(
      svc(
        `${minimal.backend}taskdef_overrides:\n  - { path: "ContainerDefinitions[0].StopTimeout", value: ${value} }\n`,
      ),
    );
  expect(override(120)).toEqual([]);
  expect(override(121)).toEqual([
    one("svc/manifest.yml:6 stop-timeout-limit: svc asks for 121 s to stop: Fargate gives 120 at most."),
  ]);
  const patch =
    "- op: add\n  path: /Resources/TaskDefinition/Properties/ContainerDefinitions/0/StopTimeout\n  value: 180\n";
  expect(problemsOf({ ...svc(minimal.backend), "copilot/svc/overrides/cfn.patches.yml": patch })).toEqual([
    one("cfn.patches.yml:2 stop-timeout-limit: svc asks for 180 s"),
  ]);
});

test("a patch of what a stack has only with scaling or http is an error where it has not, in one environment too", () => {
  const patch = (id: string) => ({
    "copilot/svc/overrides/cfn.patches.yml": `- op: replace\n  path: /Resources/${id}/Properties/Runtime\n  value: nodejs24.x\n`,
  });
  const scaled = `${minimal.backend}count: { range: 1-4, cpu_percentage: 60 }\n`;
  const fixed = `${scaled}environments:\n  dev: { count: 1 }\n`;
  const desired = patch("DynamicDesiredCountFunction");
  const message =
    "cfn.patches.yml:2 patch: The stack of svc has no `DynamicDesiredCountFunction`: the patch stops Copilot. Copilot makes it for a `count` with a `range`.";
  expect(problemsOf({ ...svc(scaled), ...desired })).toEqual([]);
  expect(problemsOf({ ...svc(minimal.backend), ...desired })).toEqual([one(message)]);
  expect(problemsOf({ ...svc(fixed), ...desired })).toEqual([one(message)]);
  expect(problemsOf({ ...svc(minimal.web), ...patch("RulePriorityFunction") })).toEqual([]);
  expect(problemsOf({ ...svc(minimal.backend), ...patch("RulePriorityFunction") })).toEqual([
    one("Copilot makes it for a service with `http`."),
  ]);
  expect(problemsOf({ ...svc(minimal.backend), ...patch("EnvControllerFunction") })).toEqual([]);
});
