import { expect, test } from "vitest";
import { copilotFacts } from "./index.ts";
import { type Files, factsOf } from "./testing.ts";

const worker = `name: mailer
type: Worker Service
image:
  build:
    dockerfile: Dockerfile
    args:
      FOLDER: apps/mailer
cpu: 256
memory: 512
count: 1
network:
  vpc:
    placement: private
variables:
  API: http://api:8080
  HOST:
    from_cfn: \${COPILOT_APPLICATION_NAME}-\${COPILOT_ENVIRONMENT_NAME}-DatabaseHost
subscribe:
  topics:
    - name: orders
      service: api
      filter_policy:
        type: [placed]
  queue:
    timeout: 90s
    dead_letter:
      tries: 3
    fifo: true
environments:
  test:
    cpu: 512
  live:
    count:
      range: 2-6
      queue_delay:
        acceptable_latency: 1m
        msg_processing_time: 1s
    logging:
      retention: 400
`;

const shop: Files = {
  Dockerfile: "",
  "copilot/mailer/manifest.yml": worker,
  "copilot/api/manifest.yml": `name: api
type: Backend Service
image:
  build: services/api/Dockerfile
  port: 8080
network:
  connect: true
secrets:
  TOKEN: /token
deployment:
  rollback_alarms: ["shop-\${COPILOT_ENVIRONMENT_NAME}-api-errors"]
publish:
  topics:
    - name: orders
      fifo: true
    - name: loose
`,
  "copilot/api/overrides": "../shared/api",
  "copilot/shared/api/cfn.patches.yml": `- op: add
  path: /Resources/ErrorAlarm
  value:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub \${AppName}-\${EnvName}-\${WorkloadName}-errors
`,
  "copilot/nightly/manifest.yml": `name: nightly
type: Scheduled Job
image:
  build: jobs/nightly/Dockerfile
on:
  schedule: "0 3 * * *"
retries: 2
timeout: 1h
environments:
  live:
    timeout: 2h
`,
  "services/api/Dockerfile": "",
  "jobs/nightly/Dockerfile": "",
  "apps/mailer/package.json":
    '{\n  "name": "mailer",\n  "scripts": { "test": "x" },\n  "dependencies": { "zod": "4" }\n}\n',
  "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
  "copilot/environments/live/manifest.yml": `name: live
type: Environment
network:
  vpc:
    cidr: 10.9.0.0/16
    subnets:
      private:
        - { cidr: 10.9.1.0/24, az: eu-west-1a }
        - { cidr: 10.9.2.0/24, az: eu-west-1b }
    flow_logs: true
observability:
  container_insights: true
`,
  "copilot/environments/addons/database.yml": `Parameters:
  App: { Type: String }
  Env: { Type: String }
Mappings:
  Sizes:
    test: { Units: 1 }
    live: { Units: 8 }
Resources:
  Busy:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub \${App}-\${Env}-busy
Outputs:
  Host:
    Value: x
    Export:
      Name: !Sub \${App}-\${Env}-DatabaseHost
`,
  "copilot/pipelines/main/manifest.yml": `name: main
version: 1
source:
  provider: GitHub
  properties:
    branch: trunk
stages:
  - name: test
    test_commands: [make smoke]
  - name: live
    requires_approval: true
    pre_deployments:
      migrate:
        buildspec: copilot/migrate.yml
    post_deployments:
      smoke:
        buildspec: copilot/smoke.yml
    deployments:
      api:
      mailer:
        depends_on: [api]
`,
};

function valuesIn(dir: string, files: Files = shop): Record<string, string> {
  const facts = factsOf(files);
  return Object.fromEntries(
    (facts.keys?.(dir).values ?? []).map((key) => {
      const { value, file, line } = facts.value(key, dir) as { value: string; file: string; line: number };
      return [key, `${value} (${file}:${line})`];
    }),
  );
}

