import type { Finding } from "./finding.ts";
import { summarise } from "./report-json.ts";

/** More than this of one rule in one file are counted, not shown. */
const most = 20;

/** The report for people: findings below their file, what to do next below each, and a closing count. */
export function reportPretty(findings: readonly Finding[], documents: number): string {
  const lines: string[] = [];
  for (const [file, inFile] of Map.groupBy(findings, (finding) => finding.file)) {
    lines.push(file);
    const places = inFile.map(({ line, column }) => `${line}:${column}`);
    const width = Math.max(...places.map((place) => place.length));
    const shown = new Map<string, number>();
    inFile.forEach((finding, index) => {
      const count = (shown.get(finding.ruleId) ?? 0) + 1;
      shown.set(finding.ruleId, count);
      if (count > most) return;
      lines.push(
        `  ${(places[index] ?? "").padEnd(width)}  ${finding.severity.padEnd(7)}  ${finding.message}  ${finding.ruleId}`,
      );
      const next = [finding.related, finding.note].filter(Boolean).join(" · ");
      if (next !== "") lines.push(`${" ".repeat(width + 4)}→ ${next}`);
    });
    for (const [ruleId, count] of shown)
      if (count > most) lines.push(`  … and ${count - most} more of ${ruleId}`);
    lines.push("");
  }
  const { errors, warnings } = summarise(findings, documents);
  const counted = `${number(documents, "document")} checked: ${number(errors, "error")}, ${number(warnings, "warning")}`;
  lines.push(`${findings.length === 0 ? "✔" : "✘"} ${counted}`);
  return `${lines.join("\n")}\n`;
}

function number(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
