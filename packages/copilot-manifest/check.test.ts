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
  ["dead_letter: { tries: 2000 }", "`subscribe.queue.dead_letter.tries` (2000) must be between 0 and 1000"],
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
  ["a list for a text", "variables: { A: [1] }", "`variables.A` must be a map, not a list."],
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
  expect(problemsOf(svc(manifest.replace("${SERVICE:-}", "")))).toEqual([]);
});
