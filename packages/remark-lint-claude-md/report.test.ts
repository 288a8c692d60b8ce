import { readFileSync } from "node:fs";
import Ajv from "ajv-draft-04";
import addFormats from "ajv-formats";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { check } from "./check.ts";
import { documentationOf } from "./documentation.ts";
import { reportGithub } from "./report-github.ts";
import { reportJson } from "./report-json.ts";
import { reportPretty } from "./report-pretty.ts";
import { reportSarif } from "./report-sarif.ts";
import { type RuleName, rules } from "./rules.ts";
import { examplesIn, project } from "./testing.ts";

const names = Object.keys(rules) as RuleName[];
const require = createRequire(import.meta.url);
const schema = JSON.parse(
  readFileSync(require.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8"),
) as object;

/** What the rules find in all their own examples, and in documents with odd names. */
const findings = [
  ...names.flatMap((name) =>
    examplesIn(readFileSync(new URL(`rules/${name}.ts`, import.meta.url), "utf8")).flatMap(
      ({ world, config }) => check(project(world, config)),
    ),
  ),
  ...check(project({ files: { "a, b:c\n%/CLAUDE.md": "[x](y)\n", "日本 語/CLAUDE.md": "# 50%\r\n" } })),
];

interface Log {
  runs: {
    tool: { driver: { rules: { id: string; help: { markdown: string }; helpUri: string }[] } };
    results: {
      ruleId: string;
      ruleIndex: number;
      partialFingerprints: Record<string, string>;
      locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
    }[];
  }[];
}

const sarif = (text: string) => (JSON.parse(text) as Log).runs[0];

test("SARIF is what the standard's schema says", () => {
  const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  for (const part of [findings, []]) {
    validate(JSON.parse(reportSarif(part)));
    expect(validate.errors).toBeNull();
  }
  validate({ version: "2.1.0", runs: [{}] });
  expect(validate.errors).not.toBeNull();
});

test("SARIF holds every finding and explains every rule", () => {
  const run = sarif(reportSarif(findings));
  expect(run?.results).toHaveLength(findings.length);
  expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(names.map((name) => `claude-md-${name}`));
  expect(run?.tool.driver.rules.map(({ help }) => help.markdown)).toEqual(names.map(documentationOf));
  for (const { ruleId, ruleIndex } of run?.results ?? [])
    expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  const uris = run?.results.map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri);
  expect(uris).toContain("%E6%97%A5%E6%9C%AC%20%E8%AA%9E/CLAUDE.md");
});

test("a finding that moves keeps its fingerprint; two equal ones in a file have two", () => {
  const of = (text: string) =>
    sarif(reportSarif(check(project({ files: { "CLAUDE.md": text } }))))?.results.map(
      ({ partialFingerprints }) => partialFingerprints["claudeMd/v1"],
    );
  const before = of("# CLAUDE.md\n\n[a](x) [b](x) [c](y)\n");
  expect(new Set(before).size).toBe(3);
  expect(of("# CLAUDE.md\n\nMore.\n\n[a](x) [b](x) [c](y)\n")).toEqual(before);
});

test("GitHub gets one line for each finding, whatever stands in it", () => {
  const lines = reportGithub(findings).split("\n").slice(0, -1);
  expect(lines).toHaveLength(findings.length);
  for (const line of lines) expect(line).toMatch(/^::(?:error|warning) file=[^:,]+,line=\d+,/);
  const odd = check(
    project({ files: { "CLAUDE.md": "# CLAUDE.md\n", "a, b:c\n%/CLAUDE.md": "# x\n[up](..)\n" } }),
  );
  expect(reportGithub(odd)).toBe(
    "::error file=a%2C b%3Ac%0A%25/CLAUDE.md,line=1,endLine=1,col=1,endColumn=4,title=claude-md-title::Unexpected title `x`, expected `a, b:c%0A%25/CLAUDE.md`\n",
  );
});

test("the report for people says what to do next, shows twenty of a rule and counts the rest", () => {
  const text = `# x\n\n${"[a](nowhere)\n".repeat(25)}`;
  const report = reportPretty(check(project({ files: { "CLAUDE.md": text } })), 1);
  expect(report.split("\n").filter((line) => line.includes("claude-md-links"))).toHaveLength(21);
  expect(report).toContain("… and 5 more of claude-md-links");
  expect(report.trimEnd().split("\n").at(-1)).toBe("✘ 1 document checked: 26 errors, 0 warnings");
  const bound = reportPretty(findings, 1);
  expect(bound).toContain("→ facts.yml:1 · run `claude-md fix`");
});

test("the report for machines is whole", () => {
  const report = JSON.parse(reportJson(findings, 7)) as {
    version: number;
    findings: object[];
    summary: object;
  };
  expect(report.findings).toEqual(JSON.parse(JSON.stringify(findings)));
  expect(report).toMatchObject({ version: 1, summary: { documents: 7 } });
});
