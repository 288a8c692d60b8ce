import type { Finding } from "./finding.ts";

export interface Summary {
  documents: number;
  errors: number;
  warnings: number;
}

/** The counts that end every report. */
export function summarise(findings: readonly Finding[], documents: number): Summary {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return { documents, errors, warnings: findings.length - errors };
}

/** The report for machines: `{ version: 1, findings, summary }`, never cut. */
export function reportJson(findings: readonly Finding[], documents: number): string {
  return `${JSON.stringify({ version: 1, findings, summary: summarise(findings, documents) }, undefined, 2)}\n`;
}
