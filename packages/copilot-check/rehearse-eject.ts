import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CloudFormation } from "./cloud-formation.ts";
import { copilotCli, execute, offline, reasonOf, type CopilotCli } from "./copilot-cli.ts";
import type { ScriptRun } from "./custom-resources.ts";
import { stackNames } from "./names.ts";
import { deployAll, makeApplication, makeEnvironment } from "./rehearse-deploy.ts";
import type { Finding } from "./report.ts";
import type { Setting } from "./setting.ts";
import type { StandIn } from "./stand-in.ts";
import { copyWorkspace } from "./workspace-copy.ts";
import { rehearsedAccount } from "./rehearsed-account.ts";

export interface EjectOptions {
  environment: string;
  /** The ejected folder. */
  folder: string;
  /** The Copilot CLI. */
  binary: string;
  /** Folder of the AWS CLI. */
  aws: string;
  /** The AWS clients of Lambda's runtime. */
  modules: string;
  say: (line: string) => void;
}

/**
 * The ejected folder's own script with the real AWS CLI: first into an empty account, then over what the Copilot CLI
 * deployed, where nothing may be made anew, and back to the Copilot CLI. Resolves to what went wrong.
 */
export async function rehearseEject(setting: Setting, options: EjectOptions): Promise<Finding[]> {
  const { folder, environment } = options;
  const { application } = setting.workspace;
  const own = stackNames.environment(application, environment);
  const order = readFileSync(join(folder, "order.txt"), "utf8").split("\n").filter(Boolean);
  const stacks = order.filter((name) => name === own || name.startsWith(`${own}-`));
  return [
    ...(await inAccount(setting, options, "empty", (stage) =>
      start(stage, [`${application}-application`, ...stacks]),
    )),
    ...(await inAccount(setting, options, "copilot", (stage) => leaveAndComeBack(setting, stage, stacks))),
  ];
}

interface Stage extends EjectOptions {
  cloud: CloudFormation;
  standIn: StandIn;
  cli: CopilotCli;
  scratch: string;
  region: string;
}

async function inAccount(
  setting: Setting,
  options: EjectOptions,
  name: string,
  work: (stage: Stage) => Promise<Finding[]>,
): Promise<Finding[]> {
  const { region, folders } = setting;
  const scratch = join(folders.local, "check", `eject-${name}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const scripts: ScriptRun[] = [];
  const { cloud, aws } = await rehearsedAccount(setting, {
    modules: options.modules,
    scratch,
    runs: scripts,
  });
  try {
    const { root } = copyWorkspace(setting.root, join(scratch, "workspace"));
    const cli = copilotCli(aws, { binary: options.binary, root, scratch, region });
    const findings = await work({ ...options, cloud, standIn: aws, cli, scratch, region });
    options.say(`  ${scripts.length} runs of custom-resource scripts`);
    return findings;
  } finally {
    await aws.close();
  }
}

async function start(stage: Stage, stacks: string[]): Promise<Finding[]> {
  return [...(await deploy(stage, stacks, "an empty account")), ...incomplete(stage, stacks)];
}

async function leaveAndComeBack(setting: Setting, stage: Stage, stacks: string[]): Promise<Finding[]> {
  const { environment, cli, cloud } = stage;
  const copilot = async (args: string[], note: string): Promise<Finding[]> => {
    const run = await cli.run(args, setting.variables);
    stage.say(
      `${run.code === 0 ? "✔" : "✘"} ${(run.ms / 1000).toFixed(1).padStart(5)} s  copilot ${args.slice(0, 4).join(" ")}  (${note})`,
    );
    return run.code === 0 ? [] : [{ message: `copilot ${args.join(" ")} (${note}): ${reasonOf(run)}` }];
  };
  for (const args of [
    makeApplication(setting),
    ...makeEnvironment(environment, setting.region),
    deployAll(setting, environment),
  ]) {
    const findings = await copilot(args, "before");
    if (findings.length > 0) return findings;
  }
  const before = identities(cloud, stacks);
  const findings = [...(await deploy(stage, stacks, "what Copilot deployed")), ...incomplete(stage, stacks)];
  const after = identities(cloud, stacks);
  for (const [what, id] of before)
    if (after.get(what) !== id)
      findings.push({
        message: `${what} was ${id} and is ${after.get(what) ?? "gone"}: it would be made anew.`,
      });
  for (const what of after.keys())
    if (!before.has(what)) findings.push({ message: `${what} is there only without the Copilot CLI.` });
  const workload = stacks
    .at(-1)
    ?.slice(`${stackNames.environment(setting.workspace.application, environment)}-`.length);
  return [
    ...findings,
    ...(await copilot(["env", "deploy", "--name", environment], "and back")),
    ...(await copilot(
      ["deploy", "--name", workload ?? "", "--env", environment, "--tag", "rehearsed"],
      "and back",
    )),
  ];
}

async function deploy(stage: Stage, stacks: string[], where: string): Promise<Finding[]> {
  const cert = join(stage.scratch, "cert.pem");
  writeFileSync(cert, stage.standIn.cert);
  const env = offline(stage.standIn, { cert, home: stage.scratch, region: stage.region, path: stage.aws });
  const run = await execute("sh", [join(stage.folder, "deploy.sh"), ...stacks], {
    env: { ...env, IMAGE_TAG: "rehearsed" },
    timeout: 600_000,
  });
  stage.say(
    `${run.code === 0 ? "✔" : "✘"} ${(run.ms / 1000).toFixed(1).padStart(5)} s  deploy.sh with ${stacks.length} stacks into ${where}`,
  );
  return run.code === 0
    ? []
    : [{ file: "deploy.sh", message: `ended with exit code ${run.code}: ${run.stderr.trim().slice(-1000)}` }];
}

function incomplete({ cloud }: Stage, stacks: string[]): Finding[] {
  return stacks.flatMap((name) => {
    const stack = cloud.find(name);
    if (stack && /^(?:CREATE|UPDATE)_COMPLETE$/.test(stack.status)) return [];
    return [
      {
        message: `${name} is ${stack?.status ?? "missing"}: ${stack?.failure?.message ?? "without a reason"}`,
      },
    ];
  });
}

/** Which thing a logical id stands for. A task definition has a revision more after each change: no loss. */
function identities(cloud: CloudFormation, stacks: string[]): Map<string, string> {
  return new Map(
    stacks.flatMap((name) =>
      [...(cloud.find(name)?.resources.values() ?? [])]
        .filter(({ type }) => type !== "AWS::ECS::TaskDefinition")
        .map(({ logicalId, ref }) => [`${logicalId} of ${name}`, ref] as const),
    ),
  );
}
