import { findingOf, type Finding, type Scene } from "./finding.ts";
import { addonFindings } from "./house-addons.ts";
import { environmentFindings } from "./house-environment.ts";
import { pipelineFindings } from "./house-pipeline.ts";
import { shapeFindings } from "./house-shape.ts";
import { queueRules } from "./house-queue.ts";
import { workloadRules } from "./house-workload.ts";
import { usedQueues } from "./queues.ts";
import { accountFindings, variableFindings } from "./secret-values.ts";
import type { Workload, Workspace } from "./types.ts";

/** Everything that the strict rules find, in every environment. */
export function houseFindings(workspace: Workspace, scenes: Scene[]): Finding[] {
  const production = scenes.filter((scene) => scene.production).map(({ environment }) => environment);
  const resolved = new Map(scenes.map((scene) => [scene.environment, scene.resolved]));
  const [first] = scenes;
  return [
    ...scenes.flatMap(sceneFindings),
    ...shapeFindings(scenes),
    ...(first ? addonFindings(workspace, first.environment) : []),
    ...environmentFindings(workspace, production),
    ...pipelineFindings(workspace, production, resolved),
    ...accountFindings(workspace),
    ...variableFindings(workspace),
  ];
}

function sceneFindings(scene: Scene): Finding[] {
  const { environment, resolved } = scene;
  return resolved.workloads.filter(runsOnEcs).flatMap((workload) => {
    const own = Object.entries(workloadRules).flatMap(([rule, find]) =>
      find(workload, scene).map((found) => findingOf(rule, workload, environment, found)),
    );
    const queues = usedQueues(workload).flatMap((queue) =>
      Object.entries(queueRules).flatMap(([rule, find]) =>
        find(queue, workload, scene).map((found) => findingOf(rule, workload, environment, found)),
      ),
    );
    return [...own, ...queues];
  });
}

function runsOnEcs({ type }: Workload): boolean {
  return type !== "Request-Driven Web Service" && type !== "Static Site";
}
