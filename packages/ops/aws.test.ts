import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { queuesOf, readManifests } from "./manifests.ts";
import { run } from "./run.ts";
import { bench, root } from "./testing.ts";
import type { Bench } from "./testing.ts";

// Nobody but AWS can tell what a stack holds, and no emulator that npm has knows CloudFormation: this answers its protocol,
// and SQS and PostgreSQL behind it are real.
let lab: Bench;
let server: Server;
const asked: Record<string, string>[] = [];
let refused: [code: string, message: string] | undefined;

beforeAll(async () => {
  lab = await bench();
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const fields = Object.fromEntries(new URLSearchParams(body));
      asked.push(fields);
      const { status, text } = answer(fields);
      response.writeHead(status, { "content-type": "text/xml" }).end(text);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL_CLOUDFORMATION: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_SQS: lab.endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
  })) {
    vi.stubEnv(name, value);
  }
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.close();
  await lab.close();
});

function answer({ Action = "", StackName = "", LogicalResourceId = "", NextToken }: Record<string, string>) {
  const result = (content: string) => ({
    status: 200,
    text: `<${Action}Response><${Action}Result>${content}</${Action}Result></${Action}Response>`,
  });
  const refusal = (code: string, message: string) => ({
    status: 400,
    text: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  });
  if (refused) return refusal(...refused);
  const value = (name: string, text: string) =>
    `<member><Name>${name}</Name><Value>${text}</Value><ExportingStackId>x</ExportingStackId></member>`;
  switch (Action) {
    case "DescribeStackResource":
      if (StackName !== "noren-staging-worker-item") {
        return refusal("ValidationError", `Stack '${StackName}' does not exist`);
      }
      return result(
        `<StackResourceDetail><PhysicalResourceId>${lab.url(LogicalResourceId !== "EventsQueue")}</PhysicalResourceId></StackResourceDetail>`,
      );
    case "GetCallerIdentity":
      return result("<Arn>arn:aws:sts::000000000000:assumed-role/noren-staging-operator/suzuki</Arn>");
    case "ListExports":
      return NextToken === undefined
        ? result(
            `<Exports>${value("noren-staging-DatabaseHost", "db.example.ap-northeast-1.rds.amazonaws.com")}</Exports><NextToken>2</NextToken>`,
          )
        : result(
            `<Exports>${value("noren-staging-DatabasePort", "15432")}${value("noren-staging-DatabaseName", "noren")}</Exports>`,
          );
    default:
      return refusal("InvalidAction", Action);
  }
}

async function ops(variables: NodeJS.ProcessEnv, ...args: string[]) {
  const [out, notes]: [string[], string[]] = [[], []];
  const code = await run(args, {
    root,
    from: root,
    variables,
    out: (line) => out.push(line),
    note: (line) => notes.push(line),
  });
  return { code, out: out.join("\n"), notes: notes.join("\n") };
}
const region = { AWS_REGION: "ap-northeast-1" };

test("a queue's address is asked of the workload's stack, by the id that Copilot gives it", async () => {
  expect(await ops(region, "queue", "staging", "worker-item")).toEqual({
    code: 0,
    out: lab.url(),
    notes: "",
  });
  expect(await ops(region, "queue", "staging", "worker-item", "--dlq")).toMatchObject({ out: lab.url(true) });
  await ops(region, "queue", "staging", "worker-item", "--undelivered");
  expect(asked.map(({ StackName, LogicalResourceId }) => [StackName, LogicalResourceId])).toEqual([
    ["noren-staging-worker-item", "EventsQueue"],
    ["noren-staging-worker-item", "DeadLetterQueue"],
    ["noren-staging-worker-item", "UndeliveredQueue"],
  ]);
  const patches = readFileSync(`${root}/copilot/worker-item/overrides/cfn.patches.yml`, "utf8");
  expect(patches).toContain("path: /Resources/UndeliveredQueue\n");
});

test("dead letters are seen through it", async () => {
  const event = lab.event(crypto.randomUUID(), "dead");
  await lab.send(event.aggregate.id, event, true);
  const peeked = await ops(region, "dlq", "peek", "staging", "worker-item");
  expect(peeked).toMatchObject({ code: 0, out: expect.stringContaining(event.id) });
  expect(await lab.drain(true)).toHaveLength(1);
});

test("a workload that is not deployed, a refusal and a missing region say what to do", async () => {
  expect(await ops(region, "queue", "staging", "worker-product")).toEqual({
    code: 1,
    out: "",
    notes: expect.stringMatching(/worker-product is not deployed in staging.*\n.*get-caller-identity/),
  });
  expect(await ops({}, "queue", "staging", "worker-item")).toMatchObject({
    code: 1,
    notes: expect.stringMatching(/no AWS region is set.\n.*AWS_REGION=/),
  });
  for (const [code, message, note] of [
    [
      "AccessDenied",
      "User is not authorized",
      /AWS refused: User is not authorized\n.*noren-<environment>-operator/,
    ],
    [
      "ExpiredToken",
      "The security token is expired",
      /does not know who is asking: The security token is expired\n.*aws sso login/,
    ],
    ["InvalidClientTokenId", "invalid", /does not know who is asking/],
  ] as const) {
    refused = [code, message];
    expect(await ops(region, "queue", "staging", "worker-item")).toEqual({
      code: 1,
      out: "",
      notes: expect.stringMatching(note),
    });
  }
  refused = undefined;
});

test("the database is reached through the tunnel's end, but with the certificate of its own name or not at all", async () => {
  const { host, port } = lab.database.settings;
  const tunnel = { ...region, DATABASE_HOST: host, DATABASE_PORT: String(port) };
  // This one has no TLS, as no database in AWS may.
  expect(await ops(tunnel, "parked", "staging")).toEqual({
    code: 1,
    out: "",
    notes: expect.stringMatching(/staging cannot be reached: .*does not support SSL.*\n.*DATABASE_HOST/),
  });
});

test("a database that is not there is a note to whoever counts, and a refusal to whoever changes", async () => {
  const closed = { ...region, DATABASE_HOST: "127.0.0.1", DATABASE_PORT: "1" };
  expect(await ops(closed, "parked", "replay", "staging", "worker-item", "--all")).toEqual({
    code: 1,
    out: "",
    notes: expect.stringMatching(/staging cannot be reached: .*ECONNREFUSED.*\n.*copilot\/tunnel.sh staging/),
  });
});

test("what it asks of AWS is what the stacks have: queues by their ids, the database by its exports", () => {
  const addons = readFileSync(`${root}/rendered/addons.yml`, "utf8");
  for (const environment of ["staging", "production", "customer", "public"]) {
    const { workers } = readManifests(root, environment);
    for (const worker of workers) {
      const stack = readFileSync(`${root}/rendered/${environment}.${worker.name}.yml`, "utf8");
      for (const queue of queuesOf(worker))
        for (const id of [queue.logicalId, queue.deadLetter?.logicalId, "UndeliveredQueue"])
          expect(stack).toMatch(new RegExp(`^ +${id}:$`, "m"));
      for (const name of ["DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME"]) {
        const variable = worker.variables[name];
        if (!variable || !("fromCfn" in variable)) throw new Error(`${worker.name}: ${name}`);
        expect(addons).toContain(variable.fromCfn.replace(`noren-${environment}-`, "${App}-${Env}-"));
      }
    }
  }
});
