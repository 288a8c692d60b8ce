import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { removePostgres } from "./postgres.ts";

/**
 * A small Copilot workspace that has nothing to do with any other: a web app, an API that publishes, two workers (one
 * with raw delivery), a job, a function that receives mail, a database. Everything observable is asked over HTTP.
 */
export function tinyWorkspace(change: Record<string, string> = {}): { root: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "tiny-workspace-"));
  for (const [path, content] of Object.entries({ ...files, ...change })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  // The services' SDK clients.
  symlinkSync(join(import.meta.dirname, "node_modules"), join(root, "node_modules"));
  return {
    root,
    remove() {
      // As root the database lies elsewhere: nobody else may enter a temporary folder.
      removePostgres(join(root, ".local", "postgres"));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Asks until `look` gives something; the error of the last look says what was missing. */
export async function eventually<T>(
  look: () => Promise<T | false | undefined> | T | false | undefined,
  timeoutMs = 45_000,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error("nothing came");
    try {
      const result = await look();
      if (result !== undefined && result !== null && result !== false) return result;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > until) throw failure;
    await pause(25);
  }
}

/** What a fetch answers, as JSON. */
export async function json<T>(url: string, init?: RequestInit): Promise<T> {
  return (await (await fetch(url, init)).json()) as T;
}

const healthcheck = `command: ["CMD-SHELL", "node -e \\"fetch('http://127.0.0.1:'+process.env.PORT+'/health').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))\\""]`;

const worker = (name: string, port: number) => `
name: ${name}
type: Worker Service
image:
  build: { dockerfile: Dockerfile, context: ., args: { WORKLOAD: code/${name} } }
  healthcheck:
    ${healthcheck}
variables: { PORT: "${port}" }
subscribe:
  topics:
    - { name: orders, service: api, filter_policy: { type: [order.placed] } }
  queue:
    timeout: 20s
    retention: 336h
    dead_letter: { tries: 3 }
    fifo: { high_throughput: true }
`;

/** While a file `closed` lies in its folder it asks for no message. */
const workerCode = `
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { SQSClient, ReceiveMessageCommand, DeleteMessageCommand } from "@aws-sdk/client-sqs";
const sqs = new SQSClient();
const QueueUrl = process.env.COPILOT_QUEUE_URI;
const received = [];
let stopping = false;
const server = createServer((request, response) => {
  if (request.url === "/env") response.end(JSON.stringify(process.env));
  else if (request.url === "/received") response.end(JSON.stringify(received));
  else response.end("{}");
}).listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => { stopping = true; });
while (!stopping) {
  if (existsSync("closed")) {
    await new Promise((done) => setTimeout(done, 20));
    continue;
  }
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({
    QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"],
  }));
  for (const message of Messages) {
    received.push({ body: message.Body, group: message.Attributes.MessageGroupId, type: message.MessageAttributes?.type?.StringValue });
    console.log(JSON.stringify({ level: "info", time: new Date().toISOString(), msg: "received", body: message.Body }));
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  }
}
server.close();
server.closeAllConnections();
`;

/** The files, for a test that changes one of them. */
export const files: Record<string, string> = {
  "copilot/.workspace": "application: tiny\n",
  Dockerfile: "FROM scratch\n",
  "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
  "copilot/environments/addons/database.yml": `
Parameters:
  App: { Type: String }
  Env: { Type: String }
Resources:
  Store:
    Type: AWS::RDS::DBCluster
    Properties:
      Engine: aurora-postgresql
      DatabaseName: tiny
      MasterUsername: tiny_owner
      Port: 15999
  Cache:
    Type: AWS::ElastiCache::ReplicationGroup
    Properties: {}
Outputs:
  StoreHost:
    Value: !GetAtt Store.Endpoint.Address
    Export: { Name: !Sub "\${App}-\${Env}-StoreHost" }
  StorePort:
    Value: !GetAtt Store.Endpoint.Port
    Export: { Name: !Sub "\${App}-\${Env}-StorePort" }
`,
  "copilot/web/manifest.yml": `
name: web
type: Load Balanced Web Service
image:
  build: { dockerfile: Dockerfile, context: ., args: { WORKLOAD: code/web } }
  port: 7001
http:
  path: shop
  healthcheck: { path: /health }
network: { connect: true }
variables:
  PORT: "7001"
  API_URL: http://api:7002/v1
  OUTSIDE_URL: https://partner.example
  NAME: api
  GREETING: hello
secrets:
  SIGNING_KEY: /copilot/\${COPILOT_APPLICATION_NAME}/\${COPILOT_ENVIRONMENT_NAME}/secrets/SIGNING_KEY
environments:
  test:
    variables: { GREETING: bonjour }
`,
  "copilot/api/manifest.yml": `
name: api
type: Backend Service
image:
  build: { dockerfile: Dockerfile, context: ., args: { WORKLOAD: code/api } }
  port: 7002
  healthcheck:
    ${healthcheck}
network: { connect: true }
variables:
  PORT: "7002"
  STORE_HOST: { from_cfn: "\${COPILOT_APPLICATION_NAME}-\${COPILOT_ENVIRONMENT_NAME}-StoreHost" }
  STORE_PORT: { from_cfn: "\${COPILOT_APPLICATION_NAME}-\${COPILOT_ENVIRONMENT_NAME}-StorePort" }
secrets:
  KEY: /copilot/\${COPILOT_APPLICATION_NAME}/\${COPILOT_ENVIRONMENT_NAME}/secrets/SIGNING_KEY
publish:
  topics:
    - { name: orders, fifo: true }
    - { name: audit }
`,
  "copilot/api/addons/mail.yml": `
Parameters:
  App: { Type: String }
  Env: { Type: String }
  Name: { Type: String }
  AuditTopic: { Type: String }
Resources:
  Letters:
    Type: AWS::S3::Bucket
  Hook:
    Type: AWS::Lambda::Function
    Properties:
      Code: code/mail-hook/dist
      Handler: main.handler
      Runtime: nodejs24.x
      Timeout: 5
      Role: arn:aws:iam::000000000000:role/hook
      Environment: { Variables: { BUCKET: !Ref Letters, TOPIC: !Ref AuditTopic } }
  Rule:
    Type: AWS::SES::ReceiptRule
    Properties:
      RuleSetName: !Ref App
      Rule:
        Recipients: [!Sub "mail.\${Env}.example"]
        Actions:
          - S3Action: { BucketName: !Ref Letters }
          - LambdaAction: { FunctionArn: !GetAtt Hook.Arn }
Outputs:
  LettersName: { Value: !Ref Letters }
`,
  "copilot/api/addons/addons.parameters.yml": "Parameters:\n  AuditTopic: !Ref auditSNSTopic\n",
  "copilot/worker-raw/manifest.yml": worker("worker-raw", 7003),
  "copilot/worker-raw/overrides/cfn.patches.yml": `
- op: add
  path: /Resources/apiordersfifoSNSTopicSubscription/Properties/RawMessageDelivery
  value: true
`,
  "copilot/worker-wrapped/manifest.yml": worker("worker-wrapped", 7004),
  "copilot/job-count/manifest.yml": `
name: job-count
type: Scheduled Job
image:
  build: { dockerfile: Dockerfile, context: ., args: { WORKLOAD: code/job-count } }
on: { schedule: "0 3 * * *" }
`,
  "code/web/package.json": `{ "name": "web", "type": "module", "scripts": { "start": "node main.mjs" } }`,
  "code/web/main.mjs": `
import { createServer } from "node:http";
console.log("web listens");
createServer((request, response) => {
  if (request.url === "/env") response.end(JSON.stringify(process.env));
  else if (request.url === "/crash") process.exit(7);
  else response.end("{}");
}).listen(process.env.PORT);
`,
  "code/api/package.json": `{ "name": "api", "type": "module", "scripts": { "start": "node main.mjs" } }`,
  "code/api/main.mjs": `
import { createServer } from "node:http";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";
import pg from "pg";
const sns = new SNSClient();
const topics = JSON.parse(process.env.COPILOT_SNS_TOPIC_ARNS);
const pool = new pg.Pool({ host: process.env.STORE_HOST, port: process.env.STORE_PORT, user: "tiny_owner", database: "tiny" });
pool.on("error", () => {});
const answer = async (request, response) => {
  const url = new URL(request.url, "http://x");
  if (url.pathname === "/env") return response.end(JSON.stringify(process.env));
  if (url.pathname === "/order") {
    const id = url.searchParams.get("id");
    await sns.send(new PublishCommand({
      TopicArn: topics["orders.fifo"], Message: JSON.stringify({ id }), MessageGroupId: "g1", MessageDeduplicationId: id,
      MessageAttributes: { type: { DataType: "String", StringValue: url.searchParams.get("type") ?? "order.placed" } },
    }));
  }
  if (url.pathname === "/note") await pool.query("insert into note (text) values ($1)", [url.searchParams.get("text")]);
  if (url.pathname === "/notes") return response.end(JSON.stringify((await pool.query("select text from note order by id")).rows));
  response.end("{}");
};
createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(500).end(error.message));
}).listen(process.env.PORT, "127.0.0.1");
`,
  "code/worker-raw/package.json": `{ "name": "worker-raw", "type": "module", "scripts": { "start": "node main.mjs" } }`,
  "code/worker-raw/main.mjs": workerCode,
  "code/worker-wrapped/package.json": `{ "name": "worker-wrapped", "type": "module", "scripts": { "start": "node main.mjs" } }`,
  "code/worker-wrapped/main.mjs": workerCode,
  "code/job-count/package.json": `{ "name": "job-count", "type": "module", "scripts": { "start": "node main.mjs" } }`,
  "code/job-count/main.mjs": `console.log("counted for " + process.env.COPILOT_SERVICE_NAME);`,
  "code/mail-hook/package.json": `{ "name": "mail-hook", "type": "module" }`,
  "code/mail-hook/main.mjs": `
let calls = 0;
export async function handler(event, context) {
  const { mail, receipt } = event.Records[0].ses;
  if (mail.commonHeaders.subject === "fail once" && calls++ === 0) throw new Error("not today");
  console.log("letter " + mail.messageId + " for " + receipt.recipients.join() + " in " + process.env.BUCKET + " as " + context.functionName);
}
`,
  "code/setup/package.json": `{ "name": "setup", "type": "module" }`,
  "code/setup/setup.mjs": `
import pg from "pg";
const client = new pg.Client({ host: process.env.DB_HOST, port: process.env.DB_PORT, user: process.env.DB_USER, database: process.env.DB_NAME });
await client.connect();
await client.query("create table if not exists note (id serial primary key, text text)");
await client.query("create extension if not exists pg_trgm");
await client.end();
console.log(JSON.stringify({ level: "info", msg: "tables made" }));
console.log(JSON.stringify({ notes: [{ label: "PIN", value: "1234" }] }));
console.log("sign in at once");
`,
  "code/partner/package.json": `{ "name": "partner", "type": "module", "scripts": { "start": "node main.mjs" } }`,
  "code/partner/main.mjs": `
import { createServer } from "node:http";
createServer((request, response) => response.end(JSON.stringify({ key: process.env.SIGNING_KEY, to: process.env.MAIL_TO }))).listen(process.env.PORT, "127.0.0.1");
`,
  "copilot-local.config.mjs": `
export default {
  region: "eu-north-1",
  setup: [{
    name: "tables", directory: "code/setup", command: ["node", "setup.mjs"], notes: "Sign-in",
    variables: {
      DB_HOST: (local) => local.database.host, DB_PORT: (local) => String(local.database.port),
      DB_USER: (local) => local.database.owner, DB_NAME: (local) => local.database.name,
    },
  }],
  processes: [{
    name: "partner", directory: "code/partner", secrets: ["SIGNING_KEY"], answers: { OUTSIDE_URL: "/api" },
    variables: { MAIL_TO: (local) => local.mailAddress("post") },
  }],
  parked: "select 'worker-raw', 4 from note having count(*) >= 0",
  attention: [
    { what: "notes", count: "select count(*) + 2 from note where false", command: "look at notes" },
    { what: "never", count: "select 0", command: "nothing" },
    { what: "dead", count: "dead letters", command: "look at the dead" },
  ],
  titles: { web: "店" },
};
`,
};
