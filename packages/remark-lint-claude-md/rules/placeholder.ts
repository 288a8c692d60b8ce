import { textHash } from "../extract.ts";
import { rule } from "../rule.ts";
import type { Template } from "../template.ts";

/**
 * Nothing of the template's sample text is left, and no mark that something is still to be written.
 *
 * Code is not looked into: `TODO` may be talked about.
 *
 * ### ok: written out, with the template's words as the beginning
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Notes
 * - Security settings
 * - Trouble
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Notes
 * - Security settings: the role may read one queue; `TODO` is not written here
 * - Trouble
 *   - read the log first
 * ```
 *
 * ### not ok: sample text and marks
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Notes
 * - Security settings
 * - [Other directory](../path/)
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Notes
 * - Security settings:
 * - [Other directory](../path/)
 *
 * TODO: say more
 *
 * 要記入
 *
 * *{{template}}*
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:1-3:21 error template: Unexpected sample text `Security settings` of `template.md`, expected this directory's own words
 * jobs/CLAUDE.md:4:1-4:30 error template: Unexpected sample text `Other directory` of `template.md`, expected this directory's own words
 * jobs/CLAUDE.md:6:1-6:15 error mark: Unexpected `TODO`, expected the text that it promises
 * jobs/CLAUDE.md:8:1-8:4 error mark: Unexpected `要記入`, expected the text that it promises
 * jobs/CLAUDE.md:10:1-10:15 error mark: Unexpected `{{template}}`, expected the text that it promises
 * ```
 */
export const placeholder = rule({
  name: "placeholder",
  options: {},
  *document({ dir, facts }, project) {
    const template = project.template(dir);
    const samples = samplesOf(template);
    for (const text of facts.texts) {
      const sample = text.leaf ? samples.get(text.hash) : undefined;
      if (sample !== undefined)
        yield {
          kind: "template",
          message: `Unexpected sample text \`${sample}\` of \`${template.path}\`, expected this directory's own words`,
          at: text.range,
        };
      else if (text.mark !== "")
        yield {
          kind: "mark",
          message: `Unexpected \`${text.mark}\`, expected the text that it promises`,
          at: text.range,
        };
    }
  },
});

const samplesOfTemplate = new WeakMap<Template, ReadonlyMap<number, string>>();

/** The sample texts of a template by their hash. */
function samplesOf(template: Template): ReadonlyMap<number, string> {
  let samples = samplesOfTemplate.get(template);
  if (!samples) {
    const texts = template.sections.flatMap((section) => section.placeholders);
    samples = new Map(texts.map((sample) => [textHash(sample), sample]));
    samplesOfTemplate.set(template, samples);
  }
  return samples;
}
