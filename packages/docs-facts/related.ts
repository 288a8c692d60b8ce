import type { Model } from "./model.ts";

/** The directories that the document of `dir` must link to: manifest and code of a workload point at each other. */
export function relatedTo({ workloads }: Model, dir: string): string[] {
  return workloads.flatMap(({ dir: own, code, functions }) => {
    if (dir === own) return code === undefined ? [] : [code];
    if (dir === code || functions.some((made) => made.code === dir)) return [own];
    return [];
  });
}
