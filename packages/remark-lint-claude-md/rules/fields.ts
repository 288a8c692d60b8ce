import { type Label, reasonOf } from "../extract.ts";
import type { Sourced } from "../facts.ts";
import type { Fix, Problem } from "../finding.ts";
import { canonical } from "../names.ts";
import { lineEnding } from "../regions.ts";
import { rule } from "../rule.ts";
import { knownSections, labelsIn, type Section, sectionReason, shortestReason } from "../sections.ts";

/**
 * A section has the template's fields, each with a value. A field is a bold run that begins a line, or a sub-heading.
 *
 * Where the template marks a section `na`, `該当なし — 理由` waives all of its fields, or one of them.
 *
 * ### ok: bold labels, a sub-heading, a nested list
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Stack
 * - **Image**: Docker
 * - **Needs**:
 * - **Alarms**:
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Stack
 * - **Image**: Docker
 * - **Needs:**
 *   - the database
 *
 * ### Alarms
 * Three of them.
 * ```
 *
 * ### ok: a section that does not apply
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * <!--template na-->
 * - **Region**:
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * 該当なし — 型だけのパッケージで、実行されない
 * ```
 *
 * ### not ok: a field missing, a field without a value
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * - **Service**:
 * - **Region**:
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * - **Service**:
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:7 error missing: Unexpected section `AWS` without the field `Region`, expected `- **Region**: …`
 * jobs/CLAUDE.md:3:3-3:15 error empty: Unexpected field `Service` without a value, expected one
 * ```
 *
 * ### ok: a fact owns the value, and words follow
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * - **Memory**: {{fact memory}}
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * - **Memory**: 512 MB — twice that at night
 * ```
 * `workers/CLAUDE.md`:
 * ```md
 * # workers/CLAUDE.md
 * ## AWS
 * - **Memory**: differs
 * ```
 * Facts:
 * ```json
 * { "values": { "jobs memory": "512 MB" } }
 * ```
 *
 * ### not ok: the fact has changed
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * - **Memory**: {{fact memory}}
 * - **Image**: {{fact image}}
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * - **Memory**: 256 MB — twice that at night
 * - **Image**:
 * ```
 * Facts:
 * ```json
 * { "values": { "jobs memory": "512 MB", "jobs image": "node" } }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:15-3:21 error bound: Unexpected `Memory` value `256 MB`, expected `512 MB`
 * jobs/CLAUDE.md:4:3-4:13 error bound: Unexpected field `Image` without a value, expected `node`
 * ```
 *
 * ### not ok: not applicable where it must apply, or without a reason
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * - **Region**:
 * ## Alarms
 * <!--template na-->
 * - **Logs**:
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * - **Region**: 該当なし — どこでも動くはずだから
 * ## Alarms
 * - **Logs**: 該当なし
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:3-3:33 error not-applicable: Unexpected `該当なし` in the field `Region`, expected a value: `template.md` asks for it in this directory
 * jobs/CLAUDE.md:5:3-5:17 error reason: Unexpected `該当なし` without a reason in the field `Logs`, expected `該当なし — ` and at least 10 characters
 * ```
 */
export const fields = rule({
  name: "fields",
  options: {},
  *document({ dir, facts, text }, project) {
    const template = project.template(dir);
    for (const section of knownSections(facts, template)) {
      const { template: own, heading, blocks } = section;
      if (own.labels.length === 0) continue;
      // An empty section is reported once, by `sections`; so is one that wrongly says it does not apply.
      if (blocks.length === 0 || sectionReason(section) !== undefined) continue;
      const labels = labelsIn(section, facts);
      for (const wanted of own.labels) {
        const found = labels.find((label) => canonical(label.text) === canonical(wanted.text));
        const reason = found && reasonOf(text.slice(...found.value));
        const sourced = wanted.fact === undefined ? undefined : project.facts.value(wanted.fact, dir);
        if (!found)
          yield {
            kind: "missing",
            message: `Unexpected section \`${heading.raw}\` without the field \`${wanted.text}\`, expected \`- **${wanted.text}**: …\``,
            at: heading.range,
            expected: [`- **${wanted.text}**: ${sourced?.value ?? wanted.default}`],
            fix: insertion(wanted.text, sourced?.value ?? wanted.default, section, own.labels, labels, text),
          };
        else if (sourced && !keeps(text.slice(...found.value), sourced.value))
          yield boundProblem(wanted.text, found, sourced, text);
        else if (found.empty)
          yield {
            kind: "empty",
            message: `Unexpected field \`${wanted.text}\` without a value, expected one`,
            at: found.range,
            ...(wanted.default === "" ? {} : { expected: [wanted.default] }),
          };
        else if (reason !== undefined && !own.na)
          yield {
            kind: "not-applicable",
            message: `Unexpected \`該当なし\` in the field \`${wanted.text}\`, expected a value: \`${template.path}\` asks for it in this directory`,
            at: found.range,
          };
        else if (reason !== undefined && reason.length < shortestReason)
          yield {
            kind: "reason",
            message: `Unexpected \`該当なし\` without a reason in the field \`${wanted.text}\`, expected \`該当なし — \` and at least ${shortestReason} characters`,
            at: found.range,
          };
      }
    }
  },
});

/** The value is the fact's, and people's own words may follow. */
function keeps(value: string, fact: string): boolean {
  return value === fact || value.startsWith(`${fact} — `);
}

function boundProblem(name: string, label: Label, fact: Sourced<string>, text: string): Problem {
  const value = text.slice(...label.value);
  const own = value.search(/\s— /);
  const words = label.value[0] + (own === -1 ? value.length : own);
  const written = text.slice(label.value[0], words);
  // An empty value leaves the space after the colon.
  const end = written === "" ? words + (/^[ \t]*/.exec(text.slice(words))?.[0].length ?? 0) : words;
  const space = /[\s]$/.test(text.slice(0, label.value[0])) ? "" : " ";
  const colon = /[:：]\s*$/.test(text.slice(label.range[0], label.value[0]).replaceAll("*", "")) ? "" : ":";
  return {
    kind: "bound",
    message:
      written === ""
        ? `Unexpected field \`${name}\` without a value, expected \`${fact.value}\``
        : `Unexpected \`${name}\` value \`${written}\`, expected \`${fact.value}\``,
    at: written === "" ? [label.range[0], Math.max(end, label.range[1])] : [label.value[0], end],
    ...(written === "" ? {} : { actual: written }),
    expected: [fact.value],
    related: `${fact.file}:${fact.line}`,
    fix: { grade: "S", edits: [[label.value[0], end, `${colon}${space}${fact.value}`]] },
    note: "run `claude-md fix`",
  };
}

/** A new field stands after the one that precedes it in the template. */
function insertion(
  name: string,
  value: string,
  section: Section,
  wanted: readonly { text: string }[],
  labels: readonly Label[],
  text: string,
): Fix {
  const index = wanted.findIndex((label) => label.text === name);
  const before = wanted
    .slice(0, index)
    .map(({ text: other }) => labels.find((label) => canonical(label.text) === canonical(other)))
    .findLast((label) => label !== undefined);
  const at = endOfLine(text, before?.range[1] ?? section.heading.range[1]);
  return { grade: "G", edits: [[at, at, `${lineEnding(text)}- **${name}**: ${value}`.trimEnd()]] };
}

function endOfLine(text: string, from: number): number {
  const end = text.slice(from).search(/[\r\n]/);
  return end === -1 ? text.length : from + end;
}
