import type { Root } from "mdast";
import type { VFile } from "vfile";
import { answeredBy, checkDocument, checkMissing, isDocument } from "./check.ts";
import { extract } from "./extract.ts";
import { compareFindings, type Finding } from "./finding.ts";
import { parentOf } from "./paths.ts";
import { applyEdits } from "./fix.ts";
import { type Doc, docOf, type Project } from "./project.ts";
import { shorten } from "./shorten.ts";

/**
 * Reports what is wrong with the document in `file`, and with the undocumented directories that it answers for,
 * as messages of the file. The tree is only read. Files that are no documents are left alone.
 *
 * @param path the file's path relative to the repository.
 */
export function lint(tree: Root, file: VFile, path: string, project: Project): void {
  if (!isDocument(path, project)) return;
  const dir = parentOf(path);
  const doc = docOf(dir, path, String(file), (text) => extract(tree, text));
  let own = checkDocument(doc, project);
  if (project.unsettled() > 0) {
    project.settle();
    own = checkDocument(doc, project);
  }
  const others = answeredBy(dir, project).flatMap((missing) => checkMissing(missing, project));
  const { shown, more } = shorten([...own, ...others].sort(compareFindings));
  // Where no comment may silence a rule, remark-lint must not take our messages for its own.
  const source = project.config.disable === "error" ? "claude-md" : "remark-lint";
  for (const finding of shown) report(finding, doc, file, source);
  for (const [ruleId, count] of more) {
    const rest = file.message(`… and ${count} more`, { ruleId, source });
    rest.fatal = shown.some((finding) => finding.ruleId === ruleId && finding.severity === "error");
  }
}

function report(finding: Finding, doc: Doc, file: VFile, source: string): void {
  // A missing document has no place in this one.
  const own = finding.file === doc.path;
  const place = own
    ? {
        start: { line: finding.line, column: finding.column },
        end: { line: finding.endLine, column: finding.endColumn },
      }
    : undefined;
  const message = file.message(finding.message, { place, ruleId: finding.ruleId, source });
  message.fatal = finding.severity === "error";
  message.actual = finding.actual;
  message.expected = own ? replacementOf(finding, doc) : undefined;
  message.note = [finding.related, finding.note].filter(Boolean).join(" · ") || undefined;
  message.url = finding.url;
}

/** What editors put in the message's place: its fix, where that changes nothing else. */
function replacementOf({ fix, line, column, endLine, endColumn }: Finding, doc: Doc): string[] | undefined {
  const start = (doc.lineStarts[line - 1] ?? 0) + column - 1;
  const end = (doc.lineStarts[endLine - 1] ?? 0) + endColumn - 1;
  if (!fix || fix.edits.some(([from, to]) => from < start || to > end)) return undefined;
  return [
    applyEdits(
      doc.text.slice(start, end),
      fix.edits.map(([from, to, text]) => [from - start, to - start, text]),
    ),
  ];
}
