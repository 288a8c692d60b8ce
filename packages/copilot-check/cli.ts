#!/usr/bin/env node
import { join } from "node:path";
import { parseArgs } from "node:util";
import { renderAll, runCheck } from "./check.ts";
import { rehearseBootstraps } from "./command-bootstrap.ts";
import { rehearseEjected, writeEjected } from "./command-eject.ts";
import { plantMistakes } from "./command-mistakes.ts";
import { formatFinding, formatTable, totals } from "./report.ts";
import { formatRehearsal, rehearseDeploy } from "./rehearse-deploy.ts";
import { rehearsePipeline } from "./rehearse-pipeline.ts";
import { prepare, readSetting, type Setting } from "./setting.ts";
import { awsTools, copilotBinary, nodeTools, pythonTools } from "./tools.ts";
import { UserError } from "./user-error.ts";

const usage = `copilot-check [check] [--update] [--no-lint] [--root dir]
copilot-check rehearse deploy [--env name]
copilot-check rehearse pipeline name [--quick]
copilot-check rehearse bootstrap [--env name]
copilot-check rehearse eject [--env name]
copilot-check eject [--env name] [--out dir]
copilot-check mistakes [--update]

check     renders every stack with the real Copilot CLI, offline, and proves that they fit together
rehearse  takes the real CLI from an empty account to deployed environments (one, or all), offline, then breaks things

          pipeline: runs its buildspec on the committed state as CodeBuild would, then its stages
          bootstrap: runs the workspace's own script with the real AWS CLI: it must stop, go on, and make nothing twice
          eject: runs the ejected folder's script with the real AWS CLI, offline: into an empty account, and over what the
          Copilot CLI deployed, and back

eject     writes a folder that deploys with the AWS CLI alone (default .local/eject), and links it again

mistakes  makes every mistake of tools/planted-mistakes.yml in a copy; docs/planted-mistakes.md must say what is said of it

--quick   replaces the buildspec's long commands as the configuration says (quick)
--update  writes what is expected (templates; the document of mistakes) instead of comparing with it
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

const seeHelp = "copilot-check --help says what there is.";
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  const [command = "check"] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const setting = await readSetting(values.root);
  if (values.env !== undefined) known("environment", values.env, setting.workspace.environments);
  if (command === "check") {
    const steps = await runCheck(setting, { update: values.update, lint: !values["no-lint"], say });
    for (const { findings } of steps) for (const finding of findings) say(formatFinding(finding));
    for (const { notes = [] } of steps) for (const note of notes) say(note);
    process.stdout.write(`${formatTable(steps)}${totals(steps)}\n`);
    return steps.some(({ findings }) => findings.length > 0) ? 1 : 0;
  }
  if (command === "rehearse") return rehearse(setting, positionals.slice(1), values.env, values.quick);
  if (command === "eject") return writeEjected(setting, { out: values.out, env: values.env, say });
  if (command === "mistakes") return plantMistakes(setting, { update: values.update, say });
  throw new UserError(`There is no command ${command}.`, seeHelp);
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Node adds a second sentence about arguments that begin with a dash.
    throw new UserError((error as Error).message.split(". ")[0] + ".", seeHelp);
  }
}

/** Said before anything is installed or rendered. */
function known(kind: string, name: string, names: string[]): void {
  if (!names.includes(name))
    throw new UserError(`There is no ${kind} ${name}.`, `There are: ${names.join(", ")}.`);
}

const rehearsals = ["deploy", "pipeline", "bootstrap", "eject"];

async function rehearse(
  setting: Setting,
  [what, ...names]: string[],
  env: string | undefined,
  quick: boolean,
): Promise<number> {
  if (what === undefined || !rehearsals.includes(what))
    throw new UserError(
      what === undefined ? "A rehearsal of what?" : `There is no rehearsal of ${what}.`,
      "Write: rehearse deploy --env <environment>, rehearse pipeline <name>, rehearse bootstrap --env <environment>, or rehearse eject --env <environment>",
    );
  const { workspace } = setting;
  if (what === "pipeline") known("pipeline", names[0] ?? "without a name", [...workspace.pipelines.keys()]);
  else for (const name of names) known("environment", name, workspace.environments);
  const bin = await pythonTools(setting.folders, say);
  const binary = copilotBinary(bin);
  if (what === "bootstrap") return rehearseBootstraps(setting, { env, binary, say });
  if (what === "eject") return rehearseEjected(setting, { env, binary, say });
  if (what === "pipeline") return rehearseOne(setting, names[0] ?? "", binary, quick);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const modules = await nodeTools(setting.folders, say);
  await prepare(setting);
  const environments = env === undefined ? workspace.environments : [env, ...names];
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
    aws: await awsTools(setting.folders, say),
    modules: await nodeTools(setting.folders, say),
    rendering,
    instead: quick ? (setting.config.quick ?? {}) : {},
    say: print,
  });
  for (const finding of findings) print(formatFinding(finding));
  print(`${findings.length === 0 ? 1 : 0} passed, ${findings.length} failed`);
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message, hint, stack } = error as UserError;
  say(error instanceof UserError ? `✘ ${message}${hint === undefined ? "" : `\n  ${hint}`}` : String(stack));
  process.exitCode = 2;
}