test("a worker's values come from its manifest, each with its line", () => {
  const manifest = "copilot/mailer/manifest.yml";
  expect(valuesIn("copilot/mailer")).toEqual({
    infra: `AWS Copilot(Worker Service) (${manifest}:2)`,
    container: `Docker + ECS(\`Dockerfile\`、\`FOLDER=apps/mailer\`) (${manifest}:4)`,
    orchestration: `ECS サービス(Fargate、プライベートサブネット) (${manifest}:13)`,
    dependencies: `\`api\` のトピック、\`api\`(\`http://api:8080\`)、環境のアドオン \`database.yml\` (${manifest}:20)`,
    service: `SQS FIFO(可視性 90 秒、3 回で DLQ) ← SNS \`orders\` (${manifest}:24)`,
    environment: `test 512/512 ×1、live 256/512 ×2–6 (${manifest}:29)`,
    deployment: `ローリング更新(100–200 %)。失敗はサーキットブレーカーが戻す (${manifest}:1)`,
    pipelines: "`main`(test、live 承認あり)。`api` の後 (copilot/pipelines/main/manifest.yml:8)",
    switch: `\`copilot svc deploy --name mailer --env <env>\` (${manifest}:1)`,
    logs: `CloudWatch Logs \`/copilot/shop-<env>-mailer\`(test 30 日、live 400 日)、\`copilot svc logs --name mailer --env <env>\` (${manifest}:1)`,
    alarms: `なし (${manifest}:2)`,
    region: "eu-west-1 (copilot/environments/live/manifest.yml:8)",
  });
});

test("code has the values of its workload, and the dependencies of its package", () => {
  const values = valuesIn("apps/mailer");
  expect(values["dependencies"]).toBe("`zod` (apps/mailer/package.json:4)");
  expect(values["infra"]).toBe("AWS Copilot(Worker Service) (copilot/mailer/manifest.yml:2)");
  expect(valuesIn("services/api")["orchestration"]).toContain("ポート 8080");
});

test("an alarm of a linked overrides folder is the workload's; its source is the file behind the link", () => {
  const values = valuesIn("copilot/api");
  expect(values["alarms"]).toBe("`errors` (copilot/shared/api/cfn.patches.yml:2)");
  expect(values["deployment"]).toContain("警報 `errors` が戻す");
});

test("what stands beside the task: a sidecar, and the collector of traces", () => {
  const beside = `${worker}sidecars:
  proxy:
    image: nginx:1
observability:
  tracing: awsxray
`;
  const values = valuesIn("copilot/mailer", { ...shop, "copilot/mailer/manifest.yml": beside });
  expect(values["container"]).toMatch(/`FOLDER=apps\/mailer`、サイドカー `proxy`\)/);
  expect(values["logs"]).toContain("--env <env>`。追跡は X-Ray (");
});

test("a job says when it runs and how it starts", () => {
  const values = valuesIn("jobs/nightly");
  expect(values["orchestration"]).toBe(
    "EventBridge `0 3 * * *`(UTC) → Step Functions → ECS タスク(Fargate) (copilot/nightly/manifest.yml:6)",
  );
  expect(values["environment"]).toMatch(/^test 256\/512 1 時間、live 256\/512 2 時間/);
  expect(values["switch"]).toContain("`copilot job deploy --name nightly --env <env>`");
});

test("environments, pipelines and the folder above them", () => {
  expect(valuesIn("copilot/environments/live")).toMatchObject({
    orchestration: "VPC 10.9.0.0/16、2 AZ (copilot/environments/live/manifest.yml:4)",
    environment: expect.stringMatching(
      /^Container Insights あり、フローログ 14 日、ALB のアクセスログ なし/,
    ) as string,
    pipelines: "`main`(ブランチ `trunk`、承認あり) (copilot/pipelines/main/manifest.yml:10)",
  });
  expect(valuesIn("copilot/environments/test")["orchestration"]).toMatch(/^VPC 10\.0\.0\.0\/16\(既定\)/);
  expect(valuesIn("copilot/pipelines/main")).toMatchObject({
    orchestration: expect.stringMatching(
      /^CodePipeline: Source\(GitHub\) → Build → Deploy\(test、3 個\) → 試験 1 → 承認 → migrate → Deploy\(live、2 個\) → smoke/,
    ) as string,
    deployment: "ブランチ `trunk` への push (copilot/pipelines/main/manifest.yml:6)",
  });
  expect(valuesIn("copilot")["environment"]).toMatch(/^test、live/);
  expect(valuesIn("jobs")["infra"]).toMatch(/^AWS Copilot\(Scheduled Job 1 つ\)/);
});

