import type { Block } from "./blocks.ts";
import { code, list, table } from "./words.ts";

/** In the folder of the pipelines: branch, stages, approval, and in which order a stage deploys. */
export const pipelineTable: Block = (model, dir) => {
  const [first] = model.pipelines;
  if (dir !== `${model.root}/pipelines` || !first) return undefined;
  const rows = model.pipelines.flatMap(({ name, branch, stages }) =>
    stages.map((stage) => [
      code(name),
      code(branch),
      stage.environment,
      stage.approval ? "あり" : "なし",
      stage.deployments ? waves(stage.deployments) : "すべて同時",
      String(stage.tests),
    ]),
  );
  const head = ["パイプライン", "ブランチ", "環境", "承認", "順", "試験"];
  return model.sourced(table(head, rows), first.branchAt);
};

/** What is deployed together, wave after wave; many names are a number. */
function waves(deployments: readonly { workload: string; after: string[] }[]): string {
  const parts: string[] = [];
  const done = new Set<string>();
  let waiting = [...deployments];
  while (waiting.length > 0) {
    const wave = waiting.filter(({ after }) => after.every((name) => done.has(name)));
    if (wave.length === 0) break;
    for (const { workload } of wave) done.add(workload);
    waiting = waiting.filter((each) => !wave.includes(each));
    parts.push(wave.length > 2 ? `${wave.length} 個` : list(wave.map(({ workload }) => workload)));
  }
  return parts.join(" → ");
}
