import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Node } from "copilot-manifest";
import { parse } from "yaml";
import { CloudFormation } from "./cloud-formation.ts";
import { copilotCli, execute } from "./copilot-cli.ts";
import { deployedAccount } from "./deployed-account.ts";
import { scriptless } from "./env-controller.ts";
import { LinkError } from "./link-error.ts";
import { account } from "./names.ts";
import { validateReferences } from "./references.ts";
import { ofApplication, type Rendering } from "./render.ts";
import type { Finding } from "./report.ts";
import { environmentManifest, type Setting } from "./setting.ts";
import { standIn } from "./stand-in.ts";
import { parseTemplate, type Values } from "./template.ts";
import { UserError } from "./user-error.ts";

export interface PipelineOptions {
  pipeline: string;
  binary: string;
  /** Every environment and the pipeline, rendered. */
  rendering: Rendering;
  /** What runs instead of a command of the buildspec; by the command. */
  instead: Record<string, string>;
  say: (line: string) => void;
}

interface Buildspec {
  env?: { variables?: Record<string, string> };
  phases?: Record<string, { commands?: string[]; finally?: string[] }>;
  artifacts?: { files?: string[]; "base-directory"?: string };
}

/**
 * What CodeBuild and CodePipeline would do with a pipeline: the buildspec's phases in a checkout without history, then each
 * stage's stacks, from the artifacts, in the order of the pipeline's own template. Resolves to what went wrong.
 */
