import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Problem, Workload, Workspace } from "./types.ts";

/** Files that Copilot looks for only when it uploads or builds: the Dockerfile and `env_file`. */
export function checkFiles(workspace: Workspace, workloads: Workload[], problems: Problem[]): void {
  for (const workload of workloads) {
    const { build } = workload.image;
    const files = [
      { path: build?.dockerfile, written: ["image", "build", "dockerfile"], what: "Dockerfile" },
      { path: workload.envFile, written: ["env_file"], what: "env_file" },
    ];
    for (const { path, written, what } of files) {
      // A `${NAME}` that is still in the path has its value only where Copilot is run.
      if (path === undefined || path.includes("${") || existsSync(join(workspace.root, path))) continue;
      const message = `The ${what} of ${workload.name} does not exist: ${path}.`;
      const hint = "Paths count from the folder in which copilot/ lies.";
      problems.push({ rule: "missing-file", message, hint, ...workload.source(written) });
    }
  }
}
