import type { Problem } from "../finding.ts";
import { canonical, nearest } from "../names.ts";
import type { Doc, Project } from "../project.ts";
import { lineEnding, regionsOf, withEnding } from "../regions.ts";
import { rule } from "../rule.ts";
import { knownSections } from "../sections.ts";

/**
 * What stands between `<!--claude-md name-->` and `<!--claude-md end-->` is what the fact providers know now.
 *
 * Tables of services, environments or alarms are written by `claude-md fix`, never by hand. Where the template asks
 * for a region and a provider has one for the directory, the document holds it.
 *
 * ### ok: the region says what the provider says
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Services
 * {{block services}}
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Services
 * <!--claude-md services-->
 * - daily
 * <!--claude-md end-->
 * ```
 * Facts:
 * ```json
 * { "blocks": { "jobs services": "- daily" } }
 * ```
 *
 * ### not ok: grown old, missing, unknown, without an end
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## Services
 * {{block services}}
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## Services
 * <!--claude-md services-->
 * - weekly
 * <!--claude-md end-->
 *
 * <!--claude-md service-->
 * <!--claude-md end-->
 *
 * <!--claude-md end-->
 * ```
 * `workers/CLAUDE.md`:
 * ```md
 * # workers/CLAUDE.md
 * ## Services
 * None.
 * ```
 * Facts:
 * ```json
 * { "blocks": { "jobs services": "- daily", "workers services": "- item" } }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:1-5:21 error stale: Unexpected content of the region `services`, expected what the facts say now
 * jobs/CLAUDE.md:7:1-7:25 error unknown: Unexpected region `service`, expected one that is known in `jobs`, perhaps `services`
 * jobs/CLAUDE.md:10:1-10:21 error unbalanced: Unexpected `<!--claude-md end-->` without a beginning, expected `<!--claude-md …-->` above it
 * workers/CLAUDE.md:2:1-2:12 error absent: Unexpected section `Services` without the region `services`, expected `<!--claude-md services-->`
 * ```
 */
export const regions = rule({
  name: "regions",
  options: {},
  *document(doc, project) {
    const { dir, text } = doc;
    const { regions: found, alone } = regionsOf(doc);
    const ending = lineEnding(text);
    for (const { name, range } of alone)
      yield {
        kind: "unbalanced",
        message:
          name === "end"
            ? "Unexpected `<!--claude-md end-->` without a beginning, expected `<!--claude-md …-->` above it"
            : `Unexpected region \`${name}\` without an end, expected \`<!--claude-md end-->\` below it`,
        at: range,
      };
    for (const region of found) {
      const fact = project.facts.block(region.name, region.args, dir);
      if (!fact) {
        const known = project.facts.keys(dir).blocks.map((block) => block.name);
        const meant = nearest(region.name, known);
        yield {
          kind: "unknown",
          message: `Unexpected region \`${[region.name, ...region.args].join(" ")}\`, expected one that is known in \`${dir === "" ? "." : dir}\`${meant === undefined ? "" : `, perhaps \`${meant}\``}`,
          at: region.open,
          ...(meant === undefined ? {} : { expected: [meant] }),
          note: `\`claude-md facts ${dir === "" ? "." : dir}\` lists them`,
        };
        continue;
      }
      const expected = `${ending}${withEnding(fact.value, ending)}${ending}`;
      if (text.slice(region.open[1], region.close[0]) === expected) continue;
      yield {
        kind: "stale",
        message: `Unexpected content of the region \`${region.name}\`, expected what the facts say now`,
        at: [region.open[0], region.close[1]],
        expected: [fact.value],
        related: `${fact.file}:${fact.line}`,
        fix: { grade: "S", edits: [[region.open[1], region.close[0], expected]] },
        note: "run `claude-md fix`",
      };
    }
    yield* absent(doc, project);
  },
});

/** Regions that the template asks for and a provider knows. */
function* absent(doc: Doc, project: Project): Iterable<Problem> {
  const { dir, facts, text } = doc;
  const ending = lineEnding(text);
  const { regions: found } = regionsOf(doc);
  for (const section of knownSections(facts, project.template(dir)))
    for (const { name, args } of section.template.blocks) {
      const fact = project.facts.block(name, args, dir);
      const wanted = [name, ...args].join(" ");
      if (!fact || found.some((region) => canonical([region.name, ...region.args].join(" ")) === wanted))
        continue;
      const end = section.blocks.at(-1)?.range[1] ?? section.heading.range[1];
      const mark = `<!--claude-md ${wanted}-->`;
      yield {
        kind: "absent",
        message: `Unexpected section \`${section.heading.raw}\` without the region \`${wanted}\`, expected \`${mark}\``,
        at: section.heading.range,
        expected: [mark],
        related: `${fact.file}:${fact.line}`,
        fix: {
          grade: "G",
          edits: [[end, end, withEnding(`\n\n${mark}\n${fact.value}\n<!--claude-md end-->`, ending)]],
        },
        note: "run `claude-md fix --suggest`",
      };
    }
}
