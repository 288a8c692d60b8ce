import { findingOf, type Finding, type Scene } from "./finding.ts";
import type { Workload } from "./types.ts";

/** The Lambdas that Copilot generates only under a condition, by what the manifest has to say for it. */
const lambdas: [id: string, made: (workload: Workload) => boolean, path: string[], hint: string][] = [
  [
    "DynamicDesiredCountFunction",
    ({ count }) => typeof count === "object",
    ["count"],
    "Where one task is meant, write `range: { min: 1, max: 1 }` with the same metric as elsewhere.",
  ],
  [
    "BacklogPerTaskCalculatorFunction",
    ({ count }) => typeof count === "object" && count.queueDelayTarget !== undefined,
    ["count"],
    "Write `queue_delay` in every environment.",
  ],
  ["RulePriorityFunction", ({ http }) => http !== undefined, ["http"], "Write `http` in every environment."],
];

/** One patch file serves every environment and stops Copilot where its resource is absent. */
export function shapeFindings(scenes: Scene[]): Finding[] {
  return scenes.flatMap(({ environment, resolved }) =>
    resolved.workloads.flatMap((workload) => {
      const { name, type } = workload;
      if (type === "Request-Driven Web Service" || type === "Static Site") return [];
      const elsewhere = scenes.flatMap((scene) =>
        scene.resolved.workloads.filter((other) => other.name === name),
      );
      return lambdas.flatMap(([id, made, path, hint]) => {
        if (made(workload) || !elsewhere.some(made)) return [];
        const message = `${name} has the Lambda ${id} in other environments and not here: no patch of its runtime fits all of them.`;
        return [findingOf("lambda-shape", workload, environment, { path, message, hint })];
      });
    }),
  );
}
