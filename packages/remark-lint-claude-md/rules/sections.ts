import type { DocFacts } from "../extract.ts";
import { type Fix, pointAt, type Problem } from "../finding.ts";
import { canonical, nearest } from "../names.ts";
import { resolveFrom } from "../paths.ts";
import type { Doc, Project } from "../project.ts";
import { lineEnding, withEnding } from "../regions.ts";
import { rule } from "../rule.ts";
import { footerBlock, type Section, sectionReason, sectionsOf, shortestReason } from "../sections.ts";
import { sectionText } from "../scaffold.ts";
import { footerFor, type Template, type TemplateSection } from "../template.ts";

/**
 * A document has the template's sections: all of them, in order, with something in each, and the template's footer.
 *
 * Headings are compared without U+FE0F and outer space; but a heading that differs from the template in bytes has
 * another anchor, so that is reported as well. Where the template marks a section `na`, `該当なし — 理由` may stand
 * for it, except in a directory that the configuration requires.
 *
 * ### ok: every section, and one that does not apply
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## 🎯 目的
 * ## ☁️ AWS
 * <!--template na-->
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## 🎯 目的
 * 夜間の集計。
 * ## ☁️ AWS
 * 該当なし — 型だけのパッケージで、実行されない
 * ```
 *
 * ### ok: the footer links to the template
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 *
 * ---
 * *雛形: {{template}}*
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 *
 * ---
 * *雛形: [template](../template.md)*
 * ```
 *
 * ### not ok: sections missing, out of order, twice, empty, unknown
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Purpose
 * ## Tree
 * ## Alarms
 * ## Security
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Tree
 * none
 * ## Purpose
 * ## Tree
 * none
 * ## Weather
 * fine
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:1:1-1:17 error missing: Unexpected document without 2 sections of `template.md`, expected `## Alarms`, `## Security`
 * jobs/CLAUDE.md:4:1-4:11 error empty: Unexpected empty section `Purpose`, expected content
 * jobs/CLAUDE.md:4:1-4:11 error order: Unexpected section `Purpose` after `Tree`, expected it before
 * jobs/CLAUDE.md:5:1-5:8 error duplicate: Unexpected second section `Tree`, expected one (the first is on line 2)
 * jobs/CLAUDE.md:7:1-7:11 warning unknown: Unexpected section `Weather`, expected only those of `template.md`
 * ```
 *
 * ### not ok: a heading that is nearly right
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## 🎯 目的・役割
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ### 目的・役割
 * 夜間の集計。
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:10 error near-miss: Unexpected heading `### 目的・役割`, expected `## 🎯 目的・役割`
 * ```
 *
 * ### not ok: the variation selector is missing
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## ☁️ AWS
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## ☁ AWS
 * SQS
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:9 error bytes: Unexpected bytes in the heading `☁ AWS`, expected those of `template.md` (U+FE0F or another invisible difference)
 * ```
 *
 * ### not ok: not applicable where it must apply, or without a reason
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Purpose
 * ## AWS
 * <!--template na-->
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Purpose
 * 該当なし — まだ誰も決めていないため
 * ## AWS
 * 該当なし
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:11 error not-applicable: Unexpected `該当なし` in `Purpose`, expected content: `template.md` asks for it in this directory
 * jobs/CLAUDE.md:4:1-4:7 error reason: Unexpected `該当なし` without a reason in `AWS`, expected `該当なし — ` and at least 10 characters
 * ```
 *
 * ### not ok: not applicable in a directory that the configuration requires
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * <!--template na-->
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * 該当なし — まだ誰も決めていないため
 * ```
 * Configuration:
 * ```json
 * { "required": ["jobs"] }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:7 error not-applicable: Unexpected `該当なし` in `AWS`, expected content: `template.md` asks for it in this directory
 * ```
 *
 * ### not ok: the footer of another template
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 *
 * ---
 * *雛形: {{template}}*
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 *
 * ---
 * *雛形: [other](../other.md)*
 * ```
 * `other.md`:
 * ```md
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:4:1-4:27 error footer: Unexpected footer, expected `*雛形: [template.md](../template.md)*`
 * ```
 */
