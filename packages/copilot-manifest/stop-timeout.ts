import { readPatches } from "./patches.ts";
import { textOf } from "./node.ts";
import type { Position, Problem, Workload, Workspace } from "./types.ts";

/** The seconds between SIGTERM and SIGKILL of the workload's own container where something sets them: there is no field for it. */
export function stopTimeoutOf(
  workspace: Workspace,
  workload: Workload,
): { seconds: number; at: Position } | undefined {
  const written = workload.manifest["taskdef_overrides"];
  if (Array.isArray(written)) {
    for (const [i, item] of written.entries()) {
      const { path, value } = (item ?? {}) as { path?: unknown; value?: unknown };
      if (typeof path === "string" && /^ContainerDefinitions\[0\]\.StopTimeout$/i.test(path))
        return { seconds: Number(value), at: workload.source(["taskdef_overrides", i]) };
    }
  }
  const patch = readPatches(workspace.files, `copilot/${workload.name}`, []).findLast(
    ({ op, path }) =>
      op !== "remove" && path === "/Resources/TaskDefinition/Properties/ContainerDefinitions/0/StopTimeout",
  );
  return patch ? { seconds: Number(textOf(patch.value)), at: patch.at } : undefined;
}

/** Fargate takes no more than 120 seconds. */
export function checkStopTimeout(workspace: Workspace, workload: Workload, problems: Problem[]): void {
  const stop = stopTimeoutOf(workspace, workload);
  if (!stop || stop.seconds <= 120) return;
  const message = `${workload.name} asks for ${stop.seconds} s to stop: Fargate gives 120 at most.`;
  problems.push({ rule: "stop-timeout-limit", message, hint: "Write 120 or less.", ...stop.at });
}
