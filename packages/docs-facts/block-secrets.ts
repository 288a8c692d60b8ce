import type { Block } from "./blocks.ts";
import { code, list, table } from "./words.ts";

/** In the folder of the manifests: the names of all secrets, and who reads each. */
export const secretTable: Block = (model, dir) => {
  if (dir !== model.root) return undefined;
  const readers = new Map<string, string[]>();
  for (const { name, in: seen } of model.workloads)
    for (const secret of new Set([...seen.values()].flatMap((each) => Object.keys(each.secrets))))
      readers.set(secret, [...(readers.get(secret) ?? []), name]);
  const first = model.workloads.find(({ any }) => Object.keys(any.secrets).length > 0);
  if (!first) return undefined;
  const rows = [...readers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([secret, names]) => [code(secret), list(names)]);
  return model.sourced(table(["秘密", "読むワークロード"], rows), first.any.source(["secrets"]));
};
