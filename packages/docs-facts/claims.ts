import type { Claim, Sourced } from "remark-lint-claude-md";
import { countClaims } from "./claim-counts.ts";
import { engineClaims, versionClaims } from "./claim-engines.ts";
import { environmentClaims } from "./claim-environment.ts";
import { nameClaims } from "./claim-names.ts";
import { workloadClaims } from "./claim-workload.ts";
import type { Model } from "./model.ts";
import { inside, parentOf } from "./tree.ts";

/**
 * What prose below the manifests, in the code's folders and in the root may not contradict. The patterns ask for more
 * than a bare number, because a document may well speak of one environment or two services out of many.
 */
export function claimsOf(model: Model): Claim[] {
  const folders = codeFolders(model);
  const everywhere = [inside(model.base, "*.md"), `${model.root}/**`, ...folders];
  return [
    ...countClaims(model),
    ...sets(model, everywhere),
    ...engineClaims(model, [`${model.root}/**`, ...folders]),
    ...(model.region ? [region(model.region, everywhere)] : []),
    ...versionClaims(model, everywhere),
    ...environmentClaims(model),
    ...nameClaims(model, everywhere),
    ...model.pipelines.map((pipeline): Claim => ({
      type: "value",
      near: /ブランチ|branch/i,
      pattern: /(?<=`)[\w./-]+(?=` ?ブランチ)|(?<=(?:ブランチ ?|branch )`)[\w./-]+(?=`)/,
      truth: model.sourced(pipeline.branch, pipeline.branchAt),
      in: [`${inside(model.base, pipeline.dir)}/*.md`],
    })),
    ...model.workloads.flatMap((workload) => workloadClaims(model, workload)),
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

function codeFolders({ workloads }: Model): string[] {
  const folders = workloads.flatMap(({ code }) =>
    code === undefined ? [] : [`${code}/**`, `${parentOf(code)}/*.md`],
  );
  return [...new Set(folders)];
}

const regions =
  /\b(?:us|eu|ap|sa|ca|me|af|il|mx)-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-[1-9]\b/;

/** Where AWS keeps what is global, no workspace decides. */
const elsewhere = /^(?!.*(?:CloudFront|CDN|Route ?53|WAF))/;

function region(truth: Sourced<string>, files: string[]): Claim {
  return { type: "value", near: elsewhere, pattern: regions, truth, in: files };
}
