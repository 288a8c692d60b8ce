import type { Claim, Sourced } from "remark-lint-claude-md";
import { type Model, unnamed, type WorkloadModel } from "./model.ts";
import { kind, size } from "./values-workload.ts";
import { lineMatching } from "./sourced.ts";
import { isWithin, parentOf } from "./tree.ts";

/**
 * What prose below the manifests, in the code's folders and in the root may not contradict. The patterns ask for more
 * than a bare number, because a document may well speak of one environment or two services out of many.
 */
export function claimsOf(model: Model): Claim[] {
  const everywhere = ["*.md", `${model.root}/**`, ...codeFolders(model)];
  return [
    ...counts(model),
    ...sets(model, everywhere),
    ...engines(model),
    ...(model.region ? [region(model.region, everywhere)] : []),
    ...version(model, everywhere),
    ...runtimes(model),
    ...model.pipelines.map((pipeline): Claim => ({
      type: "value",
      near: /ブランチ|branch/i,
      pattern: /(?<=`)[\w./-]+(?=` ?ブランチ)|(?<=(?:ブランチ ?|branch )`)[\w./-]+(?=`)/,
      truth: model.sourced(pipeline.branch, pipeline.branchAt),
      in: [`${below(model, pipeline.dir)}/CLAUDE.md`],
    })),
    ...model.workloads.flatMap((workload) => workloadClaims(model, workload)),
  ];
}

function below({ base }: Model, path: string): string {
  return base === "" ? path : `${base}/${path}`;
}

/** Numbers of everything, where everything is spoken of. */
function counts(model: Model): Claim[] {
  const { root, workloads, environments, pipelines } = model;
  const services = workloads.filter((workload) => kind(workload) === "svc");
  const jobs = workloads.filter((workload) => kind(workload) === "job");
  const all = ["*.md", `${root}/*.md`];
  const count = (
    truth: number,
    first: { any: WorkloadModel["any"] } | undefined,
    noun: RegExp,
    files: string[],
  ): Claim[] =>
    first
      ? [{ type: "count", noun, truth: model.sourced(truth, first.any.source(["type"])), in: files }]
      : [];
  const manifest = [...model.workspace.environmentManifests.values()][0];
  const pipeline = pipelines[0];
  return [
    ...count(services.length, services[0], /^ ?(?:個の|つの|の)? ?(?:コンテナ)?サービス|^ services\b/, all),
    ...count(jobs.length, jobs[0], /^ ?(?:個の|つの|の)? ?ジョブ|^ (?:scheduled )?jobs\b/, all),
    ...count(workloads.length, workloads[0], /^ ?(?:個の|つの|の)? ?ワークロード|^ workloads\b/, all),
    ...(manifest
      ? [
          {
            type: "count" as const,
            noun: /^ ?(?:つの|個の|の)環境(?!変数)|^ environments\b/,
            truth: model.sourced(environments.length, { file: manifest.file, line: 1, column: 1 }),
            in: ["*.md", `${root}/*.md`, `${root}/environments/*.md`],
          },
        ]
      : []),
    ...(pipeline
      ? [
          {
            type: "count" as const,
            noun: /^ ?(?:本の|つの|個の|の)?パイプライン|^ pipelines\b/,
            truth: model.sourced(pipelines.length, pipeline.branchAt),
            in: ["*.md", `${root}/*.md`, `${root}/pipelines/*.md`],
          },
        ]
      : []),
  ];
}

