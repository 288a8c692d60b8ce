import type { Claim, Sourced } from "remark-lint-claude-md";
import { lineMatching } from "./sourced.ts";
import type { Model } from "./model.ts";
import { inside, isWithin } from "./tree.ts";
import { kind } from "./values-workload.ts";

/** A sentence that denies, or that speaks of the other thing, too, claims nothing. */
const denied = String.raw`^(?!.*(?:ない|しない|せず|ではなく|\bnot?\b|\bnever\b|instead|unlike))`;

/** Copilot's pipelines are CodePipeline's, its services run on ECS and are replaced task by task. */
export function engineClaims(model: Model, everywhere: string[]): Claim[] {
  const claims: Claim[] = [];
  const pipeline = model.pipelines[0];
  if (pipeline)
    claims.push({
      type: "oneOf",
      near: new RegExp(`${denied}.*(?:パイプライン|CI/CD|デプロイ|配備|pipeline|deploy)`, "i"),
      truth: model.sourced("CodePipeline", pipeline.branchAt),
      others: [/GitHub Actions/i, /Jenkins/i, /CircleCI/i, /GitLab CI/i, /Argo ?CD/i],
      in: [`${model.root}/**`],
    });
  const service = model.workloads.find((workload) => kind(workload) === "svc");
  if (service)
    claims.push(
      {
        type: "oneOf",
        near: new RegExp(`${denied}(?!.*(?:ローリング|rolling)).*(?:デプロイ|配備|deploy)`, "i"),
        truth: model.sourced("ローリング更新", service.any.source(["type"])),
        others: [/ブルー ?[//・]? ?グリーン/, /blue[ /-]?green/i, /カナリア/, /canary/i],
        in: everywhere,
      },
      {
        type: "oneOf",
        near: new RegExp(`${denied}.*(?:動く|動かす|走る|載せる|オーケストレーション|run|orchestrat)`, "i"),
        truth: model.sourced("ECS", service.any.source(["type"])),
        others: [/\bEKS\b/, /\bKubernetes\b/i, /\bk8s\b/i, /\bBeanstalk\b/i],
        in: everywhere,
      },
    );
  return claims;
}

/** Versions that stand in one place: of the CLI, of the functions' runtime, of Node in the image. */
export function versionClaims(model: Model, everywhere: string[]): Claim[] {
  return [...cliVersion(model, everywhere), ...runtimes(model), ...imageVersion(model)];
}

/** The version of the CLI that a script below the manifests installs. */
function cliVersion({ tree, root }: Model, files: string[]): Claim[] {
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
  const runtime = first?.runtime;
  if (!first || runtime === undefined || functions.some((each) => each.runtime !== runtime)) return [];
  const truth = model.sourced(runtime, first.runtimeAt);
  // Patches speak of the runtimes of Copilot's own functions, which are others.
  const files = [
    `${model.root}/*.md`,
    `${model.root}/**/addons/**`,
    ...functions.map(({ code }) => `${code}/**`),
  ];
  return [{ type: "value", near: /nodejs\d/, pattern: /\bnodejs\d+\.x\b/, truth, in: files }];
}

/** The image that the containers are built on, where all Dockerfiles agree: `FROM` or `ARG BASE=` `node:24-slim` is `Node 24`. */
function imageVersion({ tree, root, base }: Model): Claim[] {
  const found = tree.paths.flatMap((file): Sourced<string>[] =>
    isDockerfile(file) && isWithin(file, base)
      ? (tree.read(file) ?? "").split("\n").flatMap((line, index) => {
          const version = /^(?:FROM\s+|ARG\s+\w+=)"?(?:\S+\/)?node:(\d+)/i.exec(line)?.[1];
          return version === undefined ? [] : [{ value: version, file, line: index + 1 }];
        })
      : [],
  );
  const [truth, ...others] = found;
  if (!truth || others.some(({ value }) => value !== truth.value)) return [];
  const pattern = /\bNode(?:\.js)? ?v?(\d+)(?![\d.])(?! ?以上|\+| or newer)/;
  return [{ type: "value", near: /\bNode/, pattern, truth, in: [inside(base, "*.md"), `${root}/*.md`] }];
}

/** `Dockerfile`, and `Dockerfile.worker` or `worker.Dockerfile`. */
export function isDockerfile(path: string): boolean {
  return /(?:^|\/)(?:Dockerfile(?:\.[^/]+)?|[^/]+\.Dockerfile)$/.test(path);
}
