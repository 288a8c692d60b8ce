import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Node } from "copilot-manifest";
import { parse } from "yaml";
import { runPhases, type Buildspec } from "./code-build.ts";
import { copilotCli, execute } from "./copilot-cli.ts";
import { deployedAccount } from "./deployed-account.ts";
import { rehearseStages } from "./pipeline-stages.ts";
import { ofApplication, type Rendering } from "./render.ts";
import type { Finding } from "./report.ts";
import { environmentManifest, type Setting } from "./setting.ts";
import { standIn } from "./stand-in.ts";
import { UserError } from "./user-error.ts";

export interface PipelineOptions {
  pipeline: string;
  binary: string;
  /** Folder of the AWS CLI. */
  aws: string;
  /** The AWS clients of Lambda's runtime. */
  modules: string;
  /** Every environment and the pipeline, rendered. */
  rendering: Rendering;
  /** What runs instead of a command of the buildspec; by the command. */
  instead: Record<string, string>;
  say: (line: string) => void;
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
    const failed = await runPhases(buildspec, {
      checkout,
      revision,
      region,
      pipeline,
      instead: options.instead,
      say,
      // The pinned download is not tried here: the same file, already compared with its SHA-256, stands behind this name.
      variables: { COPILOT: wrapper },
    });
    if (failed !== undefined) return [{ file, message: failed }];
    say(`  ${aws.calls.length} calls of AWS`);
    const own = options.rendering.stacks.find(
      (stack) => stack.kind === "pipeline" && stack.name === pipeline,
    );
    return await rehearseStages(setting, {
      ...options,
      template: own?.template ?? "",
      checkout,
      revision,
      scratch,
      objects: new Map([...options.rendering.objects, ...cloudAccount.objects]),
    });
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

function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined;
}

function text(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? node.text : undefined;
}
