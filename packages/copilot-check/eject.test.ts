import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readWorkspace } from "copilot-manifest";
import { expect, test } from "vitest";
import { eject, linkEjected } from "./eject.ts";
import { link } from "./link.ts";
import type { RenderedStack, Rendering } from "./render.ts";
import type { Setting } from "./setting.ts";
import { folderOf } from "./testing.ts";

const addons =
  "Parameters: {App: {Type: String}}\nResources: {Mail: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs24.x, Code: {S3Bucket: bucket, S3Key: code/mail}}}}\n";

const stack = (
  kind: RenderedStack["kind"],
  name: string,
  template: string,
  parameters: Record<string, string> = {},
): RenderedStack => ({
  kind,
  name,
  environment: "test",
  stack: kind === "environment" ? "shop-test" : `shop-test-${name}`,
  template,
  parameters,
  tags: { "copilot-application": "shop", "copilot-environment": "test" },
});

/** `api` reads what `zed` exports, and an addon template of the bucket. */
const rendering: Rendering = {
  ms: 0,
  failures: [],
  objects: new Map([
    ["bucket/addons/api.yml", Buffer.from(addons)],
    ["bucket/code/mail", Buffer.from("code")],
  ]),
  stacks: [
    stack(
      "environment",
      "test",
      "Parameters: {ALBWorkloads: {Type: String}, AppName: {Type: String}}\nResources: {Cluster: {Type: AWS::ECS::Cluster}}\n",
      {
        ALBWorkloads: "",
        AppName: "shop",
      },
    ),
    stack(
      "workload",
      "api",
      "Parameters: {Url: {Type: String}, ContainerImage: {Type: String}}\nResources:\n    Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue zed}}\n    Role: {Type: AWS::IAM::Role, Properties: {RoleName: 'arn:aws:iam::123456789012:x'}}\n    Addons: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !Ref Url, Parameters: {App: shop}}}\n    Action:\n        Type: Custom::DynamicDesiredCountFunction\n        Properties:\n            UpdateID: 98d6adaa\n",
      {
        Url: "https://bucket.s3.ap-northeast-1.amazonaws.com/addons/api.yml",
        ContainerImage: "123456789012.dkr.ecr.x/shop/api:checked",
      },
    ),
    stack(
      "workload",
      "zed",
      "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {Z: {Value: z, Export: {Name: zed}}}\n",
    ),
  ],
};

async function ejected(config: Setting["config"] = {}): Promise<string> {
  const root = folderOf({
    "copilot/.workspace": "application: shop\n",
    "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
    "copilot/api/manifest.yml": "name: api\ntype: Backend Service\n",
    "copilot/pipelines/main/manifest.yml":
      "name: main\nversion: 1\nstages:\n  - name: test\n    pre_deployments:\n      schema: { buildspec: schema.yml }\n",
  });
  const workspace = readWorkspace(root);
  const region = "ap-northeast-1";
  const linked = await link({ workspace, resolved: new Map(), rendering, region, rendered: "rendered" });
  expect(linked.problems).toEqual([]);
  const folder = join(folderOf({}), "out");
  eject({ workspace, region, config } as Setting, rendering, linked, folder, ["test"]);
  return folder;
}

const read = (folder: string, file: string): string => readFileSync(join(folder, file), "utf8");

test("an ejected folder links in its own order, with nothing of the workspace", async () => {
  const folder = await ejected();
  expect(read(folder, "order.txt").trim().split("\n")).toEqual([
    "shop-application",
    "shop-test",
    "shop-test-zed",
    "shop-test-api",
  ]);
  expect(await linkEjected(folder, "ap-northeast-1")).toEqual({ stacks: 5, findings: [] });
});

test("the guide names what the pipelines ran around the stacks, which the script does not", async () => {
  expect(read(await ejected(), "GUIDE.md")).toContain(
    "ran before the stacks of a release `schema.yml`: `deploy.sh` does not.",
  );
});

test("nothing of the made-up account is left in it", async () => {
  const folder = await ejected();
  expect(read(folder, "templates/shop-test-api.yml")).toContain("arn:aws:iam::@ACCOUNT@:x");
  expect(read(folder, "templates/shop-test-api.yml")).toContain('UpdateID: "@UPDATE_ID@"');
  expect(read(folder, "parameters/shop-test-api.json")).toContain("@ACCOUNT@.dkr.ecr.x/shop/api:@IMAGE_TAG@");
  expect(read(folder, "parameters/shop-test-api.json")).toContain("https://@BUCKET@.s3.");
  expect(read(folder, "objects/addons/api.yml")).toContain("S3Bucket: @BUCKET@");
});

test("with a domain the application brings its zone, delegated from the domain's own, and the role that writes into both", async () => {
  const folder = await ejected({ domain: "shop.example" });
  expect(read(folder, "parameters/shop-application.json")).toBe('["DomainHostedZoneId=@DOMAIN_ZONE@"]\n');
  expect(read(folder, "deploy.sh")).toContain("--dns-name shop.example");
  expect(read(folder, "templates/shop-application.yml")).toContain("RoleName: shop-DNSDelegationRole");
  expect((await linkEjected(folder, "ap-northeast-1")).findings).toEqual([]);
});

test("what workloads change by themselves is given to an environment once, when it is made", async () => {
  const folder = await ejected();
  expect(read(folder, "parameters/shop-test.json")).not.toContain("ALBWorkloads");
  expect(read(folder, "parameters/shop-test.create.json")).toContain("ALBWorkloads");
});

test("a folder that does not deploy is told so: a lost object, a wrong order", async () => {
  const lost = await ejected();
  rmSync(join(lost, "objects/addons/api.yml"));
  const { findings } = await linkEjected(lost, "ap-northeast-1");
  expect(findings).toMatchObject([
    {
      file: "templates/shop-test-api.yml",
      message: expect.stringContaining("There is no object at https://"),
    },
  ]);
  const turned = await ejected();
  writeFileSync(join(turned, "order.txt"), "shop-application\nshop-test\nshop-test-api\nshop-test-zed\n");
  expect((await linkEjected(turned, "ap-northeast-1")).findings).toMatchObject([
    { line: 3, message: "shop-test-api: No stack exports zed." },
  ]);
});

test("a folder with other things in it is not emptied", async () => {
  const folder = folderOf({ "letters.txt": "dear" });
  const workspace = readWorkspace(folderOf({}));
  expect(() => eject({ workspace, config: {} } as Setting, rendering, {} as never, folder, ["test"])).toThrow(
    "is not empty",
  );
  expect(read(folder, "letters.txt")).toBe("dear");
});
