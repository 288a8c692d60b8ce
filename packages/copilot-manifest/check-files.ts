import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { at, entriesOf, itemsOf, positionOf, textOf } from "./node.ts";
import type { Node, Position, Problem, Workload, Workspace } from "./types.ts";
import { valueAt } from "./values.ts";

/** Files that Copilot looks for only when it uploads or builds: the Dockerfile and `env_file`. */
export function checkFiles(workspace: Workspace, workloads: Workload[], problems: Problem[]): void {
  for (const workload of workloads) {
    const { build } = workload.image;
    const files = [
      { path: build?.dockerfile, written: ["image", "build", "dockerfile"], what: "Dockerfile" },
      { path: workload.envFile, written: ["env_file"], what: "env_file" },
      ...sidecarFiles(workload),
    ];
    for (const { path, written, what } of files)
      if (path !== undefined)
        missing(workspace, path, `${what} of ${workload.name}`, workload.source(written), problems);
  }
}

function sidecarFiles({ manifest }: Workload): { path: string; written: string[]; what: string }[] {
  return Object.keys(valueAt(manifest, "sidecars") ?? {}).flatMap((sidecar) => {
    const build = valueAt(manifest, "sidecars", sidecar, "image", "build");
    const context = valueAt(build, "context");
    const path =
      typeof build === "string"
        ? build
        : (valueAt(build, "dockerfile") ??
          (typeof context === "string" ? posix.join(context, "Dockerfile") : undefined));
    const written = ["sidecars", sidecar, "image", "build"];
    const file = { written, what: `Dockerfile of the sidecar ${sidecar}` };
    return typeof path === "string" ? [{ path, ...file }] : [];
  });
}

/** The buildspecs that a pipeline's projects start from; CodeBuild looks for them only when it runs. */
export function checkBuildspecs(workspace: Workspace, problems: Problem[]): void {
  for (const { name, file, root } of workspace.pipelines.values()) {
    if (!root) continue;
    const own = textOf(at(root, "build", "buildspec"));
    const path = own ?? posix.join(posix.dirname(file), "buildspec.yml");
    missing(
      workspace,
      path,
      `buildspec of the pipeline ${name}`,
      positionOf(root, ["build", "buildspec"]),
      problems,
    );
    for (const stage of itemsOf(at(root, "stages"))) {
      for (const key of ["pre_deployments", "post_deployments"])
        for (const [step, { value }] of entriesOf(at(stage, key)))
          missing(
            workspace,
            textOf(at(value, "buildspec")),
            `buildspec of ${step}`,
            placeOf(value),
            problems,
          );
    }
  }
}

function placeOf(step: Node): Position {
  return positionOf(step, ["buildspec"]);
}

function missing(
  { root }: Workspace,
  path: string | undefined,
  what: string,
  place: Position,
  problems: Problem[],
): void {
  // A `${NAME}` that is still in the path has its value only where Copilot is run.
  if (path === undefined || path.includes("${") || existsSync(join(root, path))) return;
  if (posix.normalize(path).startsWith("../") || isIgnored(root, path)) return;
  const message = `The ${what} does not exist: ${path}.`;
  const hint = "Paths count from the folder in which copilot/ lies.";
  problems.push({ rule: "missing-file", message, hint, ...place });
}

/** What git is told to leave out is made where Copilot is run, as a file with secrets is. */
function isIgnored(root: string, path: string): boolean {
  return spawnSync("git", ["check-ignore", "--quiet", path], { cwd: root, stdio: "ignore" }).status === 0;
}
