import type { Finding, Problem } from "../finding.ts";
import { marksIn, silence } from "../control.ts";
import type { Doc, Project } from "../project.ts";
import { rule } from "../rule.ts";

/**
 * Comments that silence rules are allowed, and needed.
 *
 * `<!--lint disable claude-md-tree-->` holds from there on, `<!--lint ignore claude-md-tree-->` for the next block,
 * as remark-lint reads them. A comment that silences only rules of ours, and no finding, is one too many. The setting
 * `disable: "error"` allows none at all: then they silence nothing, either.
 *
 * ### ok: an exception that is one
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 *
 * <!--lint ignore claude-md-links-->
 *
 * [made by a run](out.txt)
 * ```
 * Configuration:
 * ```json
 * { "rules": { "links": "error" } }
 * ```
 *
 * ### not ok: it silences nothing
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 *
 * <!--lint disable claude-md-title-->
 *
 * Text.
 * ```
 * Configuration:
 * ```json
 * { "rules": { "title": "error" } }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:1-3:36 error unused: Unexpected comment that silences nothing, expected none
 * ```
 *
 * ### not ok: where none is allowed
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 *
 * <!--lint disable-->
 *
 * [x](nowhere.txt)
 * ```
 * Configuration:
 * ```json
 * { "disable": "error", "rules": { "links": "error" } }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:1-3:20 error forbidden: Unexpected comment that silences rules, expected none in this repository
 * jobs/CLAUDE.md:5:1-5:17 error missing: Unexpected link to `jobs/nowhere.txt`, which does not exist, expected an existing path
 * ```
 */
export const control = rule({
  name: "control",
  options: {},
  *document(doc, project) {
    if (project.config.disable !== "error") return;
    for (const { verb, range } of marksIn(doc))
      if (verb !== "enable")
        yield {
          kind: "forbidden",
          message: "Unexpected comment that silences rules, expected none in this repository",
          at: range,
          note: "mend what it hides",
        };
  },
  after: unused,
});

function* unused(doc: Doc, project: Project, findings: readonly Finding[]): Iterable<Problem> {
  if (project.config.disable === "error") return;
  const { marks, used } = silence(doc, findings);
  for (const mark of marks) {
    const ours = mark.ids.length > 0 && mark.ids.every((id) => id.startsWith("claude-md-"));
    if (mark.verb === "enable" || !ours || used.has(mark)) continue;
    const [start, end] = lineAround(mark.range, doc.text);
    yield {
      kind: "unused",
      message: "Unexpected comment that silences nothing, expected none",
      at: mark.range,
      fix: { grade: "S", edits: [[start, end, ""]] },
    };
  }
}

const lineEnd = /[ \t]*(?:\r\n|\n|\r|$)(?:[ \t]*(?:\r\n|\n|\r))?/y;

/** The whole line with the blank one after it, where the comment stands alone. */
function lineAround([start, end]: readonly [number, number], text: string): readonly [number, number] {
  let before = start;
  while (before > 0 && /[ \t]/.test(text[before - 1] ?? "")) before--;
  const first = before === 0 || /[\r\n]/.test(text[before - 1] ?? "");
  lineEnd.lastIndex = end;
  const after = lineEnd.exec(text);
  return first && after ? [start, end + after[0].length] : [start, end];
}
