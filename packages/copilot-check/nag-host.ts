import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Runs in a process of its own: `node nag-host.ts <node_modules of cdk-nag> <template.json>…`, and writes what cdk-nag finds
// to stdout as `[{ template, rule, resource, message }]`, the
// template by its number. The CDK is loaded by path: it belongs to no package of the workspace.
const [, , modules = "", ...templates] = process.argv;
const load = createRequire(join(modules, "package.json"));

interface Cdk {
  App: new (properties: object) => { synth(): void };
  Stack: new (app: unknown, id: string) => object;
  Validations: { of(app: unknown): { addPlugins(...plugins: unknown[]): void } };
}
interface Include {
  CfnInclude: new (scope: unknown, id: string, properties: { templateFile: string }) => unknown;
}
type Packs = Record<"AwsSolutionsChecks" | "ServerlessChecks", new (app: unknown) => unknown>;

interface Report {
  pluginReports: {
    violations: { ruleName: string; description: string; violatingConstructs: { constructPath: string }[] }[];
  }[];
}

const cdk = load("aws-cdk-lib") as Cdk;
const { CfnInclude } = load("aws-cdk-lib/cloudformation-include") as Include;
const packs = load("cdk-nag") as Packs;
const outdir = mkdtempSync(join(tmpdir(), "copilot-check-nag-"));
const app = new cdk.App({
  outdir,
  context: { "@aws-cdk/core:validationReportJson": true },
  analyticsReporting: false,
});
for (const [i, templateFile] of templates.entries()) {
  const stack = new cdk.Stack(app, `template${i}`);
  // oxlint-disable-next-line no-new -- the constructor puts the template into the stack
  new CfnInclude(stack, "included", { templateFile });
}
cdk.Validations.of(app).addPlugins(new packs.AwsSolutionsChecks(app), new packs.ServerlessChecks(app));
try {
  app.synth();
} catch {
  // With a finding it ends in an exception, after the report is written.
}
const report = JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8")) as Report;
const found = report.pluginReports.flatMap(({ violations }) =>
  violations.flatMap(({ ruleName, description, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => {
      const [template = "", , resource] = constructPath.split("/");
      return {
        template: Number(template.replace("template", "")),
        rule: ruleName,
        resource,
        message: description,
      };
    }),
  ),
);
process.stdout.write(JSON.stringify(found));
rmSync(outdir, { recursive: true });
