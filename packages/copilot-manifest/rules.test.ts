import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ruleNames, rules } from "./rules.ts";

const sources = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !/\.test\.ts$|^(?:rules|testing)\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(`${import.meta.dirname}/${file}`, "utf8") }));

/** Rules as the code names them where it reports: `rule: "…"`, `report("…"`, `findingOf("…"`, and the keys of the tables. */
const reported = new Set(
  sources.flatMap(({ file, text }) => {
    const calls = text.matchAll(/(?:rule: (?:\w+ \? )?|report\(\s*|findingOf\(\s*)"([a-z]+(?:-[a-z]+)*)"/g);
    const table = /^house-(?:workload|queue)/.test(file);
    const keys = table ? text.matchAll(/^ {2}"?([a-z]+(?:-[a-z]+)*)"?: \(/gm) : [];
    return [...calls, ...keys].map(([, name = ""]) => name);
  }),
);

test("every rule that is reported is in the list", () => {
  expect(reported.size).toBeGreaterThan(60);
  expect([...reported].filter((name) => !ruleNames.includes(name))).toEqual([]);
});

test("every rule in the list stands in the code", () => {
  const code = sources.map(({ text }) => text).join("\n");
  expect(ruleNames.filter((name) => !reported.has(name) && !code.includes(`"${name}"`))).toEqual([]);
});

test("the README's tables are these rules, with what they demand", () => {
  const readme = readFileSync(`${import.meta.dirname}/README.md`, "utf8");
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\|$/gm)].map(([, name, demand]) => [
    name,
    demand,
  ]);
  expect(rows).toEqual([...Object.entries(rules.recommended), ...Object.entries(rules.strict)]);
});

test("the house rules are these: adding one makes workspaces fail that were right before", () => {
  expect(Object.keys(rules.strict).toSorted()).toMatchInlineSnapshot(`
    [
      "access-logs",
      "account-id",
      "approval",
      "container-insights",
      "dead-letter",
      "dead-letter-retention",
      "deploy-order",
      "deregistration-delay",
      "flow-logs",
      "health-path",
      "healthcheck",
      "job-limits",
      "lambda-shape",
      "local-template",
      "log-retention",
      "no-exec",
      "no-workspace-file",
      "null-override",
      "own-export",
      "placement",
      "queue-retention-margin",
      "queue-timeout-margin",
      "raw-delivery",
      "readonly-fs",
      "rollback-alarms",
      "secret-path",
      "secret-variable",
      "single-task",
      "spot",
      "ssl-policy",
      "stop-timeout",
      "undeployed-workload",
      "undescribed-environment",
      "vpc-reference",
    ]
  `);
});
