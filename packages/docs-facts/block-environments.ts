import { at, type Node } from "copilot-manifest";
import type { Block } from "./blocks.ts";
import type { Model } from "./model.ts";
import { flowLogs, insights, isOn, network, onOff } from "./values-environment.ts";
import { code, list, table } from "./words.ts";

/** In the folder of the environments: what each has. */
export const environmentTable: Block = (model, dir) => {
  const manifests = model.environments.flatMap((name) => {
    const manifest = model.workspace.environmentManifests.get(name);
    return manifest ? [manifest] : [];
  });
  const [first] = manifests;
  if (dir !== `${model.root}/environments` || !first) return undefined;
  const row = (title: string, cell: (root: Node | undefined) => string) => [
    title,
    ...manifests.map(({ root }) => cell(root)),
  ];
  const rows = [
    row("VPC", network),
    ["パイプライン", ...manifests.map(({ name }) => deploying(model, name))],
    row("フローログ", flowLogs),
    row("Container Insights", (root) => onOff(insights(root))),
    row("ALB のアクセスログ", (root) => onOff(isOn(at(root, "http", "public", "access_logs")))),
  ];
  return model.sourced(table(["設定", ...manifests.map(({ name }) => name)], rows), {
    file: first.file,
    line: 1,
    column: 1,
  });
};

function deploying({ pipelines }: Model, environment: string): string {
  const found = pipelines.flatMap((pipeline) =>
    pipeline.stages
      .filter((stage) => stage.environment === environment)
      .map(({ approval }) => `${code(pipeline.branch)}${approval ? "(承認)" : ""}`),
  );
  return found.length === 0 ? "手で" : list(found);
}
