import type { Claim } from "remark-lint-claude-md";
import type { Model, WorkloadModel } from "./model.ts";
import { inside, parentOf } from "./tree.ts";
import { kind } from "./values-workload.ts";

/** What stands between a number and its noun: `3 つの`, `11 個の`, `3 本の`. */
const unit = "^ ?(?:個の|つの|本の|の)? ?";

interface Counted {
  noun: RegExp;
  of: (workload: WorkloadModel) => boolean;
}

/** What documents count: all services, or those of one type by the name that people have for it. */
const counted: Counted[] = [
  {
    noun: new RegExp(String.raw`${unit}(?:コンテナ)?サービス|^ services\b`),
    of: (each) => kind(each) === "svc",
  },
  {
    noun: new RegExp(String.raw`${unit}ジョブ|${unit}jobs?(?![-\w])|^ scheduled jobs\b`),
    of: (each) => kind(each) === "job",
  },
  {
    noun: new RegExp(String.raw`${unit}ワーカー|${unit}workers?(?![-\w])`),
    of: ({ type }) => type === "Worker Service",
  },
  { noun: new RegExp(String.raw`${unit}ワークロード|^ workloads\b`), of: () => true },
];

/** Numbers of everything, where everything is spoken of: a document may well speak of two services out of many. */
export function countClaims(model: Model): Claim[] {
  const { root, workloads, environments, pipelines, sourced } = model;
  const all = [inside(model.base, "*.md"), `${root}/*.md`];
  const [environment] = model.workspace.environmentManifests.values();
  const [pipeline] = pipelines;
  return [
    ...countsOf(model, workloads, all),
    ...sharedFolders(model),
    ...topics(model),
    ...(environment
      ? [
          {
            type: "count" as const,
            noun: /^ ?(?:つの|個の|の)環境(?!変数)|^ environments\b/,
            truth: sourced(environments.length, { file: environment.file, line: 1, column: 1 }),
            in: [...all, `${root}/environments/*.md`],
          },
        ]
      : []),
    ...(pipeline
      ? [
          {
            type: "count" as const,
            noun: new RegExp(String.raw`${unit}パイプライン|^ pipelines\b`),
            truth: sourced(pipelines.length, pipeline.branchAt),
            in: [...all, `${root}/pipelines/*.md`],
          },
        ]
      : []),
    ...pipelines.flatMap(({ dir, stages: [stage, ...others] }): Claim[] =>
      stage && others.length === 0
        ? [
            {
              type: "count",
              noun: /^ ?(?:個|つ)の(?:イメージ|ワークロード)|^ images\b/,
              truth: sourced(stage.deployments?.length ?? workloads.length, stage.at),
              in: [inside(inside(model.base, dir), "*.md")],
            },
          ]
        : [],
    ),
  ];
}

function countsOf(model: Model, workloads: readonly WorkloadModel[], files: string[]): Claim[] {
  return counted.flatMap(({ noun, of }): Claim[] => {
    const [first, ...others] = workloads.filter(of);
    if (!first) return [];
    const truth = model.sourced(others.length + 1, first.any.source(["type"]));
    return [{ type: "count", noun, truth, in: files }];
  });
}

/** A folder of addons or overrides that several workloads link to: of each type as many as it says. */
function sharedFolders(model: Model): Claim[] {
  const { root, tree, workloads } = model;
  const owners = Map.groupBy(
    workloads.flatMap((workload) =>
      ["addons", "overrides"].map((name) => ({ workload, dir: tree.real(inside(workload.dir, name)) })),
    ),
    ({ dir }) => dir,
  );
  return [...owners].flatMap(([dir, own]) =>
    own.length < 2 || parentOf(dir) === root
      ? []
      : countsOf(
          model,
          own.map(({ workload }) => workload),
          [`${dir}/*.md`],
        ),
  );
}

/** Where one workload publishes everything, its document says how many topics there are. */
function topics({ workloads, sourced }: Model): Claim[] {
  const [publisher, ...others] = workloads.filter(({ any }) => any.publishes.length > 0);
  if (!publisher || others.length > 0) return [];
  const [first] = publisher.any.publishes;
  return first
    ? [
        {
          type: "count",
          noun: /^ ?(?:個の|つの) ?トピック|^ topics\b/,
          truth: sourced(publisher.any.publishes.length, first.at),
          in: [`${publisher.dir}/*.md`],
        },
      ]
    : [];
}
