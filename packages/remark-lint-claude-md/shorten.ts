import type { Finding } from "./finding.ts";

/** More than this of one rule in one file are counted, not shown: the language server hangs on large reports. */
const most = 20;

/** The findings of one file that people are shown, and how many more each rule has. */
export function shorten(findings: readonly Finding[]): { shown: Finding[]; more: Map<string, number> } {
  const counts = new Map<string, number>();
  const shown = findings.filter(({ ruleId }) => {
    const count = (counts.get(ruleId) ?? 0) + 1;
    counts.set(ruleId, count);
    return count <= most;
  });
  const more = new Map<string, number>();
  for (const [ruleId, count] of counts) if (count > most) more.set(ruleId, count - most);
  return { shown, more };
}
