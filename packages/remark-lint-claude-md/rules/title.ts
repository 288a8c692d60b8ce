import { canonical } from "../names.ts";
import { lineEnding } from "../regions.ts";
import { rule } from "../rule.ts";
import { titleFor } from "../template.ts";

/**
 * The title is the document's own path, as the template says, and there is one.
 *
 * ### ok: the path, also with names that Markdown would read as bold
 *
 * `src/__tests__/CLAUDE.md`:
 * ```md
 * # src/__tests__/CLAUDE.md
 * ```
 *
 * ### ok: the root
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * ```
 *
 * ### not ok: another directory's title
 *
 * `workers/item/CLAUDE.md`:
 * ```md
 * # workers/product/CLAUDE.md
 * ```
 * Reports:
 * ```text
 * workers/item/CLAUDE.md:1:1-1:28 error mismatch: Unexpected title `workers/product/CLAUDE.md`, expected `workers/item/CLAUDE.md`
 * ```
 *
 * ### not ok: no title
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * Jobs run at night.
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:1:1-1:1 error absent: Unexpected document without a title, expected `# jobs/CLAUDE.md`
 * ```
 *
 * ### not ok: two titles
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 *
 * # Jobs
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:1-3:7 error second-h1: Unexpected second title `Jobs`, expected one first-level heading
 * ```
 */
export const title = rule({
  name: "title",
  options: {},
  *document({ dir, facts, text }, project) {
    if (facts.blank) return;
    const expected = titleFor(project.template(dir), dir);
    const [first, ...others] = facts.headings.filter((heading) => heading.top && heading.depth === 1);
    if (!first) {
      yield {
        kind: "absent",
        message: `Unexpected document without a title, expected \`# ${expected}\``,
        expected: [`# ${expected}`],
        fix: { grade: "G", edits: [[0, 0, `# ${expected}${lineEnding(text).repeat(2)}`]] },
      };
      return;
    }
    if (![first.raw, first.text].some((text) => canonical(text) === canonical(expected)))
      yield {
        kind: "mismatch",
        message: `Unexpected title \`${first.raw}\`, expected \`${expected}\``,
        at: first.range,
        actual: first.raw,
        expected: [`# ${expected}`],
        fix: { grade: "S", edits: [[...first.range, `# ${expected}`]] },
      };
    for (const other of others)
      yield {
        kind: "second-h1",
        message: `Unexpected second title \`${other.raw}\`, expected one first-level heading`,
        at: other.range,
      };
  },
});
