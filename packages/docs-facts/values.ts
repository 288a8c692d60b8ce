import { type AddonStack, at, type Node, textOf } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { textsIn } from "./mappings.ts";
import type { FunctionModel, Model, WorkloadModel } from "./model.ts";
import { environmentsValues, environmentValues } from "./values-environment.ts";
import { partValues } from "./values-part.ts";
import { pipelinesValues, pipelineValues } from "./values-pipeline.ts";
import { type Values, workloadValues } from "./values-workload.ts";
import { inside, nameOf, parentOf } from "./tree.ts";
import { code, codes, daysIn, list } from "./words.ts";

/** Every value that a directory has, by key. */
export function valuesOf(model: Model, dir: string): Values {
  return { ...fromPackage(model, dir), ...defined(fromWorkspace(model, dir)) };
}

function defined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function fromWorkspace(model: Model, dir: string): Values {
  const { root, workloads, workspace } = model;
  const own = workloads.find((workload) => workload.dir === dir);
  if (own) return workloadValues(model, own);
  const [coded, ...others] = workloads.filter((workload) => workload.code === dir);
  // A folder that several workloads are built from has no type, size or queue of its own.
  if (others.length > 0) return { region: model.region };
  // What the code needs stands in its package.json.
  if (coded) return { ...workloadValues(model, coded), dependencies: undefined };
  const lambda = workloads.flatMap(({ functions }) => functions).find((made) => made.code === dir);
  if (lambda) return functionValues(model, lambda);
  if (dir === root) return rootValues(model);
  if (dir === `${root}/environments`) return environmentsValues(model);
  if (dir === `${root}/pipelines`) return pipelinesValues(model);
  if (parentOf(dir) === `${root}/environments`) {
    const environment = workspace.environmentManifests.get(nameOf(dir));
    if (environment) return environmentValues(model, environment);
  }
  const pipeline = model.pipelines.find((each) => inside(model.base, each.dir) === dir);
  if (pipeline) return pipelineValues(model, pipeline);
  if (dir.startsWith(`${root}/`)) return partValues(model, dir);
  return groupValues(model, dir);
}

function fromPackage({ packages }: Model, dir: string): Values {
  const own = packages.get(dir);
  // The root's dependencies are the tools of all, not what it is made of.
  if (!own || dir === "" || own.dependencies.length === 0) return {};
  return {
    dependencies: {
      value: codes(own.dependencies),
      file: own.file,
      line: own.line("dependencies"),
    },
  };
}

function rootValues(model: Model): Values {
  const [first] = model.workspace.environmentManifests.values();
  return {
    ...pipelinesValues(model),
    infra: model.sourced("AWS Copilot", { file: "copilot/.workspace", line: 1, column: 1 }),
    environment: first && model.sourced(list(model.environments), { file: first.file, line: 1, column: 1 }),
  };
}

/** A folder that holds the code of workloads: `workers`, `jobs`. */
function groupValues(model: Model, dir: string): Values {
  const members = model.workloads.filter(
    ({ code: folder }) => folder !== undefined && parentOf(folder) === dir,
  );
  const [first] = members;
  if (!first || dir === "") return functionGroupValues(model, dir);
  const types = Map.groupBy(members, ({ type }) => type);
  return {
    infra: model.sourced(
      `AWS Copilot(${list([...types].map(([type, own]) => `${type} ${own.length} つ`))})`,
      first.any.source(["type"]),
    ),
    region: model.region,
    pipelines: groupPipelines(model, members),
  };
}

/** A folder that holds the code of addons' functions. */
function functionGroupValues(model: Model, dir: string): Values {
  const made = model.workloads
    .flatMap(({ functions }) => functions)
    .filter((each) => parentOf(each.code) === dir);
  const [first] = made;
  if (!first || dir === "") return {};
  return {
    infra: model.sourced(`AWS Copilot(アドオンの Lambda ${made.length} つ)`, first.at),
    container: model.sourced(
      `Lambda(${list([...new Set(made.flatMap(({ runtime }) => runtime ?? []))])})`,
      first.runtimeAt,
    ),
    region: model.region,
  };
}

function groupPipelines(model: Model, members: readonly WorkloadModel[]): Sourced<string> | undefined {
  const values = members.map((member) => workloadValues(model, member)["pipelines"]);
  const names = new Set(values.map((value) => value?.value.split("。")[0]));
  const [first] = values;
  return first && names.size === 1 ? { ...first, value: first.value.split("。")[0] ?? "" } : undefined;
}

function functionValues(model: Model, made: FunctionModel): Values {
  const owner = model.workloads.find(({ name }) => name === made.owner);
  if (!owner) return {};
  const of = workloadValues(model, owner);
  return {
    infra: model.sourced(`AWS Copilot(${code(made.owner)} のアドオン)`, made.at),
    deployment: model.sourced(`${code(made.owner)} のスタックと一緒に`, made.at),
    container: model.sourced(`Lambda(${lambdaSize(made)})`, made.runtimeAt),
    region: model.region,
    pipelines: of["pipelines"],
    switch: of["switch"],
    logs: functionLogs(model, owner, made),
    alarms: functionAlarms(model, owner, made),
  };
}

/** Those of the template that the function stands in. */
function functionAlarms(model: Model, { alarms }: WorkloadModel, made: FunctionModel): Sourced<string> {
  const own = alarms.filter(({ at: place }) => place.file === made.at.file);
  return own[0]
    ? model.sourced(codes(own.map(({ name }) => name)), own[0].at)
    : model.sourced("なし", made.at);
}

function lambdaSize({ runtime, memory, timeout }: FunctionModel): string {
  return list([
    ...(runtime === undefined ? [] : [runtime]),
    ...(memory === undefined ? [] : [`${memory} MB`]),
    ...(timeout === undefined ? [] : [`${timeout} 秒`]),
  ]);
}

function functionLogs(model: Model, owner: WorkloadModel, made: FunctionModel): Sourced<string> | undefined {
  const resources = owner.addons?.resources;
  const group = textOf(at(resources?.get(made.id)?.properties, "LoggingConfig", "LogGroup", "Ref"));
  const logs = group === undefined ? undefined : resources?.get(group);
  if (!logs) return undefined;
  const written = at(logs.properties, "LogGroupName");
  const name = (textOf(written) ?? textOf(at(written, "Fn::Sub")) ?? "")
    .replaceAll("${App}", model.application)
    .replaceAll("${Env}", "<env>")
    .replaceAll("${Name}", made.owner);
  const kept = retention(at(logs.properties, "RetentionInDays"), owner.addons, model.environments);
  return name === "" ? undefined : model.sourced(`CloudWatch Logs ${code(name)}${kept}`, logs.at);
}

/** How long a log group of an addon keeps its lines, in brackets; nothing where that is computed in another way. */
function retention(
  node: Node | undefined,
  stack: AddonStack | undefined,
  environments: readonly string[],
): string {
  if (node === undefined) return "(消えない)";
  const kept = textsIn(node, stack?.mappings, environments);
  return kept === undefined ? "" : `(${daysIn(kept)})`;
}
