import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mask } from "./masks.ts";
import type { RenderedStack } from "./render.ts";

/** The file that keeps a stack's template: flat, so that a folder listing is the list of stacks. */
export function goldenName({
  kind,
  name,
  environment,
}: Pick<RenderedStack, "kind" | "name" | "environment">): string {
  if (kind === "environment") return `${name}.yml`;
  if (kind === "pipeline") return `pipelines.${name}.yml`;
  return `${environment}.${name}.yml`;
}

/** Addon templates are the same in every environment: what differs in them are parameters. */
function goldenAddonsName({ kind, name }: Pick<RenderedStack, "kind" | "name">): string {
  return kind === "environment" ? "addons.yml" : `addons.${name}.yml`;
}

/** The masked template, below the parameters that Copilot gives it. */
export function goldenText({
  stack,
  template,
  parameters,
}: Pick<RenderedStack, "stack" | "template" | "parameters">): string {
  const given = Object.entries(parameters).toSorted(([a], [b]) => a.localeCompare(b));
  const header = [
    `# ${stack}: what Copilot renders. Written by the check (--update), never by hand.`,
    ...(given.length > 0 ? ["# Parameters:"] : []),
    ...given.map(([name, value]) => `#   ${name}: ${value}`.trimEnd()),
  ];
  return mask(`${header.join("\n")}\n${template}`);
}

/** Every file that should be there, with its text. */
export function goldenFiles(stacks: RenderedStack[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const stack of stacks) {
    files.set(goldenName(stack), goldenText(stack));
    if (stack.addons !== undefined)
      files.set(
        goldenAddonsName(stack),
        mask(
          `# The addons of ${stack.kind === "environment" ? "every environment" : stack.name}, merged. Written by the check (--update), never by hand.\n${stack.addons}`,
        ),
      );
  }
  return files;
}

export interface Difference {
  file: string;
  kind: "missing" | "changed" | "left over";
  /** First line that differs, from 1. */
  line: number;
  expected?: string;
  actual?: string;
}

/** What differs between a rendering and the folder of expected templates. */
export function compareGolden(folder: string, files: Map<string, string>): Difference[] {
  const differences: Difference[] = [];
  for (const [file, text] of files) {
    const path = join(folder, file);
    if (!existsSync(path)) differences.push({ file, kind: "missing", line: 1 });
    else {
      const difference = firstDifference(readFileSync(path, "utf8"), text);
      if (difference) differences.push({ file, kind: "changed", ...difference });
    }
  }
  for (const file of templatesIn(folder))
    if (!files.has(file)) differences.push({ file, kind: "left over", line: 1 });
  return differences;
}

/** Makes the folder what was rendered. Returns the names of the files that it wrote or removed. */
export function updateGolden(folder: string, files: Map<string, string>): string[] {
  mkdirSync(folder, { recursive: true });
  const changed = compareGolden(folder, files).map(({ file }) => file);
  for (const file of changed) {
    const text = files.get(file);
    if (text === undefined) rmSync(join(folder, file));
    else writeFileSync(join(folder, file), text);
  }
  return changed;
}

function templatesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".yml")) : [];
}

function firstDifference(
  before: string,
  after: string,
): { line: number; expected: string; actual: string } | undefined {
  if (before === after) return undefined;
  const [old, now] = [before.split("\n"), after.split("\n")];
  const index = now.findIndex((line, i) => line !== old[i]);
  const at = index < 0 ? now.length : index;
  return { line: at + 1, expected: old[at] ?? "(end of file)", actual: now[at] ?? "(end of file)" };
}