test("what a template finds in a mapping is told for every environment; what it computes otherwise, not at all", () => {
  const mail = (retention: string, memory: string): Files => ({
    ...shop,
    "functions/mail/package.json": '{ "name": "mail" }',
    "copilot/api/addons/mail.yml": `Parameters:
  App: { Type: String }
  Env: { Type: String }
  Name: { Type: String }
Mappings:
  Mail:
    test: { Days: 3, Sender: "" }
    live: { Days: 90, Sender: us }
Resources:
  Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /copilot/\${App}-\${Env}-mail
${retention}
  Mail:
    Type: AWS::Lambda::Function
    Properties:
      Code: functions/mail/dist
      Runtime: nodejs24.x
${memory}
      LoggingConfig: { LogGroup: !Ref Logs }
  Lost:
    Type: AWS::CloudWatch::Alarm
`,
  });
  const values = (retention = "", memory = "") =>
    valuesIn("functions/mail", mail(retention && `      ${retention}`, memory && `      ${memory}`));
  expect(values("RetentionInDays: !FindInMap [Mail, !Ref Env, Days]", "MemorySize: 256")).toMatchObject({
    container: expect.stringMatching(/^Lambda\(nodejs24\.x、256 MB、3 秒\)/) as string,
    logs: expect.stringContaining("`/copilot/shop-<env>-mail`(test 3 日、live 90 日)") as string,
    alarms: "`Lost` (copilot/api/addons/mail.yml:22)",
  });
  expect(values("", "MemorySize: !If [Big, 512, 256]")).toMatchObject({
    container: expect.stringMatching(/^Lambda\(nodejs24\.x、3 秒\)/) as string,
    logs: expect.stringContaining("(消えない)") as string,
  });
  expect(values("RetentionInDays: !If [Long, 400, 7]")["logs"]).toMatch(/-mail` \(/);
});

test("patches of a pipeline are deployed with the pipeline", () => {
  const files = { ...shop, "copilot/pipelines/main/overrides/cfn.patches.yml": "[]\n" };
  expect(valuesIn("copilot/pipelines/main/overrides", files)).toMatchObject({
    infra: "AWS Copilot(overrides) (copilot/pipelines/main/overrides/cfn.patches.yml:1)",
    deployment: "`copilot pipeline deploy --name main` (copilot/pipelines/main/manifest.yml:1)",
    environment: expect.stringMatching(/^test、live /) as string,
  });
});

test("a script below the manifests that sets the region wins over zones", () => {
  const files = { ...shop, "copilot/setup.sh": "#!/bin/sh\nexport AWS_REGION=us-east-2\n" };
  expect(valuesIn("copilot", files)["region"]).toBe("us-east-2 (copilot/setup.sh:2)");
});

test("tables: services, environments, the addons' mappings, pipelines, topics, schedule", () => {
  const facts = factsOf(shop);
  const block = (name: string, dir: string) => facts.block(name, [], dir)?.value.split("\n");
  expect(block("services", "copilot")).toContain(
    "| [mailer](mailer/) | Worker Service | [apps/mailer](../apps/mailer/) | `orders` |",
  );
  expect(block("environments", "copilot/environments")).toEqual([
    "| 設定 | test | live |",
    "| --- | --- | --- |",
    "| VPC | 10.0.0.0/16(既定) | 10.9.0.0/16、2 AZ |",
    "| パイプライン | `trunk` | `trunk`(承認) |",
    "| フローログ | なし | 14 日 |",
    "| Container Insights | なし | あり |",
    "| ALB のアクセスログ | なし | なし |",
  ]);
  expect(block("mappings", "copilot/environments/addons")).toEqual([
    "| アドオンの値 | test | live |",
    "| --- | --- | --- |",
    "| `Units` | 1 | 8 |",
  ]);
  expect(block("pipelines", "copilot/pipelines")?.slice(2)).toEqual([
    "| `main` | `trunk` | test | なし | すべて同時 → 試験 1 |",
    "| `main` | `trunk` | live | あり | migrate → api → mailer → smoke |",
  ]);
  expect(block("messages", "copilot/api")?.slice(2)).toEqual([
    "| `orders` | はい | mailer(3) |",
    "| `loose` | いいえ | なし |",
  ]);
  expect(block("messages", "copilot/mailer")?.slice(2)).toEqual([
    "| `orders` | `placed` | 90 秒 | 3 回で DLQ | 4 日 |",
  ]);
  expect(block("schedule", "jobs")?.slice(2)).toEqual([
    "| [nightly](nightly/) | `0 3 * * *` | 1 時間、live 2 時間 | 2 回 |",
  ]);
  expect(block("secrets", "copilot")?.slice(2)).toEqual(["| `TOKEN` | api |"]);
  expect(block("alarms", "copilot")?.slice(2)).toEqual([
    "| api | `errors` | なし |",
    "| 環境 | なし | `busy` |",
  ]);
  expect(block("variables", "copilot/mailer")).toEqual(["- 変数: `API`、`HOST`", "- 秘密: なし"]);
});

test("what environments override is shown as every environment has it", () => {
  expect(factsOf(shop).block("env-diff", [], "copilot/nightly")?.value.split("\n").slice(2)).toEqual([
    "| `timeout` | `1h` | `2h` |",
  ]);
});

test("a region that no block knows, or that has arguments, is nobody's", () => {
  const facts = factsOf(shop);
  expect(facts.block("services", [], "apps")).toBeUndefined();
  expect(facts.block("constructor", [], "copilot")).toBeUndefined();
  expect(facts.block("services", ["all"], "copilot")).toBeUndefined();
});

test("manifest and code must link to each other", () => {
  const facts = factsOf(shop);
  expect(facts.related("copilot/mailer")).toEqual(["apps/mailer"]);
  expect(facts.related("apps/mailer")).toEqual(["copilot/mailer"]);
  expect(facts.related("copilot")).toEqual([]);
});

test("a workspace below another folder is read from there", () => {
  const nested = Object.fromEntries(Object.entries(shop).map(([path, text]) => [`infra/${path}`, text]));
  const facts = factsOf(
    { ...nested, "infra/copilot/.workspace": "application: shop\n" },
    { root: "infra/copilot" },
  );
  expect(facts.value("container", "infra/apps/mailer")).toMatchObject({
    file: "infra/copilot/mailer/manifest.yml",
    line: 4,
  });
  const stranger = "copilot svc deploy --name stranger".split(" ");
  expect(facts.command?.(stranger, "infra/apps")).toMatchObject({ kind: "flag-value" });
  expect(facts.command?.(stranger, "")).toBeUndefined();
  // Another workspace may lie beside it: what stands above them speaks of both.
  expect(facts.claims.flatMap((claim) => claim.in)).not.toContain("*.md");
});

test("a workspace that cannot be read is an error with its place, never silence", () => {
  expect(() => factsOf({ "copilot/api/manifest.yml": "name: api\ntype: Backend Servise\n" })).toThrow(
    /^copilot\/api\/manifest\.yml:2: `Backend Servise` is no type of workload/,
  );
  expect(() => factsOf({ "copilot/api/manifest.yml": "name: [\n" })).toThrow(
    /^copilot\/api\/manifest\.yml:\d+: /,
  );
  expect(() => factsOf({ "apps/x/package.json": "{" })).toThrow(
    /^apps\/x\/package\.json:1: this is not JSON/,
  );
  expect(() => copilotFacts({ root: "infra" })).toThrow("only a folder named `copilot`");
});

const events: Files = {
  "code/events/item.ts": `const item = { topic: "item", version: 2 } as const;
export const made = event("item.made", { ...item, data: {} });
export const gone = event("item.gone", {
  ...item,
  version: 3,
});
`,
  "code/events/item.test.ts": 'event("item.tested", {});',
};

test("events stand in a table, as the code defines them, read without running it", () => {
  const facts = factsOf({ ...shop, ...events }, { events: "code/events" });
  expect(facts.block("events", [], "code/events")).toEqual({
    value: "| トピック | 出来事と版 |\n| --- | --- |\n| `item` | `item.made` v2、`item.gone` v3 |",
    file: "code/events/item.ts",
    line: 2,
  });
});

test("an event in a comment is none", () => {
  const facts = factsOf(
    { ...shop, "code/events/event.ts": '/**\n * @example\n * event("item.shown", { topic: "item" })\n */\n' },
    { events: "code/events" },
  );
  expect(facts.block("events", [], "code/events")).toBeUndefined();
});

test("an event's name with a letter wrong is found; what merely looks like one is not", () => {
  const facts = factsOf({ ...shop, ...events }, { events: "code/events" });
  expect(facts.command?.(["item.mad"], "")).toMatchObject({
    message: "Unexpected event `item.mad`, expected `item.made`",
    related: "code/events/item.ts:2",
  });
  for (const name of ["item.made", "item.deadline", "file.made", "item.made.x"])
    expect([name, facts.command?.([name], "")]).toEqual([name, undefined]);
});

test("a workspace without folders of environments has those of its pipelines; two workloads of one folder share no size", () => {
  const service = (name: string) =>
    `name: ${name}\ntype: Backend Service\nimage:\n  build: code/Dockerfile\ncount:\n  spot: 2\n`;
  const files: Files = {
    "copilot/one/manifest.yml": service("one"),
    "copilot/two/manifest.yml": service("two"),
    "copilot/pipelines/main/manifest.yml": `name: main
version: 1
source:
  provider: Bitbucket
stages:
  - name: dev
    deployments:
      database:
        stack_name: db
        template_path: infrastructure/db.yml
      one:
        depends_on: [database]
`,
    "code/Dockerfile": "",
  };
  expect(valuesIn("copilot/one", files)).toMatchObject({
    environment: "dev 256/512 ×2(Spot) (copilot/one/manifest.yml:1)",
    pipelines: "`main`。`database` の後 (copilot/pipelines/main/manifest.yml:6)",
  });
  expect(valuesIn("copilot/two", files)["pipelines"]).toMatch(/^なし/);
  expect(valuesIn("copilot/pipelines/main", files)["deployment"]).toMatch(/^ブランチ `main` への push/);
  expect(valuesIn("code", files)).toEqual({});
});

test("an older workspace: one pipeline.yml, no folders of environments; its pipeline has the name that is written in it", () => {
  const files: Files = {
    Dockerfile: "",
    "copilot/posts/manifest.yml": `name: posts
type: Load Balanced Web Service
http:
  path: /
image:
  build: Dockerfile
  port: 8080
environments:
  prod:
    count: 2
`,
    "copilot/pipeline.yml": `name: pipeline-news
version: 1
source:
  provider: GitHub
stages:
  - name: test
  - name: prod
`,
  };
  expect(valuesIn("copilot/posts", files)).toMatchObject({
    environment: "test 256/512 ×1、prod 256/512 ×2 (copilot/posts/manifest.yml:8)",
    pipelines: "`pipeline-news`(test、prod) (copilot/pipeline.yml:6)",
  });
  const facts = factsOf(files);
  expect(facts.command?.("copilot pipeline status --name pipeline-news".split(" "), "")).toBeUndefined();
  expect(facts.command?.("copilot svc deploy --env live".split(" "), "")?.message).toBe(
    "Unexpected environment `live`, expected one of `test`, `prod`",
  );
});

test("a workspace that says nothing of its environments has none that could be wrong", () => {
  const files: Files = {
    Dockerfile: "",
    "copilot/site/manifest.yml": "name: site\ntype: Backend Service\nimage:\n  build: Dockerfile\n",
    "copilot/hand/manifest.yml":
      "name: hand\ntype: Scheduled Job\nimage:\n  build: Dockerfile\non:\n  schedule: none\n",
  };
  expect(valuesIn("copilot/site", files)["environment"]).toBe("256/512 ×1 (copilot/site/manifest.yml:1)");
  expect(valuesIn("copilot/hand", files)).toMatchObject({
    orchestration: "予定なし → Step Functions → ECS タスク(Fargate) (copilot/hand/manifest.yml:6)",
    service: "Step Functions (copilot/hand/manifest.yml:2)",
  });
  const facts = factsOf(files);
  expect(facts.command?.("copilot svc deploy --env live".split(" "), "")).toBeUndefined();
  expect(JSON.stringify(facts.claims)).not.toContain("environment");
});

test("scripts that name several regions set none", () => {
  const files = {
    ...shop,
    "copilot/a.sh": "copilot env init --region us-east-2\n",
    "copilot/b.sh": "copilot env init --region eu-west-3\n",
  };
  expect(valuesIn("copilot", files)["region"]).toBeUndefined();
});

test("another name of a kind is no workload; what belongs to a workload, a folder and a placeholder are", () => {
  const service = (name: string) => `name: ${name}\ntype: Backend Service\nimage:\n  build: Dockerfile\n`;
  const { claims } = factsOf({
    Dockerfile: "",
    "copilot/app-web/manifest.yml": service("app-web"),
    "copilot/app-mail/manifest.yml": service("app-mail"),
    "copilot/single/manifest.yml": service("single"),
    "app-shared/index.ts": "",
  });
  const project = factsOf({
    Dockerfile: "",
    "copilot/app-web/manifest.yml": service("app-web"),
    "copilot/app-mail/manifest.yml": service("app-mail"),
  });
  expect(project.claims.map(({ type }) => type)).not.toContain("name");
  const names = claims.flatMap((claim) => (claim.type === "name" ? [claim] : []));
  expect(names.map(({ truth }) => truth.value)).toEqual([["app-mail", "app-web"]]);
  const unknown = (text: string) => names.flatMap(({ pattern }) => pattern.exec(text)?.[0] ?? []);
  expect(unknown("`app-post` と app-web")).toEqual(["app-post"]);
  expect(unknown("期限は app-mailer が見る")).toEqual(["app-mailer"]);
  for (const fine of [
    "app-side",
    "app-web-errors",
    "app-shared",
    "app-*",
    "app-<名>",
    "my-app-x",
    "shop/app-x",
    "app-x.yml",
    "single-x",
  ])
    expect([fine, unknown(fine === "app-side" ? `an ${fine} effect` : `\`${fine}\``)]).toEqual([fine, []]);
});

