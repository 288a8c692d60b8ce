import { rule } from "../rule.ts";

/**
 * Every directory has a document.
 *
 * A directory exists when git would commit a file in it. Directories that the configuration excludes owe nothing;
 * those that it requires must exist, too. A document of more than a million characters, or one that keeps the parser
 * busy for ten seconds, is reported, not judged. `claude-md check` reports at the path the document should have; in remark,
 * which sees one document at a time, the nearest documented ancestor answers for it.
 *
 * ### ok: both directories are documented
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ```
 *
 * ### not ok: a directory without a document
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * ```
 * `jobs/daily/main.ts`:
 * ```ts
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ```
 * Reports:
 * ```text
 * jobs/daily/CLAUDE.md:1:1-1:1 error missing: Unexpected directory `jobs/daily` without a document, expected `jobs/daily/CLAUDE.md`
 * ```
 *
 * ### not ok: a required directory that does not exist
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * ```
 * Configuration:
 * ```json
 * { "required": ["workers/item"] }
 * ```
 * Reports:
 * ```text
 * workers/item/CLAUDE.md:1:1-1:1 error required: Unexpected absence of the required directory `workers/item`, expected it with `workers/item/CLAUDE.md`
 * ```
 *
 * ### not ok: an empty document
 *
 * `CLAUDE.md`:
 * ```md
 *
 * ```
 * Reports:
 * ```text
 * CLAUDE.md:1:1-1:1 error empty-file: Unexpected empty document, expected the sections of `template.md`
 * ```
 */
export const presence = rule({
  name: "presence",
  options: {},
  *document(doc, project) {
    if (doc.facts.unread !== undefined)
      yield {
        kind: "unreadable",
        message: `Unexpected document that cannot be read: ${doc.facts.unread}`,
      };
    if (!doc.facts.blank) return;
    const template = project.template(doc.dir).path;
    yield {
      kind: "empty-file",
      message: `Unexpected empty document, expected the sections of \`${template}\``,
    };
  },
  *missing(dir, project) {
    const path = project.docPath(dir);
    if (project.kind(dir) === undefined)
      yield {
        kind: "required",
        message: `Unexpected absence of the required directory \`${dir}\`, expected it with \`${path}\``,
        expected: [path],
      };
    else
      yield {
        kind: "missing",
        message: `Unexpected directory \`${dir === "" ? "." : dir}\` without a document, expected \`${path}\``,
        expected: [path],
        note: `write it from \`${project.template(dir).path}\``,
      };
  },
});
