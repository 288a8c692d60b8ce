import type { Model } from "./model.ts";
import type { Pipeline, Stage } from "./pipelines.ts";
import type { Values } from "./values-workload.ts";
import { code, list } from "./words.ts";

/** What a pipeline's manifest says of itself. */
export function pipelineValues(model: Model, pipeline: Pipeline): Values {
  const start = { file: pipeline.file, line: 1, column: 1 };
  const stages = pipeline.stages.flatMap((stage) => [
    ...(stage.approval ? ["承認"] : []),
    ...stage.before,
    `Deploy(${stage.environment}、${deployed(model, stage)} 個)`,
    ...stage.after,
    ...(stage.tests > 0 ? [`試験 ${stage.tests}`] : []),
  ]);
  const [first] = pipeline.stages;
  return {
    infra: model.sourced("AWS Copilot(Pipeline)", start),
    orchestration: model.sourced(
      `CodePipeline: ${[`Source(${pipeline.provider})`, "Build", ...stages].join(" → ")}`,
      first?.at ?? start,
    ),
    dependencies:
      pipeline.buildspec === undefined
        ? undefined
        : model.sourced(code(pipeline.buildspec), pipeline.buildspecAt),
    region: model.region,
    environment:
      first && model.sourced(list(pipeline.stages.map(({ environment }) => environment)), first.at),
    pipelines: model.sourced(named(pipeline), pipeline.branchAt),
    deployment: model.sourced(`ブランチ ${code(pipeline.branch)} への push`, pipeline.branchAt),
  };
}

function named({ name, branch, stages }: Pipeline): string {
  return `${code(name)}(ブランチ ${code(branch)}${stages.some(({ approval }) => approval) ? "、承認あり" : ""})`;
}

function deployed(model: Model, stage: Stage): number {
  return stage.deployments?.length ?? model.workloads.length;
}

/** Of the folder that holds all pipelines, and of the one that holds all manifests. */
export function pipelinesValues(model: Model): Values {
  const [first] = model.pipelines;
  if (!first) return {};
  const names = model.pipelines.map(named);
  return {
    infra: model.sourced("AWS Copilot(Pipeline)", { file: first.file, line: 1, column: 1 }),
    region: model.region,
    pipelines: model.sourced(list(names), first.branchAt),
  };
}
