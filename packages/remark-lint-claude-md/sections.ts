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

/** The sections that the template knows, without those that stand a second time. */
export function knownSections(
  facts: DocFacts,
  template: Template,
): (Section & { template: TemplateSection })[] {
  const seen = new Set<TemplateSection>();
  return sectionsOf(facts, template).filter((section): section is Section & { template: TemplateSection } => {
    const { template: own } = section;
    if (!own || seen.has(own)) return false;
    seen.add(own);
    return true;
  });
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
  const { labels } = facts;
  // They stand in order: a document of ten thousand sections is not read ten thousand times.
  let low = 0;
  let high = labels.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((labels[middle]?.range[0] ?? 0) < section.start) low = middle + 1;
    else high = middle;
  }
  const found: Label[] = [];
  for (; low < labels.length; low++) {
    const label = labels[low];
    if (!label || label.range[0] >= section.end) break;
    if (label.range[1] <= section.end) found.push(label);
  }
  return found;
}

/** The reason of a section that says only `該当なし — `: see `reasonOf`. */
export function sectionReason(section: Section): string | undefined {
  return section.blocks[0]?.reason;
}
