import type { Problem } from "copilot-manifest";

/** A finding that may have no line of its own. */
export type Finding = Partial<Pick<Problem, "file" | "line" | "column" | "hint">> & { message: string };

export interface Step {
  name: string;
  /** What it looked at, for the table. */
  what: string;
  passed: number;
  findings: Finding[];
  ms: number;
  /** Lines below the table. */
  notes?: string[];
}

/** Runs a step and takes its time. */
export async function timed(name: string, run: () => Promise<Omit<Step, "name" | "ms">>): Promise<Step> {
  const start = performance.now();
  return { name, ...(await run()), ms: Math.round(performance.now() - start) };
}

/** `✘ file:line:column message`, then what to do, on a line of its own. */
export function formatFinding({ file, line, column, message, hint }: Finding): string {
  const place =
    file === undefined ? "" : `${[file, line, column].filter((part) => part !== undefined).join(":")} `;
  return `✘ ${place}${message}${hint === undefined ? "" : `\n  ${hint}`}`;
}

/** One row for each step. */
export function formatTable(steps: Step[]): string {
  const rows = [
    ["", "step", "what", "passed", "failed", "time"],
    ...steps.map(({ name, what, passed, findings, ms }) => [
      findings.length === 0 ? "✔" : "✘",
      name,
      what,
      String(passed),
      String(findings.length),
      `${(ms / 1000).toFixed(1)} s`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => (i >= 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}

/** The line that continuous integration reads. */
export function totals(steps: Step[]): string {
  const sum = (count: (step: Step) => number): number =>
    steps.reduce((total, step) => total + count(step), 0);
  return `${sum(({ passed }) => passed)} passed, ${sum(({ findings }) => findings.length)} failed`;
}
