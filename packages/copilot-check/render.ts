import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Resolved, Workspace } from "copilot-manifest";
import { copilotCli, reasonOf, type CopilotCli } from "./copilot-cli.ts";
import { deployedAccount } from "./deployed-account.ts";
import { stackNames } from "./names.ts";
import { inParallel } from "./pool.ts";
import { standIn } from "./stand-in.ts";

/** One stack as the CLI wrote it. */
export interface RenderedStack {
  kind: "environment" | "workload" | "pipeline";
  /** The environment's, workload's or pipeline's name. */
  name: string;
  /** Pipelines belong to no environment. */
  environment?: string;
  /** Its name in CloudFormation. */
  stack: string;
  template: string;
  parameters: Record<string, string>;
  tags: Record<string, string>;
  /** The merged addon template, as uploaded. */
  addons?: string;
}

export interface Rendering {
  stacks: RenderedStack[];
  /** What the CLI uploaded, by `bucket/key`. */
  objects: Map<string, Buffer>;
  failures: { what: string; reason: string; file: string }[];
  ms: number;
}

export interface RenderOptions {
  workspace: Workspace;
  resolved: Map<string, Resolved>;
  binary: string;
  region: string;
  domain?: string;
  permissionsBoundary?: string;
  variables: Record<string, string>;
  /** Text of each environment's manifest, by its name, variables filled in. */
  manifests: Map<string, string>;
  /** A folder of our own; emptied first. */
  scratch: string;
  /** One environment, and of its workloads and of the pipelines those with these names. Default: everything. */
  only?: { environment: string; names: string[] };
}

interface Task {
  kind: RenderedStack["kind"];
  name: string;
  environment?: string;
  /** The manifest's path. */
  file: string;
}

/** Renders every environment, workload × environment and pipeline with the real CLI, uploads included, beside each other. */
export async function render(options: RenderOptions): Promise<Rendering> {
  const start = performance.now();
  const { workspace, resolved, region, scratch, binary } = options;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const account = deployedAccount({
    workspace,
    resolved,
    region,
    manifests: options.manifests,
    ...ofApplication(options),
  });
  const aws = await standIn(account, region);
  try {
    const cli = copilotCli(aws, { binary, root: workspace.root, scratch, region });
    const failures: Rendering["failures"] = [];
    // yamlpatch overrides share nothing, so all may run at once.
    const stacks = await inParallel(
      tasksOf(workspace, options.only),
      availableParallelism() + 1,
      async (task) => {
        const outcome =
          task.kind === "pipeline" ? await pipeline(cli, task, options) : await packaged(cli, task, options);
        if ("template" in outcome) return [outcome];
        failures.push({ what: label(task), reason: outcome.reason, file: task.file });
        return [];
      },
    );
    return {
      stacks: stacks.flat(),
      objects: account.objects,
      failures,
      ms: Math.round(performance.now() - start),
    };
  } finally {
    await aws.close();
  }
}

/** What an application is made with, besides its name. */
export function ofApplication({
  domain,
  permissionsBoundary,
}: Pick<RenderOptions, "domain" | "permissionsBoundary">): Pick<
  RenderOptions,
  "domain" | "permissionsBoundary"
> {
  return {
    ...(domain === undefined ? {} : { domain }),
    ...(permissionsBoundary === undefined ? {} : { permissionsBoundary }),
  };
}

function label({ kind, name, environment }: Task): string {
  return kind === "workload" ? `${name} in ${environment}` : `${kind} ${name}`;
}

function tasksOf(workspace: Workspace, only: RenderOptions["only"]): Task[] {
  const environments = [...workspace.environmentManifests.values()];
  const wanted = ({ kind, name, environment }: Task): boolean =>
    only === undefined ||
    ((kind === "environment" || only.names.includes(name)) &&
      (environment === undefined || environment === only.environment));
  return [
    ...environments.map(({ name, file }): Task => ({ kind: "environment", name, environment: name, file })),
    ...environments.flatMap((environment) =>
      [...workspace.workloads.values()].map(({ name, file }): Task => ({
        kind: "workload",
        name,
        environment: environment.name,
        file,
      })),
    ),
    ...[...workspace.pipelines.values()].map(({ name, file }): Task => ({ kind: "pipeline", name, file })),
  ].filter(wanted);
}

type Outcome = RenderedStack | { reason: string };

async function packaged(
  cli: CopilotCli,
  task: Task,
  { workspace, scratch, variables }: RenderOptions,
): Promise<Outcome> {
  const { kind, name, environment = "" } = task;
  const { application } = workspace;
  const out = join(scratch, "out", environment, kind === "environment" ? "environment" : name);
  const type = workspace.workloads.get(name)?.type;
  const command = kind === "environment" ? "env" : type === "Scheduled Job" ? "job" : "svc";
  const args = [command, "package", "--name", name, "--output-dir", out, "--upload-assets"];
  if (kind === "workload") args.push("--env", environment, "--tag", "checked");
  const run = await cli.run(args, variables);
  if (run.code !== 0) return { reason: reasonOf(run) };
  const files = existsSync(out) ? readdirSync(out) : [];
  const read = (pattern: RegExp): string | undefined => {
    const file = files.find((candidate) => pattern.test(candidate));
    return file === undefined ? undefined : readFileSync(join(out, file), "utf8");
  };
  const template = read(kind === "environment" ? /\.env\.yml$/ : /(?<!addons)\.stack\.yml$/);
  if (template === undefined)
    return { reason: `${args.join(" ")} wrote no template, but ${files.join(", ")}` };
  const given = JSON.parse(read(/\.params\.json$/) ?? "{}") as {
    Parameters?: Record<string, string>;
    Tags?: Record<string, string>;
  };
  const addons = read(/addons(?:\.stack)?\.yml$/);
  const stack =
    kind === "environment"
      ? stackNames.environment(application, name)
      : stackNames.workload(application, environment, name);
  const parameters = given.Parameters ?? {};
  return {
    kind,
    name,
    environment,
    stack,
    template,
    parameters,
    tags: given.Tags ?? {},
    ...(addons === undefined ? {} : { addons }),
  };
}

/** There is no `pipeline package`: the difference to nothing is the template. It ends at the question whether to go on. */
async function pipeline(
  cli: CopilotCli,
  { kind, name }: Task,
  { workspace, variables }: RenderOptions,
): Promise<Outcome> {
  const run = await cli.run(["pipeline", "deploy", "--name", name, "--diff"], variables);
  const added = run.stdout.split("\n").filter((line) => line.startsWith("+ "));
  if (added.length === 0) return { reason: reasonOf(run) };
  const template = `${added.map((line) => line.slice(2)).join("\n")}\n`;
  return {
    kind,
    name,
    stack: stackNames.pipeline(workspace.application, name),
    template,
    parameters: {},
    tags: {},
  };
}
