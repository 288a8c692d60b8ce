import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { factsAt } from "./testing.ts";

const root = join(import.meta.dirname, "..", "..");
const paths = execFileSync("git", ["ls-files", "-z", "-c", "-o", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
}).split("\0");
const facts = factsAt(
  root,
  [...new Set(paths)].filter((path) => path !== ""),
);

test("every folder of the repository's workspace has facts, and none holds what a document cannot", () => {
  const dirs = new Set(
    paths.filter((path) => path.endsWith("/manifest.yml")).map((path) => path.replace(/\/[^/]+$/, "")),
  );
  expect(dirs.size).toBeGreaterThan(15);
  for (const dir of dirs) {
    const { values = [] } = facts.keys?.(dir) ?? {};
    expect([dir, ...values]).toContain("infra");
    for (const key of values) {
      const fact = facts.value(key, dir);
      expect(fact?.value).toMatch(/^\S(?:(?! — )[^\n])*$/);
      expect(paths).toContain(fact?.file);
      expect(fact?.line).toBeGreaterThan(0);
    }
  }
});

test("tables are short", () => {
  for (const dir of [
    "copilot",
    "copilot/environments",
    "copilot/environments/addons",
    "copilot/pipelines",
    "copilot/backend-outbox",
    "jobs",
  ])
    for (const { name } of facts.keys?.(dir).blocks ?? [])
      expect(facts.block(name, [], dir)?.value.split("\n").length).toBeLessThanOrEqual(20);
});

test("every workload's code is known, and both sides point at each other", () => {
  const workloads = [...new Set(paths)].flatMap(
    (path) => /^(copilot\/[^/]+)\/manifest\.yml$/.exec(path)?.[1] ?? [],
  );
  expect(workloads.length).toBeGreaterThan(0);
  for (const dir of workloads) {
    const [code = "", ...more] = facts.related(dir);
    expect(more).toEqual([]);
    expect(facts.related(code)).toEqual([dir]);
  }
});
