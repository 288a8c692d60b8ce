import { reasonOf } from "../extract.ts";
import { canonical } from "../names.ts";
import { rule } from "../rule.ts";
import { labelsIn, sectionReason, sectionsOf, shortestReason } from "../sections.ts";

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
    for (const section of sectionsOf(facts, template)) {
      const { template: own, heading, blocks } = section;
      if (!own || own.labels.length === 0) continue;
      // An empty section is reported once, by `sections`; so is one that wrongly says it does not apply.
      if (blocks.length === 0 || sectionReason(section) !== undefined) continue;
      const labels = labelsIn(section, facts);
      for (const wanted of own.labels) {
        const found = labels.find((label) => canonical(label.text) === canonical(wanted.text));
        const reason = found && reasonOf(text.slice(...found.value));
        if (!found)
          yield {
            kind: "missing",
            message: `Unexpected section \`${heading.raw}\` without the field \`${wanted.text}\`, expected \`- **${wanted.text}**: …\``,
            at: heading.range,
            expected: [`- **${wanted.text}**: ${wanted.default}`],
          };
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
