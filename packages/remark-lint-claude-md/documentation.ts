import { readFileSync } from "node:fs";
import type { RuleName } from "./rules.ts";

/** What a rule's own comment says, as Markdown: when it finds what, with its examples. */
export function documentationOf(name: RuleName): string {
  // The published package holds the comments as files: a bundler drops them.
  try {
    return readFileSync(new URL(`rules/${name}.md`, import.meta.url), "utf8");
  } catch {
    return commentIn(readFileSync(new URL(`rules/${name}.ts`, import.meta.url), "utf8"));
  }
}

/** The documentation comment of a rule's source. */
export function commentIn(source: string): string {
  return source
    .split("\n")
    .filter((line) => /^ \*(?: |$)/.test(line))
    .map((line) => line.slice(3))
    .join("\n");
}
