import { expect, test } from "vitest";
import { readAddons } from "./index.ts";
import { environmentManifest, minimal, problemsOf, workspaceOf } from "./testing.ts";

const one = (text: string): unknown => expect.stringContaining(text);
const parameters =
  "Parameters:\n  App: { Type: String }\n  Env: { Type: String }\n  Name: { Type: String }\n";
const bucket = (id: string, more = "") =>
  `${parameters}Resources:\n  ${id}:\n    Type: AWS::S3::Bucket\n${more}`;
const service = { "copilot/svc/manifest.yml": minimal.backend };
const addon = (files: Record<string, string>) => {
  return {
    ...service,
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`copilot/svc/addons/${name}`, text])),
  };
};
const stacksOf = (files: Parameters<typeof workspaceOf>[0]) => readAddons(workspaceOf(files), "test");

test("the yml and yaml files at the top of a folder are one template; anything else in it is not read", () => {
  const [stack] = stacksOf(
    addon({ "a.yml": bucket("A"), "b.yaml": bucket("B"), "README.md": "#", "sub/c.yml": bucket("C") }),
  );
  expect(stack).toMatchObject({
    workload: "svc",
    files: ["copilot/svc/addons/a.yml", "copilot/svc/addons/b.yaml"],
    problems: [],
  });
  expect([...(stack?.resources.keys() ?? [])]).toEqual(["A", "B"]);
});

test("the environment's stack comes first and belongs to no workload", () => {
  const stacks = stacksOf({
    ...addon({ "a.yml": bucket("A") }),
    "copilot/environments/addons/b.yml": bucket("B"),
  });
  expect(stacks.map(({ workload }) => workload)).toEqual([undefined, "svc"]);
});

test("links to a file and to a folder are followed", () => {
  const stacks = stacksOf({
    ...service,
    "copilot/web/manifest.yml": minimal.backend.replace("svc", "web"),
    "copilot/addons/storage.yml": bucket("A"),
    "copilot/svc/addons/storage.yml": { link: "../../addons/storage.yml" },
    "copilot/web/addons": { link: "../addons" },
  });
  expect(stacks.map(({ workload, resources }) => [workload, [...resources.keys()]])).toEqual([
    ["svc", ["A"]],
    ["web", ["A"]],
  ]);
});

test("a link that leads nowhere, and a link that the checkout did not keep, are said", () => {
  expect(problemsOf({ ...service, "copilot/svc/addons/a.yml": { link: "../../addons/a.yml" } })).toEqual([
    one("copilot/svc/addons/a.yml:1 link: This link leads nowhere."),
  ]);
  expect(problemsOf(addon({ "a.yml": "../../addons/a.yml" }))).toContainEqual(
    one("a symbolic link that this checkout did not keep"),
  );
});

test("the same name with the same content is one resource, with another content an error at both places", () => {
  expect(problemsOf(addon({ "a.yml": bucket("A"), "b.yml": bucket("A") }))).toEqual([]);
  const other = bucket("A").replace("S3::Bucket", "SNS::Topic");
  expect(problemsOf(addon({ "a.yml": bucket("A"), "b.yml": other }))).toEqual([
    one(
      "copilot/svc/addons/b.yml:6 addon-conflict: `A` is also in copilot/svc/addons/a.yml:6, with another content",
    ),
  ]);
});

test("a parameter that two files describe differently is an error", () => {
  const other = bucket("B").replace("App: { Type: String }", "App: { Type: String, Description: x }");
  expect(problemsOf(addon({ "a.yml": bucket("A"), "b.yml": other }))).toEqual([
    one("b.yml:2 addon-conflict: `App`"),
  ]);
});

test("two files may add columns to one mapping", () => {
  const mapping = (column: string) => `Mappings:\n  M:\n    ${column}: { Size: 1 }\n`;
  const [stack] = stacksOf(
    addon({ "a.yml": bucket("A", mapping("test")), "b.yml": bucket("B", mapping("prod")) }),
  );
  expect(stack?.problems).toEqual([]);
  const table = stack?.mappings?.entries.get("M")?.value;
  expect(table?.kind === "map" && [...table.entries.keys()]).toEqual(["test", "prod"]);
});

test("App, Env and, for a workload, Name must be declared", () => {
  const bare = "Resources:\n  A:\n    Type: AWS::S3::Bucket\n";
  expect(problemsOf(addon({ "a.yml": bare }))).toHaveLength(3);
  const files = {
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
    "copilot/environments/addons/a.yml": bare,
  };
  expect(problemsOf(files)).toEqual([one("the parameter `App`"), one("the parameter `Env`")]);
});

