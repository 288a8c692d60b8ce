import type { Range } from "../finding.ts";
import { parentOf } from "../paths.ts";
import type { Doc, Project } from "../project.ts";
import { regionsOf } from "../regions.ts";
import { rule } from "../rule.ts";
import { footerBlock, knownSections, labelsIn } from "../sections.ts";

export interface SizeOptions {
  /** Characters that people may write in a document and all those above it, which are read together; 0: any. */
  chain: number;
}

/**
 * What people write stays short enough to be read: within the template's `budget`, and together with the documents
 * above it within `chain`.
 *
 * Headings, trees, regions, comments, `該当なし`, the footer and fields that a fact owns are not counted.
 *
 * ### ok: a tree costs nothing
 *
 * `template.md`:
 * ````md
 * <!--template budget=20-->
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ## Notes
 * ````
 * `jobs/CLAUDE.md`:
 * ````md
 * # jobs/CLAUDE.md
 * ## Tree
 * ```text
 * jobs/
 * └── a-file-with-a-long-name.ts
 * ```
 * ## Notes
 * It runs at night.
 * ````
 *
 * ### not ok: too much in one, too much with those above
 *
 * `template.md`:
 * ```md
 * <!--template budget=20-->
 * # {{path}}/CLAUDE.md
 * ```
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * It runs at night, and in the morning.
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * It runs at night.
 * ```
 * Configuration:
 * ```json
 * { "rules": { "size": ["warning", { "chain": 50 }] } }
 * ```
 * Reports:
 * ```text
 * CLAUDE.md:1:1-1:1 warning file: Unexpected 37 hand-written characters, expected at most 20
 * jobs/CLAUDE.md:1:1-1:1 warning chain: Unexpected 54 hand-written characters with the documents above, expected at most 50
 * ```
 */
export const size = rule<SizeOptions>({
  name: "size",
  options: { chain: 12_000 },
  level: "warning",
  *document(doc, project, { chain }) {
    const { budget } = project.template(doc.dir);
    const written = count(doc, project);
    if (budget !== undefined && written > budget)
      yield {
        kind: "file",
        message: `Unexpected ${number(written)} hand-written characters, expected at most ${number(budget)}`,
        note: "what the code or a manifest says already, nobody needs to read twice",
      };
    if (chain === 0) return;
    let together = written;
    for (let dir = doc.dir; dir !== "";) {
      dir = parentOf(dir);
      together += countIn(dir, project);
    }
    if (together > chain && together > written)
      yield {
        kind: "chain",
        message: `Unexpected ${number(together)} hand-written characters with the documents above, expected at most ${number(chain)}`,
      };
  },
});

function number(count: number): string {
  return count.toLocaleString("en");
}

const counted = new WeakMap<Project, Map<string, number>>();

function countIn(dir: string, project: Project): number {
  let counts = counted.get(project);
  if (!counts) counted.set(project, (counts = new Map()));
  let written = counts.get(dir);
  if (written === undefined) {
    const doc = project.doc(dir);
    counts.set(dir, (written = doc ? count(doc, project) : 0));
  }
  return written;
}

/** Characters that people wrote, a run of white space as one. */
function count(doc: Doc, project: Project): number {
  const { facts, text, dir } = doc;
  const template = project.template(dir);
  const left: Range[] = [
    ...facts.headings.map(({ range }) => range),
    ...facts.comments.map(({ range }) => range),
    ...regionsOf(doc).regions.map(({ open, close }): Range => [open[0], close[1]]),
    ...facts.blocks.filter(({ reason }) => reason !== undefined).map(({ range }) => range),
  ];
  for (const section of knownSections(facts, template)) {
    const { template: own, start, end } = section;
    if (own.tree)
      left.push(...facts.fences.map(({ range }) => range).filter(([from, to]) => from >= start && to <= end));
    for (const { text: name, fact } of own.labels) {
      const sourced = fact === undefined ? undefined : project.facts.value(fact, dir);
      const label = sourced && labelsIn(section, facts).find((each) => each.text === name);
      if (label) left.push([label.range[0], Math.min(label.value[0] + sourced.value.length, label.range[1])]);
    }
  }
  const footer = footerBlock(facts, template);
  if (footer) left.push([footer.rule.range[0], footer.text.range[1]]);
  left.sort((a, b) => a[0] - b[0]);
  let written = "";
  let at = 0;
  for (const [start, end] of left) {
    if (start > at) written += text.slice(at, start);
    at = Math.max(at, end);
  }
  written += text.slice(at);
  return written.replace(/\s+/g, " ").trim().length;
}
