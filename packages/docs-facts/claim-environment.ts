import { at, itemsOf, textOf } from "copilot-manifest";
import type { Claim } from "remark-lint-claude-md";
import type { Model } from "./model.ts";

/** The range and the zones of an environment: only in its own document. */
export function environmentClaims(model: Model): Claim[] {
  return [...model.workspace.environmentManifests.values()].flatMap(({ name, root }): Claim[] => {
    const files = [`${model.root}/environments/${name}/*.md`];
    const cidr = at(root, "network", "vpc", "cidr");
    const range = textOf(cidr);
    const subnets = ["public", "private"].flatMap((kind) =>
      itemsOf(at(root, "network", "vpc", "subnets", kind)),
    );
    const zones = new Set(subnets.flatMap((subnet) => textOf(at(subnet, "az")) ?? []));
    const [first] = subnets;
    return [
      ...(cidr && range !== undefined
        ? [
            {
              type: "value" as const,
              near: /VPC|CIDR/i,
              pattern: /\b\d+\.\d+\.0\.0\/16\b/,
              truth: model.sourced(range, cidr.at),
              in: files,
            },
          ]
        : []),
      ...(first && zones.size > 0
        ? [
            {
              type: "value" as const,
              near: /AZ\b/,
              pattern: /(?<![\d.])(\d)(?= ?(?:つの ?)?AZs?\b)(?!.*失)/,
              truth: model.sourced(String(zones.size), first.at),
              in: files,
            },
          ]
        : []),
    ];
  });
}
