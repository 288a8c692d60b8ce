import type { Block } from "./blocks.ts";
import { codes } from "./words.ts";

/** In a workload's folder: the names of its variables and secrets; their values stand in the manifest alone. */
export const variableList: Block = (model, dir) => {
  const workload = model.workloads.find((each) => each.dir === dir);
  if (!workload) return undefined;
  const seen = [...workload.in.values()];
  const variables = [...new Set(seen.flatMap((each) => Object.keys(each.variables)))];
  const secrets = [...new Set(seen.flatMap((each) => Object.keys(each.secrets)))];
  if (variables.length + secrets.length === 0) return undefined;
  return model.sourced(
    [
      `- 変数: ${variables.length === 0 ? "なし" : codes(variables)}`,
      `- 秘密: ${secrets.length === 0 ? "なし" : codes(secrets)}`,
    ].join("\n"),
    workload.any.source(["variables"]),
  );
};
