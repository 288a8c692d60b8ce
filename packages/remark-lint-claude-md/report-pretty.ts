import type { Finding } from "./finding.ts";
import { shorten } from "./shorten.ts";
import { summarise } from "./report-json.ts";

/** The report for people: findings below their file, what to do next below each, and a closing count. */
export function reportPretty(findings: readonly Finding[], documents: number): string {
  const lines: string[] = [];
  for (const [file, inFile] of Map.groupBy(findings, (finding) => finding.file)) {
    lines.push(printable(file));
    const { shown, more } = shorten(inFile);
    const places = shown.map(({ line, column }) => `${line}:${column}`);
    const width = Math.max(...places.map((place) => place.length));
    shown.forEach((finding, index) => {
      lines.push(
        `  ${(places[index] ?? "").padEnd(width)}  ${finding.severity.padEnd(7)}  ${printable(finding.message)}  ${finding.ruleId}`,
      );
      const next = [finding.related, finding.note].filter(Boolean).join(" · ");
      if (next !== "") lines.push(`${" ".repeat(width + 4)}→ ${next}`);
    });
    for (const [ruleId, count] of more) lines.push(`  … and ${count} more of ${ruleId}`);
    lines.push("");
  }
  const { errors, warnings } = summarise(findings, documents);
  const counted = `${number(documents, "document")} checked: ${number(errors, "error")}, ${number(warnings, "warning")}`;
  lines.push(`${findings.length === 0 ? "✔" : "✘"} ${counted}`);
  return `${lines.join("\n")}\n`;
}

/** What stands in a document must not move the cursor of who reads about it. */
function printable(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (char) => `U+${char.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`,
  );
}

function number(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