export async function rehearsePipeline(setting: Setting, options: PipelineOptions): Promise<Finding[]> {
  const { workspace, region, resolved } = setting;
  const { pipeline, binary, say } = options;
  const source = workspace.pipelines.get(pipeline);
  if (!source)
    throw new UserError(
      `There is no pipeline ${pipeline}.`,
      `There are: ${[...workspace.pipelines.keys()].join(", ")}.`,
    );
  const written = text(source.root && child(child(source.root, "build"), "buildspec"));
  const file = written ?? `${dirname(source.file)}/buildspec.yml`;
  // Outside the workspace: nothing above it may lend it a module.
  const scratch = mkdtempSync(join(tmpdir(), "copilot-check-"));
  const checkout = join(scratch, "source");
  const revision = await checkOut(setting.root, checkout);
  if (!existsSync(join(checkout, file)))
    return [{ file: source.file, message: `There is no buildspec ${file} in git.` }];
  const buildspec = parse(readFileSync(join(checkout, file), "utf8")) as Buildspec;

  const manifests = new Map(workspace.environments.map((name) => [name, environmentManifest(setting, name)]));
  const cloudAccount = deployedAccount({
    workspace,
    resolved,
    region,
    manifests,
    ...ofApplication(setting.config),
  });
  const aws = await standIn(cloudAccount, region);
  try {
    const cli = copilotCli(aws, { binary, root: checkout, scratch, region });
    const wrapper = join(scratch, "copilot");
    writeFileSync(wrapper, cli.script(setting.variables));
    chmodSync(wrapper, 0o755);
    const findings = await build(buildspec, {
      ...options,
      checkout,
      scratch,
      revision,
      wrapper,
      region,
      file,
    });
    if (findings.length > 0) return findings;
    say(`  ${aws.calls.length} calls of AWS`);
    return await deployStages(setting, options, checkout, cloudAccount.objects);
  } finally {
    await aws.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The committed state without its history, as CodePipeline hands it over. */
async function checkOut(root: string, target: string): Promise<string> {
  mkdirSync(target, { recursive: true });
  const archive = join(target, "..", "source.tar");
  const made = await execute("git", ["-C", root, "archive", "--output", archive, "HEAD"]);
  const unpacked = await execute("tar", ["-xf", archive, "-C", target]);
  const { code, stdout } = await execute("git", ["-C", root, "rev-parse", "HEAD"]);
  if (made.code !== 0 || unpacked.code !== 0 || code !== 0)
    throw new UserError(
      `The sources cannot be taken from git: ${made.stderr}${unpacked.stderr}`,
      "A pipeline is rehearsed in a git checkout.",
    );
  return stdout.trim();
}

interface BuildPlace extends PipelineOptions {
  checkout: string;
  scratch: string;
  revision: string;
  wrapper: string;
  region: string;
  file: string;
}

async function build(buildspec: Buildspec, place: BuildPlace): Promise<Finding[]> {
  const { pipeline, checkout, revision, wrapper, region, file, instead, say } = place;
  const env = {
    // How this machine reaches its registry stands in its environment; how it reaches AWS must not be known.
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    CODEBUILD_CI: "true",
    CODEBUILD_BUILD_ID: `${pipeline}:00000000-0000-0000-0000-000000000000`,
    CODEBUILD_BUILD_NUMBER: "1",
    CODEBUILD_INITIATOR: `codepipeline/pipeline-${pipeline}`,
    CODEBUILD_RESOLVED_SOURCE_VERSION: revision,
    CODEBUILD_SOURCE_VERSION: `arn:aws:s3:::artifacts/${pipeline}/source`,
    CODEBUILD_SRC_DIR: checkout,
    ...buildspec.env?.variables,
    // The pinned download is not tried here: the same file, already compared with its SHA-256, stands behind this name.
    COPILOT: wrapper,
  };
  for (const phase of ["install", "pre_build", "build", "post_build"]) {
    const { commands = [], finally: last = [] } = buildspec.phases?.[phase] ?? {};
    for (const written of [...commands, ...last]) {
      const command = instead[written] ?? written;
      const { code, ms, stdout, stderr } = await execute("/bin/sh", ["-c", command], {
        timeout: 3_600_000,
        cwd: checkout,
        env: { ...env, CODEBUILD_BUILD_SUCCEEDING: "1" },
      });
      say(
        `${code === 0 ? "✔" : "✘"} ${phase.padEnd(9)}  ${(ms / 1000).toFixed(1)} s  ${command}${command === written ? "" : `  (instead of ${written})`}`,
      );
      if (code !== 0)
        return [
          {
            file,
            message: `\`${command}\` of the phase ${phase} ended with exit code ${code}:\n${`${stdout}${stderr}`.slice(-2000)}`,
          },
        ];
    }
  }
  return [];
}

/** The pipeline's own CloudFormation actions, in their order, against the environments as they were rendered. */
async function deployStages(
  { workspace, region }: Setting,
  { pipeline, rendering, say }: PipelineOptions,
  artifacts: string,
  objects: Map<string, Buffer>,
): Promise<Finding[]> {
  const cloud = new CloudFormation({ place: { region, account }, custom: scriptless });
  for (const [key, object] of [...rendering.objects, ...objects]) cloud.objects.set(key, object);
  const key = { value: `arn:aws:kms:${region}:${account}:key/0`, stack: "application" };
  cloud.exports.set(`${workspace.application}-ArtifactKey`, key);
  const apply = async (
    name: string,
    template: string,
    given: Record<string, string>,
    tags: Record<string, string>,
  ): Promise<string | undefined> => {
    const stack = cloud.create(name, tags);
    try {
      const parsed = cloud.template(name, template);
      validateReferences(parsed);
      await cloud.apply(stack, parsed, cloud.parameters(parsed, given), tags, "CREATE");
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      stack.failure = error;
    }
    return stack.failure && `${stack.failure.path.join("/")}: ${stack.failure.message}`;
  };
  for (const { kind, stack, template, parameters, tags } of rendering.stacks)
    if (kind === "environment") await apply(stack, template, parameters, tags);
  const own = rendering.stacks.find((stack) => stack.kind === "pipeline" && stack.name === pipeline);
  const findings: Finding[] = [];
  for (const action of own ? actionsOf(own.template) : []) {
    const missing = [action.template, action.parameters].filter((file) => !existsSync(join(artifacts, file)));
    for (const file of missing)
      findings.push({ message: `The stage needs ${file}, which the build did not make.` });
    if (missing.length > 0) continue;
    const { Parameters = {}, Tags = {} } = JSON.parse(
      readFileSync(join(artifacts, action.parameters), "utf8"),
    ) as Record<string, Record<string, string> | undefined>;
    const refused = await apply(
      action.stack,
      readFileSync(join(artifacts, action.template), "utf8"),
      Parameters,
      Tags,
    );
    say(`${refused === undefined ? "✔" : "✘"} deploy     ${action.order}  ${action.stack}`);
    if (refused !== undefined) findings.push({ message: `${action.stack} is refused: ${refused}` });
  }
  return findings;
}

interface Action {
  order: number;
  stack: string;
  template: string;
  parameters: string;
}

/** Deploy actions of a rendered pipeline, stage by stage, by their run order. */
function actionsOf(template: string): Action[] {
  const { Resources } = parseTemplate("pipeline", template);
  const pipeline = Object.values(Resources).find(({ Type }) => Type === "AWS::CodePipeline::Pipeline");
  const stages = (pipeline?.Properties?.Stages ?? []) as {
    Actions?: { RunOrder?: number; Configuration?: Values }[];
  }[];
  return stages.flatMap(({ Actions = [] }) =>
    Actions.filter(({ Configuration }) => Configuration?.TemplatePath !== undefined)
      .map(({ RunOrder = 1, Configuration = {} }) => ({
        order: RunOrder,
        stack: String(Configuration.StackName),
        template: inArtifact(Configuration.TemplatePath),
        parameters: inArtifact(Configuration.TemplateConfiguration),
      }))
      .toSorted((a, b) => a.order - b.order),
  );
}

function inArtifact(path: unknown): string {
  return String(path).replace(/^[^:]*::/, "");
}

function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined;
}

function text(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? node.text : undefined;
}
