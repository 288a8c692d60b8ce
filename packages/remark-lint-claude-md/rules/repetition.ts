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
    const index = indexOf(project);
    const texts = own(doc, project, characters);
    if (index.state === "gathering") {
      for (const { hash } of texts) index.add(hash, doc.path);
      return;
    }
    if (index.state === "empty") {
      index.state = "whole";
      for (const dir of project.dirs) gather(dir, project, characters);
    }
    for (const text of texts) {
      const others = (index.everywhere.get(text.hash) ?? []).filter((path) => path !== doc.path);
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

/** Which documents hold which texts, by hash. */
class Index {
  /** While it gathers, every document that is checked adds its texts, and none is judged. */
  state: "empty" | "gathering" | "whole" = "empty";
  readonly #hashes: number[] = [];
  readonly #paths: string[] = [];
  #everywhere: Map<number, string[]> | undefined;

  add(hash: number, path: string): void {
    this.#hashes.push(hash);
    this.#paths.push(path);
    this.#everywhere = undefined;
  }

  /** Texts that stand in several documents. */
  get everywhere(): ReadonlyMap<number, readonly string[]> {
    return (this.#everywhere ??= this.#collect());
  }

  #collect(): Map<number, string[]> {
    // Most texts stand once: to sort numbers is cheaper than to keep a map of them all.
    const sorted = Float64Array.from(this.#hashes).sort();
    const twins = new Set(sorted.filter((hash, index) => hash === sorted[index - 1]));
    const everywhere = new Map<number, string[]>();
    if (twins.size > 0)
      this.#hashes.forEach((hash, index) => {
        const path = this.#paths[index];
        if (path === undefined || !twins.has(hash)) return;
        const paths = everywhere.get(hash);
        if (!paths) everywhere.set(hash, [path]);
        else if (paths.at(-1) !== path) paths.push(path);
      });
    for (const [hash, paths] of everywhere) if (paths.length < 2) everywhere.delete(hash);
    return everywhere;
  }
}

const known = new WeakMap<Project, Index>();

function indexOf(project: Project): Index {
  let index = known.get(project);
  if (!index) known.set(project, (index = new Index()));
  return index;
}

function gather(dir: string, project: Project, characters: number): void {
  const doc = project.doc(dir);
  if (!doc) return;
  for (const { hash } of own(doc, project, characters)) indexOf(project).add(hash, doc.path);
}

/**
 * Begins a run that checks every document: the first pass gathers, so that each is read once.
 *
 * @returns ends the pass, and gives the documents that must be checked again.
 */
export function gathering(project: Project): () => ReadonlySet<string> {
  const index = indexOf(project);
  if (index.state !== "empty") return () => new Set();
  index.state = "gathering";
  return () => {
    index.state = "whole";
    return new Set([...index.everywhere.values()].flat());
  };
}

/** Reads all documents, a few at a time, before anyone asks: an editor must not wait for them. */
export async function gatherAhead(project: Project, pause: () => Promise<void>): Promise<void> {
  const { level, options } = project.config.rule("repetition");
  const index = indexOf(project);
  if (level === "off" || index.state !== "empty") return;
  for (const dir of project.dirs) {
    gather(dir, project, (options as RepetitionOptions).characters);
    await pause();
  }
  index.state = "whole";
}

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
