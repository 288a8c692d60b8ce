import { at, itemsOf, textOf, type Workspace } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { lineMatching, type SourcedAt } from "./sourced.ts";
import { isWithin, type Tree } from "./tree.ts";

const name = "[a-z]{2}(?:-[a-z]+)+-[1-9]";
const sets = new RegExp(String.raw`(?:AWS_(?:DEFAULT_)?REGION["']?\s*[=:]|--region[ =])\s*["']?(${name})\b`);

/**
 * The region that the workspace is deployed to. No manifest sets it: it stands in a script or a buildspec below the
 * workspace's folder; where none does, the zones of the environments' subnets give it away.
 */
export function regionOf(
  workspace: Workspace,
  root: string,
  tree: Tree,
  sourced: SourcedAt,
): Sourced<string> | undefined {
  for (const file of tree.paths) {
    if (!isWithin(file, root) || !/(?:\.sh|buildspec[^/]*\.ya?ml)$/.test(file)) continue;
    const found = lineMatching(tree.read(file) ?? "", sets);
    if (found) return { value: found.match[1] as string, file, line: found.line };
  }
  for (const { root: manifest } of workspace.environmentManifests.values())
    for (const kind of ["public", "private"])
      for (const subnet of itemsOf(at(manifest, "network", "vpc", "subnets", kind))) {
        const zone = at(subnet, "az");
        const region = new RegExp(`^(${name})[a-z]$`).exec(textOf(zone) ?? "")?.[1];
        if (zone && region !== undefined) return sourced(region, zone.at);
      }
  return undefined;
}
