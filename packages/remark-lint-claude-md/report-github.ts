import type { Finding } from "./finding.ts";

/** Annotations of GitHub Actions, one line each. */
export function reportGithub(findings: readonly Finding[]): string {
  return findings
    .map(({ file, line, column, endLine, endColumn, severity, ruleId, message, related, note }) => {
      // GitHub marks columns only within one line.
      const end = endLine === line && endColumn > column ? `,endColumn=${endColumn}` : "";
      const place = `file=${property(file)},line=${line},endLine=${endLine},col=${column}${end}`;
      const next = [related, note].filter(Boolean).join(" · ");
      return `::${severity} ${place},title=${property(ruleId)}::${data(next === "" ? message : `${message}\n${next}`)}\n`;
    })
    .join("");
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
