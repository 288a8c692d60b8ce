import { expect, test } from "vitest";
import { minimal, problemsBySettings } from "./testing.ts";

const settings =
  'code:\n  entries: ["{CODE}/main.ts", "services/{name}.ts"]\n  functions: ["{code}/../handler.ts"]\n';
const manifest = (rest: string) =>
  `name: svc\ntype: Backend Service\nimage: { build: { dockerfile: Dockerfile, args: { CODE: code/svc } } }\n${rest}\n`;

function codeOf(main: string, rest: string, more: Record<string, string | { link: string }> = {}) {
  return problemsBySettings(
    { "copilot/svc/manifest.yml": manifest(rest), "code/svc/main.ts": main, ...more },
    settings,
  );
}

test("code and manifest that name the same variables have no problems", () => {
  const main = 'env({ PORT: z.coerce.number(), "API_KEY": z.string(), DEBUG: z.string().optional() });\n';
  expect(codeOf(main, "variables: { PORT: 80 }\nsecrets: { API_KEY: /x }")).toEqual([]);
});

test("a variable that the code requires and nothing gives is an error at the code, with the nearest one of the manifest", () => {
  const main = "\nexport const settings = env({ PORT: z.number(),\n  API_KEY: z.string() });\n";
  expect(codeOf(main, "variables: { PORT: 80 }")).toEqual([
    "code/svc/main.ts:3 undeclared-variable: svc stops as it starts: its code requires API_KEY, which nothing gives it. Add it under `variables` or `secrets` in copilot/svc/manifest.yml, or make it optional in the code.",
  ]);
  expect(codeOf(main, "variables: { PORT: 80 }\nsecrets: { API_KEYS: /x }")).toEqual([
    expect.stringContaining(
      "Did you mean `API_KEYS`, which copilot/svc/manifest.yml gives and nobody reads?",
    ),
    expect.stringContaining("svc/manifest.yml:5 unread-variable: The code of svc does not read API_KEYS."),
  ]);
});

test("a variable that the code does not read is an error at the manifest", () => {
  expect(codeOf("env({ PORT: z.number() })", "variables: { PORT: 80, OLD: x }")).toEqual([
    "copilot/svc/manifest.yml:4 unread-variable: The code of svc does not read OLD. Remove it; or, if something reads it that no scan can see, name it under `code.read` in copilot-manifest.yml.",
  ]);
});

test("what is missing in one environment only says in which", () => {
  const rest = "environments:\n  a: { variables: { PORT: 80 } }\n  b: { cpu: 256 }";
  expect(codeOf("env({ PORT: z.number() })", rest)).toEqual([
    expect.stringContaining("its code requires PORT, which nothing gives it. (b)"),
  ]);
});

test("what Copilot, ECS, the image, an env file or an addon gives need not stand in the manifest", () => {
  const main =
    "env({ COPILOT_SERVICE_NAME: z.string(), AWS_REGION: z.string(), FROM_IMAGE: z.string(), TWO: z.string(), FROM_FILE: z.string(), FEED_BUCKET_NAME: z.string() })";
  const addon =
    "Parameters: { App: { Type: String }, Env: { Type: String }, Name: { Type: String } }\nResources:\n  Feed: { Type: AWS::S3::Bucket }\nOutputs:\n  FeedBucketName: { Value: !Ref Feed }\n";
  const files = {
    Dockerfile: "FROM scratch\nENV FROM_IMAGE=1 \\\n  TWO=2\n",
    "svc.env": "# comment\nFROM_FILE=x\n",
    "copilot/svc/addons/feed.yml": addon,
  };
  expect(codeOf(main, "env_file: svc.env", files)).toEqual([]);
  expect(codeOf("env({ COPILOT_QUEUE_URI: z.string() })", "")).toEqual([
    expect.stringContaining("requires COPILOT_QUEUE_URI, which nothing gives it"),
  ]);
});

test("keys are followed through constants, spreads, imports, re-exports and workspace packages", () => {
  const main = `import { shape as base } from "./shape.ts";
import { databaseEnv } from "database";
const own = { PORT: z.number() } satisfies Shape;
const maybe = z.string().default("x");
const settings = env({ ...base, ...own, ...databaseEnv, LEVEL: maybe.describe("how much") });
`;
  const files = {
    "code/svc/shape.ts": 'export * from "./deep.js";\n',
    "code/svc/deep.ts": "const inner = { DEEP: z.string() } as const;\nexport { inner as shape };\n",
    "code/svc/node_modules/database": { link: "../../../packages/database" },
    "packages/database/package.json": '{ "name": "database", "exports": "./index.ts" }',
    "packages/database/index.ts": 'export { databaseEnv } from "./connect.ts";\n',
    "packages/database/connect.ts": "export const databaseEnv = { HOST: z.string() };\n",
  };
  expect(codeOf(main, "variables: { DEEP: 1, PORT: 2, HOST: 3 }", files)).toEqual([]);
  expect(codeOf(main, "variables: { DEEP: 1, PORT: 2 }", files)).toEqual([
    expect.stringMatching(/^packages\/database\/connect\.ts:1 undeclared-variable: .* requires HOST/),
  ]);
});

