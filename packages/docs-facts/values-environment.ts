import { at, itemsOf, type Node, positionOf, type Source, textOf } from "copilot-manifest";
import type { Model } from "./model.ts";
import type { Values } from "./values-workload.ts";
import { placeOf } from "./sourced.ts";
import { nameOf } from "./tree.ts";
import { code, codes, days, list } from "./words.ts";

/** What an environment's manifest says of itself. */
export function environmentValues(model: Model, { name, root, file }: Source): Values {
  const place = placeOf(root, file);
  const value = (path: string[], text: string) => model.sourced(text, root ? positionOf(root, path) : place);
  const stages = model.pipelines.flatMap((pipeline) =>
    pipeline.stages.filter(({ environment }) => environment === name).map((stage) => ({ pipeline, stage })),
  );
  const [first] = stages;
  return {
    infra: value(["type"], "AWS Copilot(Environment)"),
    orchestration: value(["network", "vpc"], `VPC ${network(root)}`),
    region: model.region,
    dependencies: addonFiles(model),
    environment: value([], list(settings(root))),
    deployment: value(["name"], code(`copilot env deploy --name ${name}`)),
    pipelines: first
      ? model.sourced(
          list(
            stages.map(
              ({ pipeline, stage }) =>
                `${code(pipeline.name)}(ブランチ ${code(pipeline.branch)}${stage.approval ? "、承認あり" : ""})`,
            ),
          ),
          first.stage.at,
        )
      : value(["name"], "なし"),
    switch: value(["name"], code(`--env ${name}`)),
    alarms: alarmsEverywhere(model),
  };
}

/** The templates of the addons that every environment has. */
function addonFiles({ environmentAddons: addons, sourced }: Model): Values[string] {
  const [first] = addons?.files ?? [];
  return addons && first !== undefined
    ? sourced(`環境のアドオン ${codes(addons.files.map(nameOf))}`, { file: first, line: 1, column: 1 })
    : undefined;
}

/** What the environments' addons watch. */
function alarmsEverywhere({ environmentAlarms: alarms, sourced }: Model): Values[string] {
  const [first] = alarms;
  return first && sourced(codes(alarms.map(({ name }) => name)), first.at);
}

/** The range and the zones, or whose network it borrows. */
export function network(root: Node | undefined): string {
  const vpc = at(root, "network", "vpc");
  const cidr = textOf(at(vpc, "cidr"));
  const id = textOf(at(vpc, "id"));
  if (id !== undefined) return `${code(id)} を借りる`;
  const zones = new Set(
    ["public", "private"].flatMap((kind) =>
      itemsOf(at(vpc, "subnets", kind)).flatMap((subnet) => textOf(at(subnet, "az")) ?? []),
    ),
  );
  const count = zones.size === 0 ? "" : `、${zones.size} AZ`;
  return cidr === undefined ? "10.0.0.0/16(既定)" : `${cidr}${count}`;
}

/** The switches of an environment, each said whether on or off. */
function settings(root: Node | undefined): string[] {
  return [
    `Container Insights ${onOff(insights(root))}`,
    `フローログ ${flowLogs(root)}`,
    `ALB のアクセスログ ${onOff(isOn(at(root, "http", "public", "access_logs")))}`,
  ];
}

export function insights(root: Node | undefined): boolean {
  return isOn(at(root, "observability", "container_insights"));
}

export function flowLogs(root: Node | undefined): string {
  const logs = at(root, "network", "vpc", "flow_logs");
  const retention = Number(textOf(at(logs, "retention")));
  if (retention > 0) return days(retention);
  return isOn(logs) || logs?.kind === "map" ? days(14) : "なし";
}

/** Copilot reads a map as `true`. */
export function isOn(node: Node | undefined): boolean {
  return node?.kind === "map" || /^(?:true|yes|on|y)$/i.test(textOf(node) ?? "");
}

export function onOff(on: boolean): string {
  return on ? "あり" : "なし";
}

/** Of the folder that holds all environments. */
export function environmentsValues(model: Model): Values {
  const [first] = model.workspace.environmentManifests.values();
  if (!first) return {};
  const value = (text: string) => model.sourced(text, placeOf(first.root, first.file));
  return {
    infra: value("AWS Copilot(Environment)"),
    region: model.region,
    environment: value(list(model.environments)),
    deployment: value(code("copilot env deploy --name <env>")),
    switch: value(code("--env <env>")),
    alarms: alarmsEverywhere(model),
  };
}
