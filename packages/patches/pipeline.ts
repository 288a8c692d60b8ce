import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { Mistake } from "./patch.ts";

type Stage = { name: string; requires_approval?: boolean; pre_deployments?: Record<string, unknown> };

/**
 * A pipeline's patches: those of packages/patches/pipeline.patches.yml for its environment. The three differ in names alone, but names
 * stand within them, where no link and no `!Ref` can vary them.
 */
export function pipelinePatches(root: string, application: string, manifest: string): string {
  const { stages } = parse(readFileSync(join(root, manifest), "utf8")) as { stages: Stage[] };
  const [stage] = stages;
  if (stage === undefined || stages.length > 1)
    throw new Mistake(`${manifest}: teach packages/patches a pipeline that has not exactly one stage.`);
  const migrate = Object.keys(stage.pre_deployments ?? {}).indexOf("migrate");
  if (migrate < 0)
    throw new Mistake(`${manifest}: its stage has no pre_deployments.migrate, whose role is narrowed.`);
  const values: Record<string, string> = {
    application,
    environment: stage.name,
    // A stage's actions: the approval if there is one, then what comes before the deployments.
    migrate: String(migrate + Number(stage.requires_approval === true)),
  };
  const text = readFileSync(join(import.meta.dirname, "pipeline.patches.yml"), "utf8");
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Mistake(`packages/patches/pipeline.patches.yml: there is no {{${name}}}.`);
    return value;
  });
}
