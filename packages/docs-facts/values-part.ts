import type { AddonStack } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { type Alarm, alarmsIn } from "./alarms.ts";
import type { Model, WorkloadModel } from "./model.ts";
import { inside, isWithin, nameOf } from "./tree.ts";
import type { Pipeline } from "./pipelines.ts";
import { pipelineValues } from "./values-pipeline.ts";
import { type Values, workloadValues } from "./values-workload.ts";
import { code, codes, list } from "./words.ts";

/** Folders of addons and overrides: of one workload, of the environments, or shared by those that link to them. */
export function partValues(model: Model, dir: string): Values {
  const { root, tree } = model;
  const kind = ["addons", "overrides"].find((word) => dir.split("/").includes(word));
  if (kind === undefined) return { region: model.region };
  const place = { file: tree.paths.find((path) => isWithin(path, dir)) ?? root, line: 1 };
  const values: Values = {
    infra: { value: `AWS Copilot(${kind})`, ...place },
    orchestration: {
      value: kind === "addons" ? "CloudFormation の入れ子のスタック" : "描いたテンプレートへのパッチ",
      ...place,
    },
    region: model.region,
  };
  if (dir === `${root}/environments/addons`)
    return {
      ...values,
      service: services(model.environmentAddons, place),
      deployment: { value: "環境のスタックと一緒に", ...place },
      alarms: alarms(model, model.environmentAlarms, place),
    };
  if (dir === `${root}/environments/overrides`)
    return { ...values, deployment: { value: "環境のスタックと一緒に", ...place } };
  const pipeline = model.pipelines.find((each) => inside(inside(model.base, each.dir), kind) === dir);
  if (pipeline) return { ...values, ...pipelinePart(model, pipeline) };
  const owners = model.workloads.filter((workload) => tree.real(inside(workload.dir, kind)) === dir);
  const [owner] = owners;
  if (owner) return { ...values, ...ofOwners(model, kind, [owner, ...owners.slice(1)], place) };
  return { ...values, ...(kind === "addons" ? ofHome(model, dir, place) : {}) };
}

/** Patches of a pipeline's own stack: the command that deploys the pipeline applies them, no push does. */
function pipelinePart(model: Model, pipeline: Pipeline): Values {
  const { environment, pipelines } = pipelineValues(model, pipeline);
  const command = code(`copilot pipeline deploy --name ${pipeline.name}`);
  return {
    environment,
    pipelines,
    deployment: model.sourced(command, { file: pipeline.file, line: 1, column: 1 }),
  };
}

/** What the templates of a folder make wherever others link to them; none of its own is deployed. */
function ofHome(model: Model, dir: string, place: Place): Values {
  const { base, tree } = model;
  // A link to a file reads as the file itself: the template here is the one with the same name and the same text.
  const isHere = ({ file }: { file: string }): boolean => {
    const text = tree.read(inside(dir, nameOf(file)));
    return text !== undefined && text === tree.read(inside(base, file));
  };
  const stacks = [model.environmentAddons, ...model.workloads.map(({ addons }) => addons)];
  const types = stacks.flatMap((stack) =>
    [...(stack?.resources.values() ?? [])].filter(({ at }) => isHere(at)).map(({ type }) => type),
  );
  if (types.length === 0) return {};
  const all = [...model.environmentAlarms, ...model.workloads.flatMap((workload) => workload.alarms)];
  return {
    service: namesOf(types, place),
    alarms: alarms(
      model,
      all.filter(({ at }) => isHere(at)),
      place,
    ),
  };
}

type Place = { file: string; line: number };

/** What is deployed with the stacks of these workloads. */
function ofOwners(
  model: Model,
  kind: string,
  owners: readonly [WorkloadModel, ...WorkloadModel[]],
  place: Place,
): Values {
  const [owner] = owners;
  const of = owners.map((each) => workloadValues(model, each));
  const same = (key: string): Sourced<string> | undefined =>
    new Set(of.map((values) => values[key]?.value)).size === 1 ? of[0]?.[key] : undefined;
  const made = owner.alarms.filter(({ at }) => nameOf(at.file).startsWith("cfn.") === (kind === "overrides"));
  return {
    ...(kind === "addons" ? { service: services(owner.addons, place) } : {}),
    deployment: { value: `${codes(owners.map(({ name }) => name))} のスタックと一緒に`, ...place },
    pipelines: same("pipelines"),
    switch: same("switch"),
    alarms: alarms(model, kind === "addons" ? alarmsIn(owner.addons) : made, place),
  };
}

/** AWS's names for what an addon stack makes. */
function services(stack: AddonStack | undefined, place: Place): Sourced<string> | undefined {
  return (
    stack &&
    namesOf(
      [...stack.resources.values()].map(({ type }) => type),
      place,
    )
  );
}

function namesOf(types: readonly string[], place: Place): Sourced<string> {
  return { value: list([...new Set(types.map((type) => type.split("::")[1] ?? type))].sort()), ...place };
}

function alarms(model: Model, own: readonly Alarm[], place: Place): Sourced<string> {
  const [first] = own;
  return first ? model.sourced(codes(own.map(({ name }) => name)), first.at) : { value: "なし", ...place };
}