test("addons.parameters.yml answers every parameter without default, nothing else, and no reserved one", () => {
  const template = bucket("A").replace(
    "Parameters:\n",
    "Parameters:\n  Given: { Type: String }\n  Free: { Type: String, Default: x }\n",
  );
  expect(
    problemsOf(
      addon({ "a.yml": template, "addons.parameters.yml": "Parameters:\n  Given: !Ref TaskRole\n" }),
    ),
  ).toEqual([]);
  expect(problemsOf(addon({ "a.yml": template }))).toEqual([
    one("a.yml:2 addon-parameter: The parameter `Given` has neither a Default nor a value"),
  ]);
  const wrong = "Parameters:\n  Given: a\n  Other: b\n  App: c\n";
  expect(problemsOf(addon({ "a.yml": template, "addons.parameters.yml": wrong }))).toEqual([
    one(
      "addons.parameters.yml:3 addon-parameter: No template of this folder declares the parameter `Other`.",
    ),
    one("addons.parameters.yml:4 addon-parameter: Copilot gives `App` itself."),
  ]);
  expect(problemsOf(addon({ "a.yml": bucket("A"), "addons.parameters.yml": "Params: {}\n" }))).toEqual([
    one("must have the key `Parameters`"),
  ]);
});

test("a reference to a name that the merged template does not have is an error with the nearest name", () => {
  const outputs =
    "Outputs:\n  Name: { Value: !Ref Buckte }\n  Arn: { Value: !Sub '${Bucket.Arn}/${Evn}' }\n  At: { Value: !GetAtt Bukcet.Arn }\n";
  expect(problemsOf(addon({ "a.yml": bucket("Bucket", outputs) }))).toEqual([
    one(
      "a.yml:9 unknown-reference: The template has no parameter or resource `Buckte`. Did you mean `Bucket`?",
    ),
    one("a.yml:10 unknown-reference: The template has no parameter or resource `Evn`. Did you mean `Env`?"),
    one(
      "a.yml:11 unknown-reference: The template has no parameter or resource `Bukcet`. Did you mean `Bucket`?",
    ),
  ]);
});

test("a mapping without a column for one environment is an error for that environment", () => {
  const template = bucket(
    "A",
    "    Properties:\n      BucketName: !FindInMap [Sizes, !Ref Env, Name]\nMappings:\n  Sizes:\n    test: { Name: a }\n",
  );
  const environments = {
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
    "copilot/environments/prod/manifest.yml": environmentManifest("prod"),
  };
  expect(problemsOf({ ...addon({ "a.yml": template }), ...environments })).toEqual([
    one("a.yml:9 mapping: !FindInMap [Sizes, prod, Name] finds nothing for prod."),
  ]);
});

test("an output that becomes a variable which the manifest sets too is an error", () => {
  const files = {
    ...addon({ "a.yml": bucket("A", "Outputs:\n  BucketName: { Value: !Ref A }\n") }),
    "copilot/svc/manifest.yml": `${minimal.backend}variables: { BUCKET_NAME: x }\n`,
  };
  expect(problemsOf(files)).toEqual([
    one(
      "a.yml:9 injected-variable: Copilot gives this output to svc as BUCKET_NAME, which its manifest sets too.",
    ),
  ]);
});

test("from_cfn of a name that is nearly an export of this workspace is an error; of any other stack's it is not", () => {
  const environment = bucket(
    "Database",
    "Outputs:\n  Host: { Value: x, Export: { Name: !Sub '${App}-${Env}-DatabaseHost' } }\n",
  ).replace("  Name: { Type: String }\n", "");
  const manifest = (name: string) =>
    `${minimal.backend}variables:\n  HOST: { from_cfn: "\${COPILOT_APPLICATION_NAME}-\${COPILOT_ENVIRONMENT_NAME}-${name}" }\n`;
  const files = (name: string) => ({
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
    "copilot/environments/addons/a.yml": environment,
    "copilot/svc/manifest.yml": manifest(name),
  });
  expect(problemsOf(files("DatabaseHost"))).toEqual([]);
  expect(problemsOf(files("VpcId"))).toEqual([]);
  expect(problemsOf(files("DatabseHost"))).toEqual([
    one(
      "svc/manifest.yml:6 unknown-export: No stack of this workspace exports shop-test-DatabseHost. Did you mean `shop-test-DatabaseHost`?",
    ),
  ]);
});

test("two stacks of one environment that export the same name are an error", () => {
  const outputs = "Outputs:\n  Host: { Value: x, Export: { Name: !Sub '${App}-${Env}-Host' } }\n";
  const files = {
    ...addon({ "a.yml": bucket("A", outputs) }),
    "copilot/environments/addons/a.yml": bucket("B", outputs).replace("  Name: { Type: String }\n", ""),
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
  };
  expect(problemsOf(files)).toEqual([
    one("duplicate-export: Two stacks of this environment export shop-test-Host."),
  ]);
});