function sets(model: Model, files: string[]): Claim[] {
  const manifest = [...model.workspace.environmentManifests.values()][0];
  const pipeline = model.pipelines[0];
  return [
    ...(manifest
      ? [
          {
            type: "set" as const,
            near: /\d+ ?つの環境[((]|環境は ?\d+ ?つ[((]|^\s*(?:[-*] )?(?:\*\*)?(?:環境(?:一覧)?|[Ee]nvironments)(?:\*\*)?[::] ?/,
            truth: model.sourced(model.environments, { file: manifest.file, line: 1, column: 1 }),
            in: files,
          },
        ]
      : []),
    ...(pipeline
      ? [
          {
            type: "set" as const,
            near: /\d+ ?本のパイプライン[((]|^\s*(?:[-*] )?(?:\*\*)?(?:パイプライン一覧|[Pp]ipelines)(?:\*\*)?[::] ?/,
            truth: model.sourced(
              model.pipelines.map(({ name }) => name),
              pipeline.branchAt,
            ),
            in: files,
          },
        ]
      : []),
  ];
}

/** Copilot's pipelines are CodePipeline's, and its services are replaced task by task. */
function engines(model: Model): Claim[] {
  const claims: Claim[] = [];
  const pipeline = model.pipelines[0];
  if (pipeline)
    claims.push({
      type: "oneOf",
      near: /パイプライン|CI\/CD|デプロイ|配備|pipeline/i,
      truth: model.sourced("CodePipeline", pipeline.branchAt),
      others: [/GitHub Actions/i, /Jenkins/i, /CircleCI/i, /GitLab CI/i, /Argo ?CD/i],
      in: [`${model.root}/**`],
    });
  const service = model.workloads.find((workload) => kind(workload) === "svc");
  if (service)
    claims.push({
      type: "oneOf",
      near: /デプロイ|配備|deploy/i,
      truth: model.sourced("ローリング更新", service.any.source(["type"])),
      others: [/ブルー ?[//・]? ?グリーン/, /blue[ /-]?green/i, /カナリア/, /canary/i],
      in: [`${model.root}/**`, ...codeFolders(model)],
    });
  return claims;
}

function codeFolders({ workloads }: Model): string[] {
  const folders = workloads.flatMap(({ code }) =>
    code === undefined ? [] : [`${code}/**`, `${parentOf(code)}/*.md`],
  );
  return [...new Set(folders)];
}

const regions =
  /\b(?:us|eu|ap|sa|ca|me|af|il|mx)-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-[1-9]\b/;

function region(truth: Sourced<string>, files: string[]): Claim {
  return { type: "value", near: regions, pattern: regions, truth, in: files };
}

/** The version of the CLI that a script below the manifests installs. */
function version({ tree, root }: Model, files: string[]): Claim[] {
  for (const file of tree.paths) {
    if (!isWithin(file, root) || !/(?:\.sh|buildspec[^/]*\.ya?ml)$/.test(file)) continue;
    const found = lineMatching(tree.read(file) ?? "", /copilot-cli\/releases\/download\/v(\d+\.\d+\.\d+)/);
    if (found)
      return [
        {
          type: "value",
          near: /copilot|CLI/i,
          pattern: /\b(?:CLI|[Cc]opilot) ?v?(\d+\.\d+\.\d+)/,
          truth: { value: found.match[1] as string, file, line: found.line },
          in: files,
        },
      ];
  }
  return [];
}

/** Of the functions in addons, where all agree. */
function runtimes(model: Model): Claim[] {
  const functions = model.workloads.flatMap((workload) => workload.functions);
  const [first] = functions;
  if (!first || functions.some(({ runtime }) => runtime !== first.runtime)) return [];
  const truth = model.sourced(first.runtime, first.runtimeAt);
  // Patches speak of the runtimes of Copilot's own functions, which are others.
  const files = [
    `${model.root}/*.md`,
    `${model.root}/**/addons/**`,
    ...functions.map(({ code }) => `${code}/**`),
  ];
  return [{ type: "value", near: /nodejs\d/, pattern: /\bnodejs\d+\.x\b/, truth, in: files }];
}

/** Sizes per environment, ports, tries: only in the documents of that workload. */
function workloadClaims(model: Model, workload: WorkloadModel): Claim[] {
  const { any, dir, code } = workload;
  const files = [dir, ...(code === undefined ? [] : [code])].map((each) => `${each}/CLAUDE.md`);
  const claims: Claim[] = [];
  for (const [environment, seen] of workload.in)
    if (environment !== unnamed)
      claims.push({
        type: "value",
        near: new RegExp(String.raw`\b${environment}\b`),
        pattern: new RegExp(String.raw`\b${environment} ?(?:は ?)?(\d+\/\d+)\b`),
        truth: model.sourced(size(seen).split(" ")[0] ?? "", seen.source(["cpu"])),
        in: files,
      });
  if (any.image.port !== undefined)
    claims.push({
      type: "value",
      near: /ポート|port/i,
      pattern: /(?:ポート ?|\bport )(\d{2,5})\b/,
      truth: model.sourced(String(any.image.port), any.source(["image", "port"])),
      in: files,
    });
  const tries = any.queue?.deadLetter?.tries;
  if (tries !== undefined)
    claims.push({
      type: "value",
      near: /DLQ|dead.letter/i,
      pattern: /(?<=(?:試行|受信) ?)\d+(?= ?回)|\d+(?= ?回(?:の受信|で DLQ))/,
      truth: model.sourced(String(tries), any.source(["subscribe", "queue", "dead_letter", "tries"])),
      in: files,
    });
  return claims;
}
