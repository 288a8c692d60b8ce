import { rehearseBootstrap } from "./rehearse-bootstrap.ts";
import { formatFinding } from "./report.ts";
import { prepare, type Setting } from "./setting.ts";
import { awsTools, nodeTools } from "./tools.ts";

/** `copilot-check rehearse bootstrap`: the script for one environment, or for all. Resolves to the exit code. */
export async function rehearseBootstraps(
  setting: Setting,
  { env, binary, say }: { env: string | undefined; binary: string; say: (line: string) => void },
): Promise<number> {
  const { workspace, folders } = setting;
  const aws = await awsTools(folders, say);
  const modules = await nodeTools(folders, say);
  await prepare(setting);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  let failed = 0;
  const environments = env === undefined ? workspace.environments : [env];
  for (const environment of environments) {
    const findings = await rehearseBootstrap(setting, { environment, binary, aws, modules, say: print });
    for (const finding of findings) print(formatFinding(finding));
    failed += findings.length > 0 ? 1 : 0;
  }
  print(`${environments.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
