import { entriesOf, type Node } from "copilot-manifest";
import type { Block } from "./blocks.ts";
import { code, table } from "./words.ts";

/** In a workload's folder: what its manifest sets differently somewhere, and what that means in every environment. */
export const overrideTable: Block = (model, dir) => {
  const workload = model.workloads.find((each) => each.dir === dir);
  const root = workload && model.workspace.workloads.get(workload.name)?.root;
  const written = root?.entries.get("environments");
  if (!workload || !written) return undefined;
  const paths = new Map<string, string[]>();
  for (const [, { value }] of entriesOf(written.value))
    for (const path of leaves(value)) paths.set(path.join("."), path);
  if (paths.size === 0) return undefined;
  const order = Object.keys(workload.any.manifest);
  const place = ([, [key = ""]]: [string, string[]]) => order.indexOf(key);
  const rows = [...paths]
    .toSorted((a, b) => place(a) - place(b))
    .map(([name, path]) => [
      code(name),
      ...model.environments.map((environment) => shown(workload.in.get(environment)?.manifest, path)),
    ]);
  return model.sourced(table(["設定", ...model.environments], rows), written.key);
};

function leaves(node: Node | undefined): string[][] {
  if (node?.kind !== "map" || node.entries.size === 0) return [[]];
  return entriesOf(node).flatMap(([key, { value }]) => leaves(value).map((path) => [key, ...path]));
}

function shown(manifest: unknown, path: readonly string[]): string {
  let current = manifest;
  for (const step of path)
    current =
      typeof current === "object" && current !== null
        ? (current as Record<string, unknown>)[step]
        : undefined;
  if (current === undefined || current === null) return "–";
  return code(typeof current === "string" ? current : JSON.stringify(current));
}