test("process.env anywhere in the imported code counts as read, but not in comments, types or installed packages", () => {
  const main = `import { log } from "./log.ts";
import type { T } from "./types.ts";
import "installed";
// process.env.COMMENT
env({});
`;
  const files = {
    "code/svc/log.ts":
      'export const log = [process.env.A, process.env["B"], process.env?.C];\nconst { D, E: e = 1 } = process.env;\n',
    "code/svc/types.ts": "process.env.TYPES;\n",
    "code/svc/node_modules/installed/package.json": '{ "name": "installed", "exports": "./index.js" }',
    "code/svc/node_modules/installed/index.js": "process.env.INSTALLED;\n",
  };
  const variables = "variables: { A: 1, B: 2, C: 3, D: 4, E: 5, COMMENT: 6, TYPES: 7, INSTALLED: 8 }";
  expect(codeOf(main, variables, files).map((text) => / read (\w+)\./.exec(text)?.[1])).toEqual([
    "COMMENT",
    "TYPES",
    "INSTALLED",
  ]);
});

test("what cannot be followed is said, and then nothing is called unread", () => {
  expect(codeOf("\nenv({ ...shapeOf(x) })", "variables: { A: 1 }")).toEqual([
    "code/svc/main.ts:2 unread-code: This part of the variables of svc cannot be followed. Write an object, or the name of a constant that holds one.",
  ]);
  expect(codeOf("start()", "variables: { A: 1 }")).toContainEqual(
    expect.stringContaining("code/svc/main.ts:1 unread-code: code/svc/main.ts never calls `env`"),
  );
  const elsewhere = manifest("").replace("code/svc", "code/scv");
  expect(problemsBySettings({ "copilot/svc/manifest.yml": elsewhere }, settings)).toEqual([
    "copilot/svc/manifest.yml:3 unread-code: The code of svc was not found: {CODE}/main.ts, services/{name}.ts. Name its entry module under `workloads.svc.entry` in copilot-manifest.yml, or its variables under `required` and `optional`.",
  ]);
});

test("code of another language is told by the settings, both ways", () => {
  const files = { "copilot/svc/manifest.yml": `${minimal.backend}variables: { A: 1, B: 2 }\n` };
  const keys = (text: string) => problemsBySettings(files, `workloads:\n  svc: ${text}\n`);
  expect(keys("{ required: [A], optional: [B, C] }")).toEqual([]);
  expect(keys("{ required: [A, D] }")).toEqual([
    expect.stringContaining("requires D, which nothing gives it. Did you mean `B`"),
    expect.stringContaining("svc/manifest.yml:5 unread-variable: The code of svc does not read B."),
  ]);
});

test("without `code` in the settings no code is looked at, and an image from elsewhere has none", () => {
  const files = {
    "copilot/svc/manifest.yml": manifest("variables: { OLD: x }"),
    "code/svc/main.ts": "env({ A: 1 })",
  };
  expect(problemsBySettings(files, "")).toEqual([]);
  const finished = "name: svc\ntype: Backend Service\nimage: { location: nginx }\nvariables: { A: b }\n";
  expect(problemsBySettings({ "copilot/svc/manifest.yml": finished }, settings)).toEqual([]);
});

test("a Lambda function of an addon is compared with its own code", () => {
  const addon = (variables: string) =>
    `Parameters: { App: { Type: String }, Env: { Type: String }, Name: { Type: String } }
Resources:
  Mail:
    Type: AWS::Lambda::Function
    Properties:
      Code: code/mail/dist
      Environment:
        Variables: { ${variables} }
`;
  const files = (variables: string) => ({
    "copilot/svc/addons/mail.yml": addon(variables),
    "code/mail/handler.ts": "env({ BUCKET: z.string() });\n",
  });
  expect(codeOf("env({})", "", files("BUCKET: x, COPILOT_SERVICE_NAME: mail"))).toEqual([]);
  expect(codeOf("env({})", "", files("OTHER: x"))).toEqual([
    expect.stringContaining(
      "code/mail/handler.ts:1 undeclared-variable: Mail stops as it starts: its code requires BUCKET",
    ),
    expect.stringContaining("svc/addons/mail.yml:8 unread-variable: The code of Mail does not read OTHER."),
  ]);
});

const web = (path: string, base = "/shop") =>
  `name: svc
type: Load Balanced Web Service
image: { build: { dockerfile: Dockerfile, args: { CODE: code/svc } }, port: 80 }
http: { path: /, healthcheck: ${path} }
variables: { BASE: ${base} }
`;
const health = (main: string, text: string, more = "") =>
  problemsBySettings(
    { "copilot/svc/manifest.yml": text, "code/svc/main.ts": `env({ BASE: z.string() });\n${main}\n` },
    settings + more,
  );

