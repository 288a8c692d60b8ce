import { expect, test } from "vitest";
import { environmentManifest, problemsOf } from "./testing.ts";

const web = (name: string, http: string) => ({
  [`copilot/${name}/manifest.yml`]: `name: ${name}\ntype: Load Balanced Web Service\nimage: { build: Dockerfile, port: 80 }\nhttp: { ${http} }\n`,
});
const environment = (text = "") => ({
  "copilot/environments/prod/manifest.yml": `${environmentManifest("prod")}${text}`,
});
const certificates =
  'http: { public: { certificates: ["arn:aws:acm:eu-west-1:111122223333:certificate/x"] } }\n';

test("an environment with certificates of its own takes only services with a name", () => {
  expect(problemsOf({ ...environment(certificates), ...web("a", "path: /") })).toEqual([
    "copilot/a/manifest.yml:4 alias: prod imports certificates, and a has no name there: Copilot refuses to deploy it. Write `alias` with a name of the certificate.",
  ]);
  expect(problemsOf({ ...environment(certificates), ...web("a", "path: /, alias: a.example.com") })).toEqual(
    [],
  );
  expect(problemsOf({ ...environment(), ...web("a", "path: /") })).toEqual([]);
  expect(problemsOf({ ...environment(certificates), ...web("a", "path: /, alb: shared") })).toEqual([]);
  const rules = "path: /, alias: a.example.com, additional_rules: [{ path: b }]";
  expect(problemsOf({ ...environment(certificates), ...web("a", rules) })).toHaveLength(1);
  expect(
    problemsOf({ ...environment('cdn: { certificate: "arn:x" }\n'), ...web("a", "path: /") }),
  ).toHaveLength(1);
});

test("a name's hosted zone needs certificates of the environment", () => {
  const zoned = "path: /, alias: [{ name: a.example.com, hosted_zone: Z1 }]";
  expect(problemsOf({ ...environment(), ...web("a", zoned) })).toEqual([
    "copilot/a/manifest.yml:4 alias: The alias of a has a `hosted_zone`, and prod imports no certificates: Copilot refuses to deploy it. Write `http.public.certificates` in the manifest of prod, or leave the zone out.",
  ]);
  expect(problemsOf({ ...environment(certificates), ...web("a", zoned) })).toEqual([]);
  expect(problemsOf(web("a", zoned))).toEqual([]);
});

test("a network load balancer has no name where certificates are imported", () => {
  const nlb = web("a", "path: /, alias: a.example.com");
  const named = {
    "copilot/a/manifest.yml": `${nlb["copilot/a/manifest.yml"]}nlb: { port: 80/tcp, alias: n.example.com }\n`,
  };
  expect(problemsOf({ ...environment(certificates), ...named })).toEqual([
    "copilot/a/manifest.yml:5 alias: prod imports certificates, and a has an `nlb.alias`: Copilot refuses the two together. Leave the alias out, or the certificates of prod.",
  ]);
  expect(problemsOf({ ...environment(), ...named })).toEqual([]);
});

test("two services that answer the same path of the same name are an error", () => {
  const named = (path: string, alias: string) => `path: ${path}, alias: ${alias}`;
  expect(
    problemsOf({
      ...web("a", named("/", "x.example.com")),
      ...web("b", named("/", "[y.example.com, X.example.com]")),
    }),
  ).toEqual([
    "copilot/b/manifest.yml:4 duplicate-path: b and a both answer / of X.example.com: one of the two never gets a request. Give one of them another `path` or `alias`.",
  ]);
  expect(
    problemsOf({ ...web("a", named("/", "x.example.com")), ...web("b", named("b", "x.example.com")) }),
  ).toEqual([]);
  expect(
    problemsOf({ ...web("a", named("/b/", "x.example.com")), ...web("b", named("b", "x.example.com")) }),
  ).toHaveLength(1);
  const from = (address: string) => `${named("/", "x.example.com")}, allowed_source_ips: [${address}]`;
  expect(problemsOf({ ...web("a", from("10.0.0.0/8")), ...web("b", from("11.0.0.0/8")) })).toEqual([]);
  // Without an alias each has a name of its own from the application's domain.
  expect(problemsOf({ ...web("a", "path: /"), ...web("b", "path: /") })).toEqual([]);
  expect(problemsOf({ ...web("a", named("/", '"${HOST}"')), ...web("b", named("/", '"${HOST}"')) })).toEqual(
    [],
  );
  expect(
    problemsOf({
      ...web("a", `${named("/", "x.example.com")}, alb: one`),
      ...web("b", named("/", "x.example.com")),
    }),
  ).toEqual([]);
});

test("an addon that asks an imported network for Copilot's is an error", () => {
  const files = (network: string, value: string) => ({
    ...environment(network),
    "copilot/environments/addons/db.yml":
      "Parameters: { App: { Type: String }, Env: { Type: String }, Net: { Type: String } }\nResources: { Db: { Type: AWS::EC2::SecurityGroup, Properties: { VpcId: !Ref Net } } }\n",
    "copilot/environments/addons/addons.parameters.yml": `Parameters:\n  Net: ${value}\n`,
  });
  const imported = "network: { vpc: { id: vpc-1, subnets: { private: [{ id: subnet-1 }] } } }\n";
  expect(problemsOf(files(imported, "!Ref VPC"))).toEqual([
    "copilot/environments/addons/addons.parameters.yml:2 unknown-reference: prod imports its network, and its stack has no `VPC`. Write `!GetAtt EnvironmentSecurityGroup.VpcId`, which every environment has.",
  ]);
  expect(problemsOf(files(imported, "!Join [',', [!Ref PrivateSubnet1, x]]"))).toHaveLength(1);
  expect(problemsOf(files(imported, "!GetAtt EnvironmentSecurityGroup.VpcId"))).toEqual([]);
  expect(problemsOf(files("", "!Ref VPC"))).toEqual([]);
});
