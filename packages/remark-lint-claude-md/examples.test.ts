import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { type RuleName, rules } from "./rules.ts";
import { brief, examplesIn, project } from "./testing.ts";

const names = Object.keys(rules) as RuleName[];

test("every rule has its file and its name", () => {
  expect(
    readdirSync(new URL("rules/", import.meta.url))
      .filter((file) => file.endsWith(".ts"))
      .sort(),
  ).toEqual(names.map((name) => `${name}.ts`).sort());
  expect(Object.values(rules).map((rule) => rule.name)).toEqual(names);
});

describe.each(names)("%s", (name) => {
  const examples = examplesIn(readFileSync(new URL(`rules/${name}.ts`, import.meta.url), "utf8"));
  const others = Object.fromEntries(names.filter((other) => other !== name).map((other) => [other, "off"]));

  test("has an example of what is right and one of what is wrong", () => {
    expect(new Set(examples.map(({ ok }) => ok))).toEqual(new Set([true, false]));
  });

  test.each(examples)("$name", ({ ok, world, config, reports }) => {
    const findings = check(project(world, { ...config, rules: { ...others, ...config.rules } }));
    expect(findings.map(brief)).toEqual(reports);
    expect(findings.length === 0).toBe(ok);
  });
});
