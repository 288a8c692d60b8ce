import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startFifoStub } from "fifo-stub";
import type { FifoStub } from "fifo-stub";
import { publint } from "publint";
import { startPostgres } from "test-postgres";
import type { TestPostgres } from "test-postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildLibrary } from "./build.ts";

const libraries = ["outbox", "worker", "fifo-stub", "fault-proxy"];
// The project of another team: nothing in it but what the READMEs say to install.
const project = realpathSync(mkdtempSync(join(tmpdir(), "libraries-")));
const modules = join(project, "node_modules");
let server: TestPostgres;
let stub: FifoStub;
beforeAll(async () => {
  mkdirSync(modules);
  for (const name of libraries) buildLibrary(name, join(modules, name), "1.0.0");
  for (const name of ["pg", "@types/pg", "@types/node", "@aws-sdk/client-sns", "@aws-sdk/client-sqs"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(realpathSync(join(import.meta.dirname, "node_modules", name)), join(modules, name));
  }
  server = await startPostgres();
  stub = await startFifoStub();
});
afterAll(async () => {
  await stub.close();
  await server.stop();
  rmSync(project, { recursive: true, force: true });
});

/** The example of a package's README, as a file of the project. */
function example(name: string): string {
  const readme = readFileSync(join(modules, name, "README.md"), "utf8");
  const [, code = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
  const file = join(project, `${name}.mjs`);
  writeFileSync(file, code);
  return file;
}

test.each(libraries)("nothing is wrong with the package %s", async (name) => {
  const { messages } = await publint({ pkgDir: join(modules, name), strict: true, pack: false });
  expect(messages).toEqual([]);
});

test("the declarations satisfy a strict project", async () => {
  writeFileSync(
    join(project, "uses.ts"),
    `import { insert, relay, type Relay } from "outbox";
     import { on, work, type Worker } from "worker";
     import { once } from "worker/once";
     import { startFifoStub } from "fifo-stub";
     import { startFaultProxy } from "fault-proxy";
     export const all: [Relay["stop"], Worker["stop"]] | unknown[] = [insert, relay, on, work, once, startFifoStub, startFaultProxy];`,
  );
  const tsc = join(import.meta.dirname, "node_modules/typescript/bin/tsc");
  const options = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--types",
    "node",
    "uses.ts",
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "--skipLibCheck", ...options], {
    cwd: project,
  });
  expect(stdout).toBe("");
});

test("the READMEs' examples run one after the other: an event is written, published, and handled", async () => {
  const aws = {
    endpoint: stub.url,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  const [sns, sqs] = [new SNSClient(aws), new SQSClient(aws)];
  const FifoTopic = "true";
  const { TopicArn } = await sns.send(
    new CreateTopicCommand({ Name: "order.fifo", Attributes: { FifoTopic } }),
  );
  await sqs.send(new CreateQueueCommand({ QueueName: "shipping.fifo", Attributes: { FifoQueue: "true" } }));
  const Endpoint = "arn:aws:sqs:us-east-1:000000000000:shipping.fifo";
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint }));
  const env = {
    PATH: process.env["PATH"],
    DATABASE_URL: server.url(await server.createDatabase()),
    TOPIC_ARN: TopicArn,
    QUEUE_URL: stub.queueUrl("shipping.fifo"),
    AWS_ENDPOINT_URL: stub.url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
  };
  const run = promisify(execFile);
  const published = await run(process.execPath, ["--throw-deprecation", example("outbox")], {
    cwd: project,
    env,
  });
  expect(published.stdout).toMatch(/^published [-0-9a-f]{36}$/m);
  const handled = await run(process.execPath, ["--throw-deprecation", example("worker")], {
    cwd: project,
    env,
  });
  expect(handled.stdout).toMatch(/^handled order-1$/m);
  expect(stub.state("shipping.fifo").messages).toEqual([]);
  sns.destroy();
  sqs.destroy();
});
