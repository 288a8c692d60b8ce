import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { at, entriesOf, itemsOf, textOf, type Workspace } from "copilot-manifest";
import { CloudFormation } from "./cloud-formation.ts";
import { applicationTemplate } from "./eject-application.ts";
import { deployScript, guide } from "./eject-texts.ts";
import { scriptless } from "./env-controller.ts";
import { LinkError } from "./link-error.ts";
import type { Linked } from "./link.ts";
import { account } from "./names.ts";
import { stackNeeds } from "./pipeline-order.ts";
import { validateReferences } from "./references.ts";
import type { RenderedStack, Rendering } from "./render.ts";
import type { Finding } from "./report.ts";
import type { Setting } from "./setting.ts";
import { UserError } from "./user-error.ts";

/** What only the account knows; the deploy script fills it in. */
const tokens = {
  account: "@ACCOUNT@",
  bucket: "@BUCKET@",
  key: "@KEY_ARN@",
  tag: "@IMAGE_TAG@",
  update: "@UPDATE_ID@",
  zone: "@DOMAIN_ZONE@",
};

/** Parameters of an environment that its workloads change by themselves when they are deployed. */
const grown = [
  "ALBWorkloads",
  "InternalALBWorkloads",
  "EFSWorkloads",
  "NATWorkloads",
  "AppRunnerPrivateWorkloads",
  "Aliases",
];

interface EjectedStack {
  stack: string;
  kind: "application" | "environment" | "workload";
}

/**
 * Writes a folder that deploys the workspace with nothing but the AWS CLI: templates, parameters, tags, uploaded code and
 * templates, the order, a script, and a guide. Pipelines stay behind: theirs is the CLI's own way of building.
 * @param environments the ones to write; all of their workloads go with them
 */
export function eject(
  setting: Setting,
  rendering: Rendering,
  linked: Linked,
  folder: string,
  environments: string[],
): EjectedStack[] {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, "order.txt")))
    throw new UserError(
      `${folder} is not empty, and no folder of an earlier eject.`,
      "Give another one with --out.",
    );
  rmSync(folder, { recursive: true, force: true });
  const { application } = setting.workspace;
  const { domain, permissionsBoundary } = setting.config;
  const bucket = [...rendering.objects.keys()][0]?.split("/")[0] ?? "";
  const hide = (text: string): string =>
    text
      .replaceAll(/arn:aws:kms:[\w-]+:\d{12}:key\/00000000-0000-0000-0000-000000000000/g, tokens.key)
      .replaceAll(bucket, tokens.bucket)
      .replaceAll(account, tokens.account)
      .replaceAll(/^(\s*UpdateID:) \S+$/gm, `$1 "${tokens.update}"`);
  const write = (file: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  };

  const stacks: EjectedStack[] = [{ stack: `${application}-application`, kind: "application" }];
  write(
    `templates/${application}-application.yml`,
    applicationTemplate(application, [...setting.workspace.workloads.keys()], domain),
  );
  const given = domain === undefined ? [] : [`DomainHostedZoneId=${tokens.zone}`];
  write(`parameters/${application}-application.json`, `${JSON.stringify(given)}\n`);
  write(`tags/${application}-application.txt`, `copilot-application=${application}\n`);
  for (const rendered of ordered(rendering.stacks, linked.cloud, environments)) {
    stacks.push({ stack: rendered.stack, kind: rendered.kind as EjectedStack["kind"] });
    write(`templates/${rendered.stack}.yml`, hide(rendered.template));
    const all = parametersOf(rendered, hide);
    const kept = all.filter(
      (pair) => rendered.kind !== "environment" || !grown.includes(pair.slice(0, pair.indexOf("="))),
    );
    write(
      `parameters/${rendered.stack}.json`,
      `${JSON.stringify(kept, undefined, 2)}
`,
    );
    if (kept.length < all.length)
      write(
        `parameters/${rendered.stack}.create.json`,
        `${JSON.stringify(all, undefined, 2)}
`,
      );
    const tags = Object.entries(rendered.tags).map(([key, value]) => `${key}=${value}\n`);
    write(`tags/${rendered.stack}.txt`, tags.join(""));
  }
  // Objects keep their keys, so that the templates find them; templates among them name the bucket too.
  for (const [key, object] of rendering.objects) {
    const file = `objects/${key.slice(key.indexOf("/") + 1)}`;
    write(file, /\.ya?ml$/.test(file) ? hide(object.toString()) : object);
  }
  write("order.txt", stacks.map(({ stack }) => `${stack}\n`).join(""));
  write("deploy.sh", deployScript(application, setting.region, domain));
  chmodSync(join(folder, "deploy.sh"), 0o755);
  write(
    "GUIDE.md",
    guide(application, setting.region, environments, {
      domain,
      permissionsBoundary,
      before: buildspecs(setting.workspace, "pre_deployments"),
      after: buildspecs(setting.workspace, "post_deployments"),
    }),
  );
  return stacks;
}

