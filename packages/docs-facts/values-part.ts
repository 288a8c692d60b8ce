import type { AddonStack } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { type Alarm, alarmsIn } from "./alarms.ts";
import type { Model, WorkloadModel } from "./model.ts";
import { inside, isWithin, nameOf } from "./tree.ts";
import { type Values, workloadValues } from "./values-workload.ts";
import { codes, list } from "./words.ts";

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
  const owners = model.workloads.filter((workload) => tree.real(inside(workload.dir, kind)) === dir);
  const [owner] = owners;
  return owner ? { ...values, ...ofOwners(model, kind, [owner, ...owners.slice(1)], place) } : values;
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
  if (!stack) return undefined;
  const types = [...stack.resources.values()].map(({ type }) => type.split("::")[1] ?? type);
  return { value: list([...new Set(types)].sort()), ...place };
}

function alarms(model: Model, own: readonly Alarm[], place: Place): Sourced<string> {
  const [first] = own;
  return first ? model.sourced(codes(own.map(({ name }) => name)), first.at) : { value: "なし", ...place };
}
