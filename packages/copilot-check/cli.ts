#!/usr/bin/env node
import { join, resolve as resolvePath } from "node:path";
import { parseArgs } from "node:util";
import { renderAll, runCheck } from "./check.ts";
import { eject, linkEjected } from "./eject.ts";
import { link } from "./link.ts";
import { formatFinding, formatTable, totals } from "./report.ts";
import { formatRehearsal, rehearseDeploy } from "./rehearse-deploy.ts";
import { rehearsePipeline } from "./rehearse-pipeline.ts";
import { prepare, readSetting, type Setting } from "./setting.ts";
import { copilotBinary, nodeTools, pythonTools } from "./tools.ts";
import { UserError } from "./user-error.ts";

const usage = `copilot-check [check] [--update] [--no-lint] [--root dir]
copilot-check rehearse deploy [--env name]
copilot-check rehearse pipeline name [--quick]
copilot-check eject [--env name] [--out dir]

check     renders every stack with the real Copilot CLI, offline, and proves that they fit together
rehearse  takes the real CLI from an empty account to deployed environments (one, or all), offline, then breaks things

          pipeline: runs its buildspec on the committed state as CodeBuild would, then its stages

eject     writes a folder that deploys with the AWS CLI alone (default .local/eject), and links it again

--quick   replaces the buildspec's long commands as the configuration says (quick)
--update  writes the expected templates instead of comparing with them
--no-lint leaves the scanners out
--root    the folder in which copilot/ lies (default: here)
`;

const options = {
  root: { type: "string", default: "." },
  env: { type: "string" },
  out: { type: "string" },
  quick: { type: "boolean", default: false },
  update: { type: "boolean", default: false },
  "no-lint": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [command = "check"] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const setting = await readSetting(values.root);
  if (command === "check") {
    const steps = await runCheck(setting, { update: values.update, lint: !values["no-lint"], say });
    for (const { findings } of steps) for (const finding of findings) say(formatFinding(finding));
    for (const { notes = [] } of steps) for (const note of notes) say(note);
    process.stdout.write(`${formatTable(steps)}${totals(steps)}\n`);
    return steps.some(({ findings }) => findings.length > 0) ? 1 : 0;
  }
  if (command === "rehearse") return rehearse(setting, positionals.slice(1), values.env, values.quick);
  if (command === "eject") return ejectAll(setting, values.out, values.env);
  throw new UserError(`There is no command ${command}.`, "copilot-check --help says what there is.");
}

async function rehearse(
  setting: Setting,
  [what, ...names]: string[],
  env: string | undefined,
  quick: boolean,
): Promise<number> {
  const bin = await pythonTools(setting.folders, say);
  const binary = copilotBinary(bin);
  if (what === "pipeline") return rehearseOne(setting, names[0] ?? "", binary, quick);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (what !== "deploy")
    throw new UserError(
      `There is no rehearsal of ${what ?? "nothing"}.`,
      "Write: rehearse deploy --env <environment>, or: rehearse pipeline <name>",
    );
  const modules = await nodeTools(setting.folders, say);
  await prepare(setting);
  const environments = env === undefined ? setting.workspace.environments : [env, ...names];
  let failed = 0;
  let passed = 0;
  for (const environment of environments) {
    const rehearsal = await rehearseDeploy(setting, { environment, binary, modules, say: print });
    process.stdout.write(formatRehearsal(environment, rehearsal));
    failed += rehearsal.findings.length;
    passed += rehearsal.commands;
  }
  print(`${passed - Math.min(passed, failed)} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function rehearseOne(
  setting: Setting,
  pipeline: string,
  binary: string,
  quick: boolean,
): Promise<number> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  await prepare(setting);
  const rendering = await renderAll(setting, join(setting.folders.local, "venv", "bin"));
  const findings = await rehearsePipeline(setting, {
    pipeline,
    binary,
    rendering,
    instead: quick ? (setting.config.quick ?? {}) : {},
    say: print,
  });
  for (const finding of findings) print(formatFinding(finding));
  print(`${findings.length === 0 ? 1 : 0} passed, ${findings.length} failed`);
  return findings.length === 0 ? 0 : 1;
}

async function ejectAll(setting: Setting, out: string | undefined, env: string | undefined): Promise<number> {
  const { workspace, resolved, region, renderedName: rendered, folders } = setting;
  if (env !== undefined && !workspace.environments.includes(env))
    throw new UserError(
      `There is no environment ${env}.`,
      `There are: ${workspace.environments.join(", ")}.`,
    );
  const bin = await pythonTools(folders, say);
  await prepare(setting);
  // The folder is for a real account: what the manifests interpolate comes from whoever ejects.
  const examples = Object.keys(setting.variables).filter((name) => process.env[name] === undefined);
  for (const name of Object.keys(setting.variables))
    setting.variables[name] = process.env[name] ?? setting.variables[name] ?? "";
  const rendering = await renderAll(setting, bin);
  const linked = await link({ workspace, resolved, rendering, region, rendered });
  const broken = [
    ...rendering.failures.map(({ file, reason }) => ({ file, message: reason })),
    ...linked.problems,
  ];
  for (const finding of broken) say(formatFinding(finding));
  if (broken.length > 0)
    throw new UserError(
      "Nothing is written: the stacks do not link.",
      "Run the check, and mend what it says.",
    );
  const folder = resolvePath(out ?? join(folders.local, "eject"));
  const stacks = eject(
    setting,
    rendering,
    linked,
    folder,
    env === undefined ? workspace.environments : [env],
  );
  const again = await linkEjected(folder, region);
  for (const finding of again.findings) say(formatFinding(finding));
  process.stdout.write(
    `${stacks.length} stacks in ${folder}, read back and ${again.findings.length === 0 ? "linked" : "refused"} without the CLI. Start with GUIDE.md.\n`,
  );
  if (examples.length > 0)
    say(
      `Written with examples for ${examples.join(", ")}.\n  Give the real values in the environment, and run it again, before you deploy what uses them.`,
    );
  process.stdout.write(`${stacks.length - again.findings.length} passed, ${again.findings.length} failed\n`);
  return again.findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message, hint, stack } = error as UserError;
  say(error instanceof UserError ? `✘ ${message}${hint === undefined ? "" : `\n  ${hint}`}` : String(stack));
  process.exitCode = 2;
}
