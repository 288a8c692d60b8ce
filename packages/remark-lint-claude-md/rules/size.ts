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
    const { lengths } = sizesOf(project);
    lengths.set(doc.dir, doc.text.length);
    if (budget !== undefined && doc.text.length > budget) {
      const written = writtenIn(doc.dir, project, doc);
      if (written > budget)
        yield {
          kind: "file",
          message: `Unexpected ${number(written)} hand-written characters, expected at most ${number(budget)}`,
          note: "what the code or a manifest says already, nobody needs to read twice",
        };
    }
    if (chain === 0 || doc.dir === "") return;
    const above = [...ancestors(doc.dir)];
    // Whole documents that are short enough need no counting.
    const most = above.reduce((sum, dir) => sum + lengthOf(dir, project), doc.text.length);
    if (most <= chain) return;
    const together = above.reduce(
      (sum, dir) => sum + writtenIn(dir, project),
      writtenIn(doc.dir, project, doc),
    );
    if (together > chain && together > writtenIn(doc.dir, project))
      yield {
        kind: "chain",
        message: `Unexpected ${number(together)} hand-written characters with the documents above, expected at most ${number(chain)}`,
      };
  },
});

function* ancestors(dir: string): Iterable<string> {
  for (let at = dir; at !== "";) {
    at = parentOf(at);
    yield at;
  }
}

function number(count: number): string {
  return count.toLocaleString("en");
}

/** What is known of documents by their directory, in one run. */
interface Sizes {
  lengths: Map<string, number>;
  written: Map<string, number>;
}

const sizes = new WeakMap<Project, Sizes>();

function sizesOf(project: Project): Sizes {
  let known = sizes.get(project);
  if (!known) sizes.set(project, (known = { lengths: new Map(), written: new Map() }));
  return known;
}

function lengthOf(dir: string, project: Project): number {
  const { lengths } = sizesOf(project);
  let length = lengths.get(dir);
  if (length === undefined) lengths.set(dir, (length = project.doc(dir)?.text.length ?? 0));
  return length;
}

/** Characters that people wrote; `doc` is the document where it is at hand, as somebody types it. */
function writtenIn(dir: string, project: Project, doc?: Doc): number {
  const { written } = sizesOf(project);
  let known = doc ? undefined : written.get(dir);
  if (known === undefined) {
    const own = doc ?? project.doc(dir);
    written.set(dir, (known = own ? count(own, project) : 0));
  }
  return known;
}

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
  left.push([text.length, text.length]);
  // As if every run of space were one, and none stood at the ends.
  let written = 0;
  let space = true;
  let at = 0;
  for (const [start, end] of left) {
    for (; at < start; at++) {
      const code = text.charCodeAt(at);
      const isSpace = code <= 32 || code === 0x3000 || code === 0xa0;
      if (!isSpace) written += space && written > 0 ? 2 : 1;
      space = isSpace;
    }
    at = Math.max(at, end);
  }
  return written;
}
