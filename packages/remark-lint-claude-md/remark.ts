import type { Root } from "mdast";
import type { VFile } from "vfile";
import { answeredBy, checkDocument, checkMissing, isDocument } from "./check.ts";
import { extract } from "./extract.ts";
import { compareFindings, type Finding } from "./finding.ts";
import { parentOf } from "./paths.ts";
import { docOf, type Project } from "./project.ts";
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
  for (const finding of shown) report(finding, path, file);
  for (const [ruleId, count] of more) {
    const rest = file.message(`… and ${count} more`, { ruleId, source: "remark-lint" });
    rest.fatal = shown.some((finding) => finding.ruleId === ruleId && finding.severity === "error");
  }
}

function report(finding: Finding, path: string, file: VFile): void {
  // A missing document has no place in this one.
  const place =
    finding.file === path
      ? {
          start: { line: finding.line, column: finding.column },
          end: { line: finding.endLine, column: finding.endColumn },
        }
      : undefined;
  const message = file.message(finding.message, { place, ruleId: finding.ruleId, source: "remark-lint" });
  message.fatal = finding.severity === "error";
  message.actual = finding.actual;
  message.expected = finding.expected;
  message.note = finding.note;
}