export const sections = rule({
  name: "sections",
  options: {},
  *document(doc, project) {
    const { dir, facts } = doc;
    if (facts.blank) return;
    const template = project.template(dir);
    const found = sectionsOf(facts, template);
    const nearMisses = nearMissesOf(facts, found, template);
    yield* absent(doc, found, template, nearMisses, project);
    yield* arrangement(found, doc, template);
    for (const section of found) {
      if (section.template) yield* content(section, section.template, template);
      else if (!nearMisses.has(section.heading))
        yield {
          kind: "unknown",
          severity: "warning",
          message: `Unexpected section \`${section.heading.raw}\`, expected only those of \`${template.path}\``,
          at: section.heading.range,
        };
    }
    yield* footer(doc, template);
  },
});

/** Headings that are nearly one of the template's, which is then not reported as missing. */
function nearMissesOf(
  facts: DocFacts,
  found: Section[],
  template: Template,
): Map<DocFacts["headings"][number], TemplateSection> {
  const present = new Set(found.map((section) => section.template));
  const known = new Set(found.filter((section) => section.template).map((section) => section.heading));
  const missing = template.sections.filter((wanted) => !present.has(wanted));
  const strangers = facts.headings.filter((heading) => heading.depth > 1 && !known.has(heading));
  const result = new Map<DocFacts["headings"][number], TemplateSection>();
  for (const heading of strangers) {
    const wanted = missing.filter((candidate) => ![...result.values()].includes(candidate));
    const letters = nearest(
      lettersOf(heading.text),
      wanted.map((candidate) => lettersOf(candidate.heading)),
    );
    const match = wanted.find((candidate) => lettersOf(candidate.heading) === letters);
    if (match && letters !== "") result.set(heading, match);
  }
  return result;
}

function lettersOf(heading: string): string {
  return canonical(heading).replace(/[^\p{L}\p{N}]/gu, "");
}

function* absent(
  doc: Doc,
  found: Section[],
  template: Template,
  nearMisses: ReturnType<typeof nearMissesOf>,
  project: Project,
): Iterable<Problem> {
  const { facts } = doc;
  for (const [heading, wanted] of nearMisses)
    yield {
      kind: "near-miss",
      message: `Unexpected heading \`${"#".repeat(heading.depth)} ${heading.raw}\`, expected \`## ${wanted.heading}\``,
      at: heading.range,
      actual: heading.raw,
      expected: [`## ${wanted.heading}`],
      fix: { grade: "G", edits: [[...heading.range, `## ${wanted.heading}`]] },
    };
  const near = new Set(nearMisses.values());
  const missing = template.sections.filter(
    (wanted) =>
      !wanted.optional && !near.has(wanted) && !found.some((section) => section.template === wanted),
  );
  if (missing.length === 0) return;
  const headings = missing.map((section) => `## ${section.heading}`);
  const count = missing.length === 1 ? "a section" : `${missing.length} sections`;
  yield {
    kind: "missing",
    message: `Unexpected document without ${count} of \`${template.path}\`, expected ${headings.map((heading) => `\`${heading}\``).join(", ")}`,
    at: facts.headings.find((heading) => heading.depth === 1)?.range,
    expected: headings,
    fix: { grade: "G", edits: insertions(missing, doc, found, template, project) },
  };
}

/** New sections stand before the next one of the template that the document has, or last. */
function insertions(
  missing: TemplateSection[],
  doc: Doc,
  found: Section[],
  template: Template,
  project: Project,
): Fix["edits"] {
  const ending = lineEnding(doc.text);
  const last = footerBlock(doc.facts, template)?.rule.range[0] ?? doc.text.length;
  const groups = Map.groupBy(missing, (section) => {
    const following = template.sections.slice(template.sections.indexOf(section) + 1);
    const next = found.find(({ template: own }) => own && following.includes(own));
    return next?.heading.range[0] ?? last;
  });
  return [...groups].map(([at, sections]) => {
    const text = sections.map((section) => `${sectionText(section, doc.dir, project)}\n`).join("\n");
    const before = doc.text.slice(0, at);
    const gap =
      before === "" || /(?:\n|\r)[^\S\r\n]*(?:\r\n|\n|\r)$/.test(before)
        ? ""
        : /[\r\n]$/.test(before)
          ? "\n"
          : "\n\n";
    return [at, at, withEnding(`${gap}${text}${at === doc.text.length ? "" : "\n"}`, ending)];
  });
}

function* arrangement(found: Section[], doc: Doc, template: Template): Iterable<Problem> {
  const seen = new Map<TemplateSection, Section>();
  let last: TemplateSection | undefined;
  for (const section of found) {
    const { template: own, heading } = section;
    if (!own) continue;
    const first = seen.get(own);
    if (first) {
      const { line } = pointAt(doc.lineStarts, first.heading.range[0]);
      yield {
        kind: "duplicate",
        message: `Unexpected second section \`${heading.raw}\`, expected one (the first is on line ${line})`,
        at: heading.range,
      };
      continue;
    }
    seen.set(own, section);
    if (last && template.sections.indexOf(own) < template.sections.indexOf(last))
      yield {
        kind: "order",
        message: `Unexpected section \`${heading.raw}\` after \`${last.heading}\`, expected it before`,
        at: heading.range,
      };
    else last = own;
  }
}

