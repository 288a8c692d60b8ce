import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve as absolute } from "node:path";
import {
  check,
  environmentsOf,
  readSettings,
  readWorkspace,
  resolve,
  type Problem,
  type Resolved,
  type Workspace,
} from "copilot-manifest";
import { execute } from "./copilot-cli.ts";
import { exampleVariables, loadConfig, type Config } from "./config.ts";
import { UserError } from "./user-error.ts";

/** A workspace, read, with everything that a command of this package works with. */
export interface Setting {
  root: string;
  config: Config;
  region: string;
  workspace: Workspace;
  resolved: Map<string, Resolved>;
  /** What copilot-manifest says of the workspace. */
  problems: Problem[];
  /** Examples of what the manifests interpolate. */
  variables: Record<string, string>;
  folders: { rendered: string; tools: string; local: string };
  /** The folder of expected templates as messages call it. */
  renderedName: string;
}

/** Reads the workspace at `root`, without running anything. */
export async function readSetting(root: string): Promise<Setting> {
  const full = absolute(root);
  const config = await loadConfig(full);
  const variables = exampleVariables(config);
  const workspace = readWorkspace(full);
  if (workspace.environments.length === 0)
    throw new UserError(
      `There is no environment at ${full}: copilot/environments holds no folder with a manifest.yml.`,
      "Start it where `copilot/` lies, or give that folder with --root.",
    );
  const { settings, problems: wrong } = readSettings(workspace);
  const inRoot = (folder: string): string => (isAbsolute(folder) ? folder : join(full, folder));
  const renderedName = config.rendered ?? "rendered";
  return {
    root: full,
    config,
    region: config.region ?? "us-east-1",
    workspace,
    variables,
    problems: [...wrong, ...check(workspace, { ...process.env, ...variables }, { settings })],
    resolved: new Map(
      environmentsOf(workspace).map((name) => [
        name,
        resolve(workspace, name, { ...process.env, ...variables }),
      ]),
    ),
    renderedName,
    folders: {
      rendered: inRoot(renderedName),
      tools: inRoot(config.tools ?? "tools"),
      local: inRoot(config.local ?? ".local"),
    },
  };
}

/** Runs what the configuration says must be made before anything is packaged. */
export async function prepare({ root, config }: Setting): Promise<void> {
  for (const [program = "", ...args] of config.prepare ?? []) {
    const { code, stdout, stderr } = await execute(program, args, { cwd: root });
    if (code === 0) continue;
    const message = `\`${[program, ...args].join(" ")}\` ended with exit code ${code}:\n${stdout}${stderr}`;
    throw new UserError(message, "It stands in copilot-check.config.ts under `prepare`.");
  }
}

/** The text of an environment's manifest with its variables filled in, as the deployed stack keeps it. */
export function environmentManifest({ root, workspace, variables }: Setting, name: string): string {
  const file = workspace.environmentManifests.get(name)?.file ?? "";
  return interpolated(readFileSync(join(root, file), "utf8"), {
    ...variables,
    COPILOT_APPLICATION_NAME: workspace.application,
    COPILOT_ENVIRONMENT_NAME: name,
  });
}

/** `${NAME}` replaced where the name is known. */
function interpolated(text: string, known: Record<string, string>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (written, name: string) => known[name] ?? written);
}
