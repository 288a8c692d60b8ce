import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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

/** The stacks that the real CLI renders, as `npm run check:copilot` keeps them: a witness that shares no code with the facts. */
const rendered = [...new Set(paths)].flatMap((path) => {
  const [, environment = "", workload = ""] = /^rendered\/([a-z]+)\.([a-z-]+)\.yml$/.exec(path) ?? [];
  return paths.includes(`copilot/environments/${environment}/manifest.yml`)
    ? [{ path, environment, workload }]
    : [];
});

test.each(rendered)(
  "$environment, $workload: the facts are what the CLI renders",
  ({ path, environment, workload }) => {
    const stack = readFileSync(join(root, path), "utf8");
    const parameter = (name: string): string => new RegExp(`^#   ${name}: (.*)$`, "m").exec(stack)?.[1] ?? "";
    const value = (key: string): string => facts.value(key, `copilot/${workload}`)?.value ?? "";
    expect(value("environment")).toContain(
      `${environment} ${parameter("TaskCPU")}/${parameter("TaskMemory")}`,
    );
    const kept = `${parameter("LogRetention")} 日`;
    expect([`${environment} ${kept}`, `(${kept})`].some((text) => value("logs").includes(text))).toBe(true);
    for (const [, tries = ""] of stack.matchAll(/maxReceiveCount: (\d+)/g))
      expect(value("service")).toContain(`${tries} 回で DLQ`);
    const names = [...value("alarms").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
    const ofStack = names.filter((name) => !addonsOf(workload).includes(name));
    for (const name of ofStack) expect(stack).toContain(`-${name}`);
    const [, watched = ""] = /AlarmNames: \[(.*)\]/.exec(stack) ?? [];
    const rollingBack = [...value("deployment").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
    expect(watched.split(", ").filter((name) => name !== "")).toEqual(
      rollingBack.map((name) => `"${parameter("AppName")}-${environment}-${workload}-${name}"`),
    );
  },
);

function addonsOf(workload: string): string {
  const path = `rendered/addons.${workload}.yml`;
  return paths.includes(path) ? readFileSync(join(root, path), "utf8") : "";
}
