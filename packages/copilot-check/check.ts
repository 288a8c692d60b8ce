import { dirname, join } from "node:path";
import { agree } from "./agree.ts";
import { checkAlarms } from "./alarms.ts";
import { compareGolden, goldenFiles, updateGolden, type Difference } from "./golden.ts";
import { checkLambdas } from "./lambdas.ts";
import { link, type Linked } from "./link.ts";
import { lint } from "./lint.ts";
import { patchAt } from "./origin.ts";
import { ofApplication, render, type Rendering, type RenderOptions } from "./render.ts";
import { timed, type Finding, type Step } from "./report.ts";
import { environmentManifest, prepare, type Setting } from "./setting.ts";
import { copilotBinary, nodeTools, pythonTools } from "./tools.ts";

export interface CheckOptions {
  /** Writes the expected templates instead of comparing with them. */
  update?: boolean;
  /** Leaves the scanners out: they take most of the time. */
  lint?: boolean;
  say: (line: string) => void;
}

/** Everything, in the order in which a mistake is cheapest to understand. A step whose ground is missing is left out. */
export async function runCheck(
  setting: Setting,
  { update = false, lint: scan = true, say }: CheckOptions,
): Promise<Step[]> {
  const { folders } = setting;
  const steps: Step[] = [];
  const done = (step: Step): Step => (steps.push(step), step);
  done(await timed("manifests", async () => manifests(setting)));
  const bin = await pythonTools(folders, say);
  const modules = await nodeTools(folders, say);
  await prepare(setting);
  const rendering = await renderAll(setting, bin);
  done(renderStep(setting, rendering));
  // Without every stack the rest would report what is only not there.
  if (rendering.failures.length > 0) return steps;
  done(await timed("compare", async () => compare(setting, rendering, update)));
  const linked = await linkStep(setting, rendering, done);
  done(await timed("agree", async () => agreeStep(setting, linked)));
  done(await timed("alarms", async () => alarmsStep(linked)));
  done(await timed("lambdas", () => lambdasStep(setting, linked, modules)));
  if (scan) steps.push(...(await lint(setting, rendering, { bin, modules })));
  return steps;
}

/** Renders the workspace of a setting, or a part of it, with the CLI in `bin`. */
export async function renderAll(
  setting: Setting,
  bin: string,
  only?: RenderOptions["only"],
): Promise<Rendering> {
  const { workspace, resolved, region, variables, folders, config } = setting;
  return render({
    ...(only === undefined ? {} : { only }),
    workspace,
    resolved,
    region,
    variables,
    binary: copilotBinary(bin),
    manifests: new Map(workspace.environments.map((name) => [name, environmentManifest(setting, name)])),
    scratch: join(folders.local, "check", "render"),
    ...ofApplication(config),
  });
}

/** Links what was rendered; `done` takes the step. */
export async function linkStep(
  { workspace, resolved, region, renderedName: rendered }: Setting,
  rendering: Rendering,
  done: (step: Step) => unknown = () => undefined,
): Promise<Linked> {
  const start = performance.now();
  const linked = await link({ workspace, resolved, rendering, region, rendered });
  done({
    name: "link",
    what: `${linked.resources} resources in ${linked.stacks} stacks`,
    passed: linked.resources,
    findings: linked.problems,
    ms: Math.round(performance.now() - start),
  });
  return linked;
}

export function agreeStep({ workspace, resolved }: Setting, { cloud }: Linked): Omit<Step, "name" | "ms"> {
  const { fields, problems } = agree(workspace, resolved, cloud);
  return { what: `${fields} fields of two readers`, passed: fields - problems.length, findings: problems };
}

function alarmsStep(linked: Linked): Omit<Step, "name" | "ms"> {
  const { alarms, findings } = checkAlarms(linked);
  const what = `${alarms} alarms have a metric, a window and somebody to tell`;
  return { what, passed: alarms - findings.length, findings };
}

export async function lambdasStep(
  { folders }: Setting,
  { cloud, place }: Linked,
  modules: string,
): Promise<Omit<Step, "name" | "ms">> {
  const scratch = join(folders.local, "check", "lambdas");
  const { runtimes, loaded, problems } = await checkLambdas(cloud, modules, scratch);
  const all = [...runtimes].map(([runtime, count]) => `${count} ${runtime}`).join(", ");
  const functions = [...runtimes.values()].reduce((sum, count) => sum + count, 0);
  const findings = problems.map(({ stack, path, what, message, hint }) => ({
    ...place(stack, path),
    message: `${what} ${message}`,
    hint,
  }));
  return {
    what: `${all}; ${loaded} scripts loaded by Node ${process.versions.node}`,
    passed: functions + loaded,
    findings,
  };
}

export function manifests({ workspace, problems }: Setting): Omit<Step, "name" | "ms"> {
  const read = workspace.workloads.size + workspace.environments.length + workspace.pipelines.size;
  return { what: `${read} manifests`, passed: read, findings: problems };
}

export function renderStep({ root, workspace }: Setting, { stacks, failures, ms }: Rendering): Step {
  const { workloads, environments, pipelines } = workspace;
  return {
    name: "render",
    what: `${workloads.size} × ${environments.length} workloads, ${environments.length} environments, ${pipelines.size} pipelines`,
    passed: stacks.length,
    findings: failures.map(({ what, reason, file }) => ({
      ...failedAt(root, file, reason),
      message: `The CLI cannot render ${what}: ${reason.replace(/^✘ /, "")}`,
    })),
    ms,
  };
}

/** The patch that the CLI names by its number, else the manifest. */
function failedAt(root: string, file: string, reason: string): Pick<Finding, "file" | "line" | "column"> {
  const index = /override template: .* patch at index (\d+)/.exec(reason)?.[1];
  const folder = dirname(file).replace(/^(copilot\/environments)\/.*/, "$1");
  return (index === undefined ? undefined : patchAt(root, folder, Number(index))) ?? { file };
}

export function compare(
  { folders, renderedName }: Setting,
  { stacks }: Rendering,
  update: boolean,
): Omit<Step, "name" | "ms"> {
  const files = goldenFiles(stacks);
  if (update) {
    const changed = updateGolden(folders.rendered, files);
    return { what: `${files.size} templates, ${changed.length} rewritten`, passed: files.size, findings: [] };
  }
  const differences = compareGolden(folders.rendered, files);
  const findings = differences.map((difference) => different(difference, renderedName));
  return {
    what: `${files.size} templates with ${renderedName}/`,
    passed: files.size - differences.length,
    findings,
  };
}

function different({ file, kind, line, expected, actual }: Difference, folder: string): Finding {
  const hint = "If that is what you want: run the check with --update, and commit the difference.";
  const place = { file: `${folder}/${file}`, line };
  if (kind === "missing") return { ...place, message: "This template is rendered, and not kept yet.", hint };
  if (kind === "left over") return { ...place, message: "Nothing renders this template any more.", hint };
  return { ...place, message: `The template changed here, from\n    ${expected}\n  to\n    ${actual}`, hint };
}
