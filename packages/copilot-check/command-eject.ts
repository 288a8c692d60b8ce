import { join, resolve } from "node:path";
import { renderAll } from "./check.ts";
import { eject, linkEjected } from "./eject.ts";
import { link } from "./link.ts";
import { rehearseEject } from "./rehearse-eject.ts";
import { formatFinding } from "./report.ts";
import { prepare, type Setting } from "./setting.ts";
import { awsTools, nodeTools, pythonTools } from "./tools.ts";
import { UserError } from "./user-error.ts";

type Say = (line: string) => void;

/** `copilot-check eject`: writes the folder, reads it back, links it. Resolves to the exit code. */
export async function writeEjected(
  setting: Setting,
  { out, env, say }: { out: string | undefined; env: string | undefined; say: Say },
): Promise<number> {
  const { workspace, region, folders, variables } = setting;
  // The folder is for a real account: what the manifests interpolate comes from whoever ejects.
  const examples = Object.keys(variables).filter((name) => process.env[name] === undefined);
  for (const [name, example] of Object.entries(variables)) variables[name] = process.env[name] ?? example;
  const folder = resolve(out ?? join(folders.local, "eject"));
  const environments = env === undefined ? workspace.environments : [env];
  const stacks = await ejectInto(folder, setting, environments, say);
  const { findings } = await linkEjected(folder, region);
  for (const finding of findings) say(formatFinding(finding));
  process.stdout.write(
    `${stacks} stacks in ${folder}, read back and ${findings.length === 0 ? "linked" : "refused"} without the CLI. Start with GUIDE.md.\n`,
  );
  if (examples.length > 0)
    say(
      `Written with examples for ${examples.join(", ")}.\n  Give the real values in the environment, and run it again, before you deploy what uses them.`,
    );
  process.stdout.write(`${stacks - findings.length} passed, ${findings.length} failed\n`);
  return findings.length === 0 ? 0 : 1;
}

/** `copilot-check rehearse eject`: the folder's script, carried out. Resolves to the exit code. */
export async function rehearseEjected(
  setting: Setting,
  { env, binary, say }: { env: string | undefined; binary: string; say: Say },
): Promise<number> {
  const environment = env ?? setting.workspace.environments[0] ?? "";
  const aws = await awsTools(setting.folders, say);
  const modules = await nodeTools(setting.folders, say);
  const folder = join(setting.folders.local, "check", "ejected");
  const print: Say = (line) => void process.stdout.write(`${line}\n`);
  const stacks = await ejectInto(folder, setting, [environment], say);
  const findings = await rehearseEject(setting, { environment, folder, binary, aws, modules, say: print });
  for (const finding of findings) print(formatFinding(finding));
  print(`${findings.length === 0 ? stacks : 0} passed, ${findings.length} failed`);
  return findings.length === 0 ? 0 : 1;
}

/** Renders, links, and writes the folder; resolves to the number of its stacks. */
async function ejectInto(
  folder: string,
  setting: Setting,
  environments: string[],
  say: Say,
): Promise<number> {
  const { workspace, resolved, region, renderedName: rendered } = setting;
  const bin = await pythonTools(setting.folders, say);
  await prepare(setting);
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
  return eject(setting, rendering, linked, folder, environments).length;
}