function* content(section: Section, own: TemplateSection, template: Template): Iterable<Problem> {
  const { heading, blocks } = section;
  if (heading.raw !== own.heading)
    yield {
      kind: "bytes",
      message: `Unexpected bytes in the heading \`${heading.raw}\`, expected those of \`${template.path}\` (U+FE0F or another invisible difference)`,
      at: heading.range,
      actual: heading.raw,
      expected: [`## ${own.heading}`],
      fix: { grade: "S", edits: [[...heading.range, `## ${own.heading}`]] },
    };
  const reason = sectionReason(section);
  if (blocks.length === 0)
    yield {
      kind: "empty",
      message: `Unexpected empty section \`${heading.raw}\`, expected content`,
      at: heading.range,
      ...(own.na ? { note: "write `該当なし — ` and the reason if it does not apply here" } : {}),
    };
  else if (reason !== undefined && !own.na)
    yield {
      kind: "not-applicable",
      message: `Unexpected \`該当なし\` in \`${heading.raw}\`, expected content: \`${template.path}\` asks for it in this directory`,
      at: heading.range,
    };
  else if (reason !== undefined && reason.length < shortestReason)
    yield {
      kind: "reason",
      message: `Unexpected \`該当なし\` without a reason in \`${heading.raw}\`, expected \`該当なし — \` and at least ${shortestReason} characters`,
      at: heading.range,
    };
}

function* footer({ dir, facts, text: source }: Doc, template: Template): Iterable<Problem> {
  const expected = footerFor(template, dir);
  if (expected === undefined) return;
  const found = footerBlock(facts, template);
  const links = found && facts.links.filter(({ range }) => range[0] >= found.text.range[0]);
  const text = (markdown: string | undefined): string => (markdown ?? "").replace(/^[\s*_]+|[\s*_]+$/g, "");
  const own = found && text(source.slice(...found.text.range));
  if (
    own !== undefined &&
    own.startsWith(text(template.footer?.before)) &&
    own.endsWith(text(template.footer?.after)) &&
    links?.some(({ url }) => resolveFrom(dir, url) === template.path)
  )
    return;
  yield {
    kind: "footer",
    message: `Unexpected ${found ? "footer" : "document without a footer"}, expected \`${expected}\``,
    at: found?.text.range,
    expected: [`---\n${expected}`],
    fix: found
      ? { grade: "S", edits: [[...found.text.range, expected]] }
      : {
          grade: "G",
          edits: [
            [
              source.length,
              source.length,
              withEnding(`${source.endsWith("\n") ? "" : "\n"}\n---\n${expected}\n`, lineEnding(source)),
            ],
          ],
        },
    note: "it stands last, below a line of `---`",
  };
}
