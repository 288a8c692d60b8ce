import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { pipelinePatches } from "./pipeline.ts";

function patches(manifest: string): { path: string }[] {
  const root = mkdtempSync(join(tmpdir(), "patches-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "manifest.yml"), manifest);
  return parse(pipelinePatches(root, "shop", "manifest.yml"), { logLevel: "error" }) as { path: string }[];
}
const stage = (rest = "") => `stages:\n  - name: trial\n    pre_deployments: { migrate: {} }\n${rest}`;

test("every name is the pipeline's own, and nothing is left to fill in", () => {
  const text = JSON.stringify(patches(stage()));
  expect(text).toContain("role/shop-trial-CFNExecutionRole");
  expect(text).toContain("PretrialDeploymentActionmigrate.Arn");
  expect(text).not.toContain("{{");
});

test("the migration is found behind an approval", () => {
  const places = (manifest: string) =>
    patches(manifest).flatMap(({ path }) => /Stages\/2\/Actions\/(\d)/.exec(path)?.[1] ?? []);
  expect(places(stage())).toEqual(["0", "0"]);
  expect(places(stage("    requires_approval: true\n"))).toEqual(["1", "1"]);
});

test("a pipeline of another shape is refused, by its file", () => {
  expect(() => patches(`${stage()}  - name: next\n`)).toThrow(/^manifest.yml: .* exactly one stage/);
  expect(() => patches("stages: [{ name: trial }]")).toThrow(/^manifest.yml: .*migrate/);
});
