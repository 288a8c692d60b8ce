import type { Block, DocFacts, Heading, Label } from "./extract.ts";
import { canonical } from "./names.ts";
import type { Template, TemplateSection } from "./template.ts";

/** A second-level heading of a document and what stands under it. */
export interface Section {
  heading: Heading;
  /** The template's section of this name. */
  template: TemplateSection | undefined;
  start: number;
  end: number;
  /** Without HTML comments and without the template's footer. */
  blocks: Block[];
}

/** The words that say a section or a field does not apply; a reason must follow. */
const notApplicable = /^該当なし(?:\s*(?:—|――|–|-)\s*(.*))?$/su;

/** A reason shorter than this says nothing. */
export const shortestReason = 10;

/** The document's second-level sections, in order. */
export function sectionsOf(facts: DocFacts, template: Template): Section[] {
  const footer = footerBlock(facts, template);
  const outline = facts.headings.filter((heading) => heading.top && heading.depth <= 2);
  return outline.flatMap((heading, index) => {
    if (heading.depth !== 2) return [];
    const start = heading.range[1];
    const end = outline[index + 1]?.range[0] ?? Infinity;
    const blocks = facts.blocks.filter(
      (block) =>
        block.range[0] >= start &&
        block.range[1] <= end &&
        block.type !== "html" &&
        !(footer && block.range[0] >= footer.rule.range[0]),
    );
    const own = template.sections.find((section) => canonical(section.heading) === canonical(heading.raw));
    return [{ heading, template: own, start, end, blocks }];
  });
}

/** The rule and the paragraph that end the document, where the template has a footer. */
export function footerBlock(facts: DocFacts, template: Template): { rule: Block; text: Block } | undefined {
  const [rule, text] = facts.blocks.slice(-2);
  if (!template.footer || rule?.type !== "thematicBreak" || text?.type !== "paragraph") return undefined;
  return { rule, text };
}

/** The labels that stand in `section`. */
export function labelsIn(section: Section, facts: DocFacts): Label[] {
  return facts.labels.filter(({ range }) => range[0] >= section.start && range[1] <= section.end);
}

/** The reason after `該当なし — `, empty when there is none, undefined when `text` does not begin so. */
export function reasonOf(text: string): string | undefined {
  const match = notApplicable.exec(text.trim());
  return match ? (match[1] ?? "").trim() : undefined;
}

/** As `reasonOf`, for a section that says nothing but that. */
export function sectionReason(section: Section): string | undefined {
  const [first] = section.blocks;
  return first?.type === "paragraph" ? reasonOf(first.text) : undefined;
}