test("prose is held against counts, versions, times and ranges, each only where it speaks of them", () => {
  const files = {
    ...shop,
    Dockerfile: "ARG BASE=node:24.1-slim@sha256:0\nFROM ${BASE}\nFROM public.ecr.aws/x/node:24-slim\n",
    "copilot/other/manifest.yml": worker.replace("name: mailer", "name: other"),
    "copilot/other/overrides": "../shared/worker",
    "copilot/mailer/overrides": "../shared/worker",
    "copilot/shared/worker/cfn.patches.yml": "[]\n",
  };
  const { claims } = factsOf(files);
  const truths = (file: string) =>
    claims
      .filter((claim) => claim.in.includes(file))
      .map(({ truth }) => `${String(truth.value)} (${truth.file}:${truth.line})`);
  expect(truths("*.md")).toEqual(
    expect.arrayContaining([
      "3 (copilot/api/manifest.yml:2)", // services
      "1 (copilot/nightly/manifest.yml:2)", // jobs
      "2 (copilot/mailer/manifest.yml:2)", // workers
      "4 (copilot/api/manifest.yml:2)", // workloads
      "24 (Dockerfile:1)",
    ]),
  );
  expect(truths("copilot/shared/worker/*.md")).toEqual([
    "2 (copilot/mailer/manifest.yml:2)",
    "2 (copilot/mailer/manifest.yml:2)",
    "2 (copilot/mailer/manifest.yml:2)",
  ]);
  expect(truths("copilot/api/*.md")).toContainEqual(
    expect.stringMatching(/^2 \(copilot\/api\/manifest\.yml:1\d\)$/),
  );
  expect(truths("jobs/nightly/*.md")).toEqual(
    expect.arrayContaining(
      ["0 3 * * *", "03:00", "12:00"].map((truth) => `${truth} (copilot/nightly/manifest.yml:6)`),
    ),
  );
  expect(truths("copilot/environments/live/*.md")).toEqual([
    "10.9.0.0/16 (copilot/environments/live/manifest.yml:5)",
    "2 (copilot/environments/live/manifest.yml:8)",
  ]);
  expect(factsOf({ ...files, "b.Dockerfile": "FROM node:22\n" }).claims).toHaveLength(claims.length - 1);
});
