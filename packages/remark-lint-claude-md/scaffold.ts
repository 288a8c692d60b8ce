import { newTree } from "./print-tree.ts";
import type { Project } from "./project.ts";
import { linkTo, neighbours } from "./rules/related.ts";
import { footerFor, type TemplateSection, titleFor } from "./template.ts";

/**
 * A new document for `dir`: the template with what is known filled in. Its sample text stays, so that lint fails until
 * somebody has written what only people know.
 */
export function scaffold(dir: string, project: Project): string {
  const template = project.template(dir);
  const footer = footerFor(template, dir);
  return [
    `# ${titleFor(template, dir)}\n`,
    ...template.sections
      .filter((section) => !section.optional)
      .map((section) => `${sectionText(section, dir, project)}\n`),
    ...(footer === undefined ? [] : [`---\n${footer}\n`]),
  ].join("\n");
}

/** A section as the template has it, with the facts of `dir`. */
export function sectionText(section: TemplateSection, dir: string, project: Project): string {
  const lines = [`## ${section.heading}`];
  const values = section.labels.map(({ text, default: usual, fact }) => ({
    text,
    value: (fact === undefined ? undefined : project.facts.value(fact, dir)?.value) ?? usual,
  }));
  const blocks = section.blocks.flatMap(({ name, args }) => {
    const known = project.facts.block(name, args, dir);
    return known
      ? [`<!--claude-md ${[name, ...args].join(" ")}-->\n${known.value}\n<!--claude-md end-->`]
      : [];
  });
  if (section.na && blocks.length === 0 && values.every(({ value }) => value === "") && !section.tree)
    return [...lines, "該当なし — 要記入"].join("\n");
  for (const { text, value } of values) lines.push(`- **${text}**: ${value}`);
  const links = section.links
    ? neighbours(dir, project).map((other) => linkTo(other, dir, project).text)
    : [];
  for (const item of links.length > 0 ? links : section.placeholders) lines.push(`- ${item}`);
  if (section.tree) lines.push(`\`\`\`text\n${newTree(dir, project)}\n\`\`\``);
  if (blocks.length > 0) lines.push(...(lines.length > 1 ? [""] : []), blocks.join("\n\n"));
  return lines.join("\n");
}
