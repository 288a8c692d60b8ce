import type { Text } from "../extract.ts";
import type { Doc, Project } from "../project.ts";
import { regionsOf } from "../regions.ts";
import { rule } from "../rule.ts";

export interface RepetitionOptions {
  /** Shorter texts may stand twice. */
  characters: number;
}

/**
 * A paragraph or list item that people wrote stands in one document only: the nearest one above all that need it.
 *
 * Regions, fields that a fact owns and `該当なし` are left out.
 *
 * ### ok: short, or written by the tool
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * - See the manifest.
 *
 * <!--claude-md all-->
 * - A sentence that the tool writes into every document that asks for it.
 * <!--claude-md end-->
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * - See the manifest.
 *
 * <!--claude-md all-->
 * - A sentence that the tool writes into every document that asks for it.
 * <!--claude-md end-->
 * ```
 *
 * ### not ok: the same sentence in two documents
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * Messages may arrive twice, so that every handler asks the inbox first.
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * - Messages may arrive twice, so that every handler asks the inbox first.
 * ```
 * Reports:
 * ```text
 * CLAUDE.md:2:1-2:71 warning twin: Unexpected text that stands in `jobs/CLAUDE.md`, too, expected it once
 * jobs/CLAUDE.md:2:1-2:73 warning twin: Unexpected text that stands in `CLAUDE.md`, too, expected it once
 * ```
 */
export const repetition = rule<RepetitionOptions>({
  name: "repetition",
  options: { characters: 40 },
  level: "warning",
  *document(doc, project, { characters }) {
    const everywhere = textsOf(project, characters);
    for (const text of own(doc, project, characters)) {
      const others = (everywhere.get(text.hash) ?? []).filter((path) => path !== doc.path);
      if (others.length === 0) continue;
      const more = others.length === 1 ? "" : ` and ${others.length - 1} more`;
      yield {
        kind: "twin",
        message: `Unexpected text that stands in \`${others[0]}\`${more}, too, expected it once`,
        at: text.range,
        related: others[0] ?? "",
        note: "keep it in the nearest document above all of them, and link to it",
      };
    }
  },
});

/** What people wrote, long enough to be told twice. */
function own(doc: Doc, project: Project, characters: number): Text[] {
  const { facts, dir, text } = doc;
  const long = facts.texts.filter(
    ({ length, range }) =>
      length >= characters && text[range[0]] !== "|" && !facts.blocks.some((block) => covers(block, range)),
  );
  if (long.length === 0) return long;
  const { regions } = regionsOf(doc);
  const bound = project
    .template(dir)
    .sections.flatMap((section) => section.labels)
    .filter((label) => label.fact !== undefined && project.facts.value(label.fact, dir))
    .map((label) => label.text);
  const labels = facts.labels.filter((label) => bound.includes(label.text));
  return long.filter(
    ({ range }) =>
      !regions.some(({ open, close }) => range[0] >= open[0] && range[1] <= close[1]) &&
      !labels.some((label) => label.range[0] >= range[0] && label.range[1] <= range[1]),
  );
}

function covers(block: Doc["facts"]["blocks"][number], range: Text["range"]): boolean {
  return block.reason !== undefined && block.range[0] <= range[0] && block.range[1] >= range[1];
}

const known = new WeakMap<Project, Map<number, Map<number, string[]>>>();

/** The documents by the hash of the texts they hold. */
function textsOf(project: Project, characters: number): Map<number, string[]> {
  let byLength = known.get(project);
  if (!byLength) known.set(project, (byLength = new Map()));
  let everywhere = byLength.get(characters);
  if (!everywhere) {
    byLength.set(characters, (everywhere = new Map()));
    // A text that stands once needs no list: most do.
    const first = new Map<number, string>();
    for (const dir of project.dirs) {
      const doc = project.doc(dir);
      if (!doc) continue;
      for (const { hash } of own(doc, project, characters)) {
        const paths = everywhere.get(hash);
        const before = first.get(hash);
        if (paths) {
          if (!paths.includes(doc.path)) paths.push(doc.path);
        } else if (before === undefined) first.set(hash, doc.path);
        else if (before !== doc.path) everywhere.set(hash, [before, doc.path]);
      }
    }
  }
  return everywhere;
}
