import { hash } from "node:crypto";
import { documentationOf } from "./documentation.ts";
import { type Finding, urlOf } from "./finding.ts";
import { type RuleName, rules } from "./rules.ts";

/** SARIF 2.1.0, as code scanning takes it; never cut. */
export function reportSarif(findings: readonly Finding[]): string {
  const names = Object.keys(rules) as RuleName[];
  const twins = new Map<string, number>();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "claude-md",
            informationUri: "https://www.npmjs.com/package/remark-lint-claude-md",
            rules: names.map((name) => {
              const documentation = documentationOf(name);
              const [summary = ""] = documentation.trim().split("\n\n");
              return {
                id: `claude-md-${name}`,
                shortDescription: { text: summary.replaceAll("\n", " ") },
                helpUri: urlOf(name),
                help: { text: documentation, markdown: documentation },
                defaultConfiguration: { level: rules[name].level ?? "error" },
              };
            }),
          },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { ROOT: { description: { text: "the repository" } } },
        results: findings.map((finding) => {
          // By what is said, not where: an edit above keeps the alert the same. Twins are counted.
          const subject = [finding.ruleId, finding.kind, finding.file, finding.message].join("\0");
          const twin = twins.get(subject) ?? 0;
          twins.set(subject, twin + 1);
          return {
            ruleId: finding.ruleId,
            ruleIndex: names.indexOf(finding.ruleId.replace("claude-md-", "") as RuleName),
            level: finding.severity,
            message: { text: [finding.message, finding.related, finding.note].filter(Boolean).join("\n") },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: encodeURI(finding.file), uriBaseId: "ROOT" },
                  region: {
                    startLine: finding.line,
                    startColumn: finding.column,
                    endLine: finding.endLine,
                    endColumn: finding.endColumn,
                  },
                },
              },
            ],
            partialFingerprints: { "claudeMd/v1": hash("sha256", `${subject}\0${twin}`) },
          };
        }),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}
