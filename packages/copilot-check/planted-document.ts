import { plantedSteps, type PlantedStep } from "./planted.ts";
import type { Refused } from "./rehearse-deploy.ts";
import { formatFinding, type Finding } from "./report.ts";

/** A mistake that was made, and what was said of it. */
export interface Found {
  step: PlantedStep;
  mistake: string;
  /** Files in which it was made. */
  planted: string[];
  finding: Finding;
}

const meaning: Record<PlantedStep, string> = {
  manifests: "copilot-manifest reads the manifests, before anything runs",
  render: "the real CLI renders every stack",
  compare: "the templates are compared with those that are kept",
  link: "all stacks of an environment are linked, as their deployment would",
  agree: "two readers of one manifest are compared, field by field",
  alarms: "every alarm asks for a metric that is published, and somebody hears it",
  lambdas: "every function's runtime and code, loaded by Node 24",
  lint: "four scanners over our own templates, and the list of exceptions",
  gate: "the scanners prove that they still see",
};

/** The document: one table for each step, one for the rehearsal. */
export function formatPlanted(found: Found[], refusals: Refused[]): string {
  const parts = plantedSteps.flatMap((step) => {
    const rows = found.filter((one) => one.step === step);
    if (rows.length === 0) return [];
    const lines = rows.map(({ mistake, planted, finding }) =>
      row([mistake, planted.map((file) => `\`${file}\``).join(", "), said(formatFinding(finding))]),
    );
    return [`## ${step}: ${meaning[step]}\n\n${table(["Mistake", "Made in", "What is said"], lines)}`];
  });
  if (refusals.length > 0) {
    const lines = refusals.map((one) => row([one.mistake, `\`${one.command}\``, said(one.said)]));
    parts.push(
      `## rehearse deploy: the real CLI against an account that says no\n\n${table(["Mistake", "Command", "What is said"], lines)}`,
    );
  }
  return `# Planted mistakes

One mistake of every kind, made in a copy of this workspace, and the message that it gets. Written by
\`copilot-check mistakes --update\`; without \`--update\` every mistake is made again and this page must still be true.

${parts.join("\n")}`;
}

function table(head: string[], rows: string[]): string {
  return `${row(head)}${row(head.map(() => "---"))}${rows.join("")}`;
}

function row(cells: string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

/** One line of a table, as code; without what is new in every run, and without the mark that all of them have. */
function said(text: string): string {
  const lines = text
    .replace(/^✘ /, "")
    .replaceAll(/s3:\/\/\S+/g, "s3://…")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.map((line) => `\`${line.replaceAll("`", "'").replaceAll("|", "\\|")}\``).join("<br>");
}
