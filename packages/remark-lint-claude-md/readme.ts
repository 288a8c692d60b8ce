import { readFileSync, writeFileSync } from "node:fs";
import { documentationOf } from "./documentation.ts";
import { type RuleName, rules } from "./rules.ts";

const file = new URL("README.md", import.meta.url);
const part = /(<!--rules-->\n)[\s\S]*(<!--end-->\n)/;

/** The README with the rules as their own comments explain them. */
export function readme(): string {
  const sections = (Object.keys(rules) as RuleName[]).map((name) => {
    const { level = "error", options } = rules[name];
    const known = Object.keys(options).length === 0 ? "" : `, options \`${JSON.stringify(options)}\``;
    // The headings of examples stand below the rule's own.
    const text = documentationOf(name)
      .trim()
      .replaceAll(/^### (?=(?:not )?ok: )/gm, "#### ");
    return `### claude-md-${name}\n\nDefault: ${level}${known}.\n\n${text}\n\n`;
  });
  return readFileSync(file, "utf8").replace(part, (_, open: string, close: string) =>
    [open, "\n", ...sections, close].join(""),
  );
}

if (import.meta.main) writeFileSync(file, readme());
