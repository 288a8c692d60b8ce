import { addressOf } from "../destination.ts";
import type { Problem } from "../finding.ts";
import { inside, parentOf, relativeTo, resolveFrom } from "../paths.ts";
import type { Doc, Project } from "../project.ts";
import { lineEnding, regionsOf } from "../regions.ts";
import { rule } from "../rule.ts";
import { sectionsOf } from "../sections.ts";

export interface RelatedOptions {
  /** `require`: every document links to that of the directory above it. */
  parent: "require" | "open";
}

/**
 * Documents that belong together point at each other: each at the one above it, and at those that the fact providers
 * name, such as a workload's code and its manifest.
 *
 * A link to the directory is as good as one to its document.
 *
 * ### ok: the parent and the pair
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * ```
 * `code/CLAUDE.md`:
 * ```md
 * # code/CLAUDE.md
 * [up](../CLAUDE.md) [manifest](../manifest/)
 * ```
 * `manifest/CLAUDE.md`:
 * ```md
 * # manifest/CLAUDE.md
 * [up](..) [code](/code)
 * ```
 * Facts:
 * ```json
 * { "related": { "code": ["manifest"], "manifest": ["code"] } }
 * ```
 *
 * ### not ok: neither
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * ```
 * `code/CLAUDE.md`:
 * ```md
 * # code/CLAUDE.md
 * ```
 * `manifest/CLAUDE.md`:
 * ```md
 * # manifest/CLAUDE.md
 * [up](../CLAUDE.md)
 * ```
 * Facts:
 * ```json
 * { "related": { "code": ["manifest"], "manifest": ["code"] } }
 * ```
 * Reports:
 * ```text
 * code/CLAUDE.md:1:1-1:1 error pair: Unexpected document without a link to `manifest`, expected `../manifest/CLAUDE.md`
 * code/CLAUDE.md:1:1-1:1 error parent: Unexpected document without a link to the directory above, expected `../CLAUDE.md`
 * manifest/CLAUDE.md:1:1-1:1 error pair: Unexpected document without a link to `code`, expected `../code/CLAUDE.md`
 * ```
 */
export const related = rule<RelatedOptions>({
  name: "related",
  options: { parent: "require" },
  *document(doc, project, options) {
    const { dir, facts } = doc;
    if (facts.blank) return;
    let linked: Set<string | undefined> | undefined;
    const isLinked = (other: string): boolean => {
      linked ??= new Set(facts.links.map(({ url }) => targetOf(url, dir)));
      return linked.has(other) || linked.has(inside(other, project.config.file));
    };
    const parent = parentOf(dir);
    const up = `../${project.config.file}`;
    const others = neighbours(dir, project);
    if (
      options.parent === "require" &&
      others.includes(parent) &&
      !facts.links.some(({ url }) => url === up) &&
      !isLinked(parent)
    )
      yield missing("parent", "the directory above", parent, doc, project);
    for (const other of others)
      if (other !== parent && !isLinked(other))
        yield missing("pair", `\`${other === "" ? "." : other}\``, other, doc, project);
  },
});

/** Which documents that of `dir` must link to: those that the fact providers name, and the one above it. */
export function neighbours(dir: string, project: Project): string[] {
  const named = [...project.facts.related(dir), ...(dir === "" ? [] : [parentOf(dir)])];
  return [...new Set(named)].filter((other) => other !== dir && project.documented(other));
}

/** A link from the document of `dir` to that of another directory. */
export function linkTo(other: string, dir: string, project: Project): { url: string; text: string } {
  const url = relativeTo(dir, project.docPath(other)).replace(/^\.\//, "");
  return { url, text: `[${other === "" ? project.docPath(other) : other}](${addressOf(url)})` };
}

function targetOf(url: string, dir: string): string | undefined {
  try {
    const path = decodeURIComponent(url.replace(/[#?].*$/s, "")).normalize("NFC");
    return path === "" ? undefined : resolveFrom(path.startsWith("/") ? "" : dir, path);
  } catch {
    return undefined;
  }
}

function missing(kind: string, what: string, other: string, doc: Doc, project: Project): Problem {
  const { url, text } = linkTo(other, doc.dir, project);
  const section = sectionsOf(doc.facts, project.template(doc.dir)).find((each) => each.template?.links);
  const { regions } = regionsOf(doc);
  const own = section?.blocks.filter(
    ({ range }) => !regions.some(({ open, close }) => range[0] >= open[0] && range[0] < close[1]),
  );
  const last = own?.findLast(({ type }) => type === "list") ?? own?.at(-1);
  const end = last?.range[1] ?? section?.heading.range[1];
  const between = last && last.type !== "list" ? "\n\n" : "\n";
  const ending = lineEnding(doc.text);
  return {
    kind,
    message: `Unexpected document without a link to ${what}, expected \`${url}\``,
    at: section?.heading.range,
    expected: [url],
    ...(end === undefined
      ? {}
      : {
          fix: {
            grade: "G",
            edits: [[end, end, `${between.replaceAll("\n", ending)}- ${text}`]],
          },
        }),
  };
}