test("a health path that no text of the code makes is an error", () => {
  expect(health('app.get("/health", ok)', web("/health"))).toEqual([]);
  expect(health('app.get("/health", ok)', web("/healthz"))).toEqual([
    "copilot/svc/manifest.yml:4 unserved-health-path: The load balancer asks svc for /healthz, which its code does not serve: every task is replaced for ever. Write a path that it serves; what no scan can see stands under `workloads.svc.health` in copilot-manifest.yml.",
  ]);
});

test("a base path is one of the workload's variables, in a template or by mounting", () => {
  expect(health("app.get(`${base}/health`, ok)", web("/shop/health"))).toEqual([]);
  expect(health('app.get("/health", ok)', web("/shop/health"))).toEqual([]);
  expect(health("app.get(`${base}/health`, ok)", web("/shop/health", "/store"))).toEqual([
    expect.stringContaining("asks svc for /shop/health"),
  ]);
});

test("a path in a package counts for the load balancer where it is routed, not where it is another's contract", () => {
  const used = (text: string) =>
    problemsBySettings(
      {
        "copilot/svc/manifest.yml": web("/shop/health"),
        "code/svc/main.ts": 'import "web";\nenv({ BASE: z.string() });\n',
        "code/svc/node_modules/web": { link: "../../../packages/web" },
        "packages/web/package.json": '{ "name": "web", "exports": "./index.ts" }',
        "packages/web/index.ts": text,
      },
      settings,
    );
  expect(used("app.get(`${base}/health`, ok);")).toEqual([]);
  expect(used('if (path === "/health") ok();')).toEqual([]);
  expect(used('const routes = [{ path: "/health" }];')).toHaveLength(1);
  expect(used("await fetch(`${base}/health`);")).toHaveLength(1);
});

test("the container's own check is compared too, and the settings may say what is served", () => {
  const worker = (command: string) =>
    manifest(`variables: { BASE: /x }`).replace("image: {", `image: { healthcheck: { command: ${command} },`);
  const curl = worker('["CMD-SHELL", "curl -f http://localhost:8080/healthz || exit 1"]');
  const node = worker(
    `["CMD-SHELL", "node -e \\"fetch('http://127.0.0.1:'+process.env.PORT+'/healthz')\\""]`,
  );
  for (const text of [curl, node]) {
    expect(health('serve("/health")', text)).toEqual([
      expect.stringContaining(
        "svc/manifest.yml:3 unserved-health-path: ECS asks svc for /healthz, which its code",
      ),
    ]);
    expect(health('serve("/health")', text, "workloads: { svc: { health: [/healthz] } }\n")).toEqual([]);
    expect(health('serve("/health")', text, "workloads: { svc: { health: [/ok] } }\n")).toEqual([
      expect.stringContaining(
        "which is none of the paths that it serves: every task is replaced for ever. It serves /ok, says copilot-manifest.yml.",
      ),
    ]);
  }
  expect(health("", worker('["CMD", "pgrep", "node"]'))).toEqual([]);
});

const queue = (action: string) =>
  `Parameters: { App: { Type: String }, Env: { Type: String }, Name: { Type: String } }\nResources:\n  Access:\n    Type: AWS::IAM::ManagedPolicy\n    Properties: { PolicyDocument: { Statement: [{ Effect: Allow, Action: ["${action}"], Resource: "*" }] } }\nOutputs: { AccessArn: { Value: !Ref Access } }\n`;

test("a worker that prolongs its messages needs a policy for it, in its own addons", () => {
  const main =
    'import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";\nenv({ COPILOT_QUEUE_URI: z.string() });\nsend(new ChangeMessageVisibilityCommand({}));\n';
  const worker = (more: Record<string, string>, text = main) =>
    problemsBySettings(
      {
        "copilot/svc/manifest.yml":
          "name: svc\ntype: Worker Service\nimage: { build: { dockerfile: Dockerfile, args: { CODE: code/svc } } }\n",
        "code/svc/main.ts": text,
        ...more,
      },
      settings,
    );
  const refused =
    "copilot/svc/manifest.yml:1 missing-permission: The code of svc needs sqs:ChangeMessageVisibility, which Copilot does not give it: the call is refused. Allow it in a policy of copilot/svc/addons, on the worker's own queue.";
  expect(worker({})).toEqual([refused]);
  expect(worker({ "copilot/svc/addons/q.yml": queue("sqs:SendMessage") })).toEqual([refused]);
  for (const action of ["sqs:ChangeMessageVisibility", "sqs:Change*", "sqs:*"])
    expect(worker({ "copilot/svc/addons/q.yml": queue(action) })).toEqual([]);
  const patch = "- { op: add, path: /Resources/TaskRole/Properties/Policies/-, value: {} }\n";
  expect(worker({ "copilot/svc/overrides/cfn.patches.yml": patch })).toEqual([]);
  expect(worker({}, main.replaceAll("ChangeMessageVisibilityCommand", "DeleteMessageCommand"))).toEqual([]);
});
