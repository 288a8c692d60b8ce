#!/usr/bin/env node
// Writes copilot/**/overrides/cfn.patches.yml: what every stack of a kind needs, and one entry for each topic, subscription
// and secret of the manifest; and the domain of copilot/bootstrap.sh into the addons that have it. `pnpm patches` writes, `--check` only compares.
// A patch whose path is absent stops Copilot, so an environment must not have what another lacks: the shape is the manifest's.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve as resolvePath } from "node:path";
import { readWorkspace, resolve } from "copilot-manifest";
import type { Workload } from "copilot-manifest";
import { stringify } from "yaml";
import { Mistake } from "./patch.ts";
import type { Section } from "./patch.ts";
import { hoursWithoutSuccess } from "./alarms.ts";
import { decidedDomain, withDomain } from "./domain.ts";
import { pipelinePatches } from "./pipeline.ts";
import { patchesOf } from "./workload.ts";
import type { Views } from "./workload.ts";

const written =
  "# Written by packages/patches from the manifests: change those, then run `npx pnpm@12 patches`.\n";

function textOf(sections: Section[]): string {
  const bodies = sections.map(({ why, patches }) => {
    const comment = why.replaceAll(/^/gm, "# ");
    return `${comment}\n${stringify(patches, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  });
  return written + bodies.join("");
}

/** Every file of patches, by its path from the root. */
function patchFiles(): Map<string, string> {
  const views = new Map<string, Workload[]>();
  for (const environment of environments) {
    // What is wrong with the manifests, `copilot-manifest check` says.
    for (const workload of resolve(workspace, environment, {}).workloads)
      views.set(workload.name, [...(views.get(workload.name) ?? []), workload]);
  }
  const found = new Map<string, string>();
  const jobs = [...views.values()].filter((of): of is Views => of[0]?.type === "Scheduled Job");
  for (const [name, of] of views) {
    const own = join(root, "copilot", name, "overrides");
    // A new workload has none yet, and gets its own.
    const folder = existsSync(own) ? realpathSync(own) : own;
    const file = relative(root, join(folder, "cfn.patches.yml"));
    const sections = patchesOf(of as Views);
    if (of[0]?.type === "Scheduled Job") sections.push(hoursWithoutSuccess(jobs, environments));
    const text = textOf(sections);
    // Folders that are links to one are one file: the workloads behind it must want the same.
    if ((found.get(file) ?? text) !== text)
      throw new Mistake(
        `${file} is linked by ${name}, which needs other patches: give it a folder of its own.`,
      );
    found.set(file, text);
  }
  for (const { name, file } of workspace.pipelines.values()) {
    const patches = pipelinePatches(root, workspace.application, file);
    found.set(`copilot/pipelines/${name}/overrides/cfn.patches.yml`, written + patches);
  }
  const domain = decidedDomain(root);
  for (const name of readdirSync(join(root, "copilot/addons")).filter((one) => one.endsWith(".yml"))) {
    const file = `copilot/addons/${name}`;
    const addon = withDomain(readFileSync(join(root, file), "utf8"), domain);
    if (addon !== undefined) found.set(file, addon);
  }
  return found;
}

/** Writes the files that are not as they should be, or only names them. */
function settle(files: Map<string, string>, { checking }: { checking: boolean }): void {
  for (const [file, text] of files) {
    const path = join(root, file);
    if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
    if (checking) {
      console.error(
        `✘ ${file} is not what the manifests and copilot/bootstrap.sh ask for: run \`npx pnpm@12 patches\`.`,
      );
      process.exitCode = 1;
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`${file} written`);
  }
}

const root = resolvePath(import.meta.dirname, "../..");
const workspace = readWorkspace(root);
const environments = workspace.environments;
try {
  settle(patchFiles(), { checking: process.argv.includes("--check") });
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`✘ ${error.message}`);
  process.exitCode = 1;
}