/** Builds of a pipeline's own that run before or after the stacks of a stage; they stay outside of the folder. */
function buildspecs({ pipelines }: Workspace, moment: "pre_deployments" | "post_deployments"): string[] {
  const stages = [...pipelines.values()].flatMap(({ root }) => itemsOf(at(root, "stages")));
  const found = stages.flatMap((stage) =>
    entriesOf(at(stage, moment)).flatMap(([, { value }]) => textOf(at(value, "buildspec")) ?? []),
  );
  return [...new Set(found)];
}

/** Environments first, then each workload after all whose topics or exports it reads. */
function ordered(stacks: RenderedStack[], cloud: CloudFormation, environments: string[]): RenderedStack[] {
  const ours = stacks.filter(
    ({ environment }) => environment !== undefined && environments.includes(environment),
  );
  const workloads = new Map(
    ours.filter(({ kind }) => kind === "workload").map((rendered) => [rendered.stack, rendered]),
  );
  const order = ours.filter(({ kind }) => kind === "environment");
  const visit = (name: string): void => {
    const rendered = workloads.get(name);
    if (!rendered) return;
    workloads.delete(name);
    const stack = cloud.find(name);
    if (stack) for (const owner of stackNeeds(stack, cloud).keys()) visit(owner);
    order.push(rendered);
  };
  for (const name of workloads.keys()) visit(name);
  return order;
}

/** `Key=Value`: the one form that every version of the AWS CLI reads from a file. */
function parametersOf({ parameters }: RenderedStack, hide: (text: string) => string): string[] {
  return Object.entries(parameters).map(([key, value]) => {
    const hidden = hide(value);
    return `${key}=${key === "ContainerImage" ? hidden.replace(/:checked$/, `:${tokens.tag}`) : hidden}`;
  });
}

/**
 * Reads an ejected folder back and deploys it, in its own order and without a second try, into an empty account of the
 * small CloudFormation: no CLI, nothing of the workspace.
 */
export async function linkEjected(
  folder: string,
  region: string,
): Promise<{ stacks: number; findings: Finding[] }> {
  const cloud = new CloudFormation({ place: { region, account }, custom: scriptless });
  const order = readFileSync(join(folder, "order.txt"), "utf8").split("\n").filter(Boolean);
  const known: Record<string, string> = {
    [tokens.account]: account,
    [tokens.tag]: "v1",
    [tokens.update]: "1",
    [tokens.zone]: "Z0",
  };
  const fill = (text: string): string => text.replaceAll(/@[A-Z_]+@/g, (token) => known[token] ?? token);
  const findings: Finding[] = [];
  for (const name of order) {
    const file = `templates/${name}.yml`;
    const stack = cloud.create(name);
    try {
      const template = cloud.template(file, fill(readFileSync(join(folder, file), "utf8")));
      validateReferences(template);
      const create = join(folder, `parameters/${name}.create.json`);
      const path = existsSync(create) ? create : join(folder, `parameters/${name}.json`);
      const list = JSON.parse(fill(readFileSync(path, "utf8"))) as string[];
      const given = Object.fromEntries(
        list.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
      );
      await cloud.apply(stack, template, cloud.parameters(template, given), {}, "CREATE");
      const { failure } = stack;
      if (failure)
        findings.push({
          file,
          line: failure.inStack === undefined ? template.at(failure.path).line : 1,
          message: `${name}: ${failure.message}`,
        });
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      findings.push({ file, message: `${name}: ${error.message}` });
    }
    const { PipelineBucket, KMSKeyARN } = stack.outputs;
    if (PipelineBucket === undefined || KMSKeyARN === undefined) continue;
    known[tokens.bucket] = PipelineBucket;
    known[tokens.key] = KMSKeyARN;
    upload(cloud, join(folder, "objects"), PipelineBucket, fill);
  }
  const resources = [...cloud.stacks.values()];
  return { stacks: resources.length, findings };
}

function upload(cloud: CloudFormation, folder: string, bucket: string, fill: (text: string) => string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    const key = path.slice(folder.length + 1).replaceAll("\\", "/");
    cloud.objects.set(
      `${bucket}/${key}`,
      /\.ya?ml$/.test(key) ? Buffer.from(fill(content.toString())) : content,
    );
  }
}
