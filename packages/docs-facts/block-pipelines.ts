import type { Block } from "./blocks.ts";
import { code, list, table } from "./words.ts";

/** In the folder of the pipelines: branch, stages, approval, and in which order a stage prepares, deploys and tests. */
export const pipelineTable: Block = (model, dir) => {
  const [first] = model.pipelines;
  if (dir !== `${model.root}/pipelines` || !first) return undefined;
  const rows = model.pipelines.flatMap(({ name, branch, stages }) =>
    stages.map((stage) => [
      code(name),
      code(branch),
      stage.environment,
      stage.approval ? "あり" : "なし",
      [
        ...stage.before,
        stage.deployments ? waves(stage.deployments) : "すべて同時",
        ...stage.after,
        ...(stage.tests > 0 ? [`試験 ${stage.tests}`] : []),
      ].join(" → "),
    ]),
  );
  const head = ["パイプライン", "ブランチ", "環境", "承認", "順"];
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
