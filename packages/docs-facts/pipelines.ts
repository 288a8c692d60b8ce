import {
  at,
  entriesOf,
  itemsOf,
  type Node,
  type Position,
  textOf,
  textsOf,
  type Workspace,
} from "copilot-manifest";
import { placeOf } from "./sourced.ts";

interface Deployment {
  workload: string;
  after: string[];
}

export interface Stage {
  environment: string;
  approval: boolean;
  /** Absent: the stage deploys every workload. */
  deployments: Deployment[] | undefined;
  /** The names of what is built before and after. */
  before: string[];
  after: string[];
  /** Commands that end it. */
  tests: number;
  at: Position;
}

export interface Pipeline {
  name: string;
  /** The folder of its manifest, relative to the workspace. */
  dir: string;
  file: string;
  provider: string;
  branch: string;
  branchAt: Position;
  buildspec: string | undefined;
  buildspecAt: Position;
  stages: Stage[];
}

export function readPipelines(workspace: Workspace): Pipeline[] {
  return [...workspace.pipelines.values()].map(({ name: folder, file, root }) => {
    const branch = at(root, "source", "properties", "branch");
    const buildspec = at(root, "build", "buildspec");
    return {
      // The CLI goes by the name that is written, not by the folder's.
      name: textOf(at(root, "name")) ?? folder,
      dir: file.slice(0, file.lastIndexOf("/")),
      file,
      provider: textOf(at(root, "source", "provider")) ?? "",
      // Copilot takes `main` where none is written.
      branch: textOf(branch) ?? "main",
      branchAt: placeOf(branch, file),
      buildspec: textOf(buildspec),
      buildspecAt: placeOf(buildspec, file),
      stages: itemsOf(at(root, "stages")).map((stage) => readStage(stage, file)),
    };
  });
}

function readStage(stage: Node, file: string): Stage {
  const deployments = at(stage, "deployments");
  return {
    environment: textOf(at(stage, "name")) ?? "",
    approval: /^(?:true|yes|on|y)$/i.test(textOf(at(stage, "requires_approval")) ?? ""),
    deployments:
      deployments?.kind === "map"
        ? entriesOf(deployments).map(([workload, { value }]) => ({
            workload,
            after: textsOf(at(value, "depends_on")) ?? [],
          }))
        : undefined,
    before: entriesOf(at(stage, "pre_deployments")).map(([name]) => name),
    after: entriesOf(at(stage, "post_deployments")).map(([name]) => name),
    tests: itemsOf(at(stage, "test_commands")).length,
    at: placeOf(at(stage, "name"), file),
  };
}

/** In the order of the environments that they deploy to. */
export function inOrder(pipelines: readonly Pipeline[], environments: readonly string[]): Pipeline[] {
  const place = ({ stages }: Pipeline) => environments.indexOf(stages[0]?.environment ?? "");
  return [...pipelines].sort((a, b) => place(a) - place(b));
}

/** The stages that deploy `workload`, with what they deploy before it. */
export function stagesOf(
  pipelines: readonly Pipeline[],
  workload: string,
): { pipeline: Pipeline; stage: Stage; after: string[] }[] {
  return pipelines.flatMap((pipeline) =>
    pipeline.stages.flatMap((stage) => {
      const own = stage.deployments?.find((deployment) => deployment.workload === workload);
      return stage.deployments && !own ? [] : [{ pipeline, stage, after: own?.after ?? [] }];
    }),
  );
}
