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

/** A reason shorter than this says nothing. */
export const shortestReason = 10;

/** The rules ask about one document after the other. */
let last: { facts: DocFacts; template: Template; sections: Section[] } | undefined;

/** The document's second-level sections, in order. */
export function sectionsOf(facts: DocFacts, template: Template): Section[] {
  if (last?.facts !== facts || last.template !== template)
    last = { facts, template, sections: findSections(facts, template) };
  return last.sections;
}

function findSections(facts: DocFacts, template: Template): Section[] {
  const own = new Map(template.sections.map((section) => [canonical(section.heading), section]));
  const headings = new Map(facts.headings.map((heading) => [heading.range[0], heading]));
  const last = footerBlock(facts, template)?.rule.range[0] ?? Infinity;
  const sections: Section[] = [];
  let open: Section | undefined;
  for (const block of facts.blocks) {
    const heading = block.type === "heading" ? headings.get(block.range[0]) : undefined;
    if (heading && heading.depth <= 2) {
      if (open) open.end = block.range[0];
      open =
        heading.depth === 2
          ? {
              heading,
              template: own.get(canonical(heading.raw)),
              start: block.range[1],
              end: Infinity,
              blocks: [],
            }
          : undefined;
      if (open) sections.push(open);
    } else if (block.type !== "html" && block.range[0] < last) open?.blocks.push(block);
  }
  return sections;
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

/** The reason of a section that says only `該当なし — `: see `reasonOf`. */
export function sectionReason(section: Section): string | undefined {
  return section.blocks[0]?.reason;
}
