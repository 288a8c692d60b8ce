import { at, itemsOf, textOf, type Workspace } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import type { SourcedAt } from "./sourced.ts";
import { isWithin, type Tree } from "./tree.ts";

const name = "[a-z]{2}(?:-[a-z]+)+-[1-9]";
const sets = new RegExp(String.raw`(?:AWS_(?:DEFAULT_)?REGION["']?\s*[=:]|--region[ =])\s*["']?(${name})\b`);

/**
 * The region that the workspace is deployed to. No manifest sets it: it stands in a script or a buildspec below the
 * workspace's folder; where none does, the zones of the environments' subnets give it away. Where they name several,
 * none is everybody's.
 */
export function regionOf(
  workspace: Workspace,
  root: string,
  tree: Tree,
  sourced: SourcedAt,
): Sourced<string> | undefined {
  const found = inScripts(root, tree);
  const named = found.length > 0 ? found : inZones(workspace, sourced);
  return new Set(named.map(({ value }) => value)).size === 1 ? named[0] : undefined;
}

function inScripts(root: string, tree: Tree): Sourced<string>[] {
  return tree.paths.flatMap((file) => {
    if (!isWithin(file, root) || !/(?:\.sh|buildspec[^/]*\.ya?ml)$/.test(file)) return [];
    const lines = (tree.read(file) ?? "").split("\n");
    return lines.flatMap((line, index) => {
      const value = sets.exec(line)?.[1];
      return value === undefined ? [] : [{ value, file, line: index + 1 }];
    });
  });
}

function inZones(workspace: Workspace, sourced: SourcedAt): Sourced<string>[] {
  return [...workspace.environmentManifests.values()].flatMap(({ root }) =>
    ["public", "private"].flatMap((kind) =>
      itemsOf(at(root, "network", "vpc", "subnets", kind)).flatMap((subnet) => {
        const zone = at(subnet, "az");
        const region = new RegExp(`^(${name})[a-z]$`).exec(textOf(zone) ?? "")?.[1];
        return zone && region !== undefined ? [sourced(region, zone.at)] : [];
      }),
    ),
  );
}
