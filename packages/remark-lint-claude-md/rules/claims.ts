import type { Fence } from "../extract.ts";
import type { Claim } from "../facts.ts";
import type { Problem, Range } from "../finding.ts";
import { nearest } from "../names.ts";
import { resolveFrom } from "../paths.ts";
import type { Doc, Project } from "../project.ts";
import { regionsOf } from "../regions.ts";
import { rule } from "../rule.ts";
import { knownSections, labelsIn } from "../sections.ts";
import { type Entry, parseTree } from "../tree.ts";

/**
 * Prose does not contradict what the fact providers know, and a number of lines beside a file in a tree is true.
 *
 * Only a contradiction on one line is reported; silence never is, and neither is a placeholder. Code blocks and
 * regions are not read, but of the directory's tree what stands beside a name is.
 *
 * ### ok: true, partial, silent
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * There are 3 services in environments: staging, production.
 * It runs in Tokyo. Environments: staging and others.
 * The port is 80; the port is `$PORT`. We deploy by rolling, not by canary.
 * `job-daily` runs at night.
 * ```
 * Facts:
 * ```json
 * {
 *   "claims": [
 *     { "type": "count", "noun": "^ services", "value": 3 },
 *     { "type": "set", "near": "[Ee]nvironments: ", "value": ["staging", "production"] },
 *     { "type": "value", "near": "port", "pattern": "port is (\\d+)", "value": "80" },
 *     { "type": "oneOf", "near": "deploy", "others": ["canary"], "value": "rolling" },
 *     { "type": "name", "pattern": "job-\\w+", "value": ["job-daily", "job-monthly"] }
 *   ]
 * }
 * ```
 *
 * ### not ok: numbers, lists, values and engines of last year
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * There are 4 services.
 * Environments: staging, prodction
 * The port is 8080.
 * We deploy by canary.
 * `job-dayly` and `job-report` run at night.
 * ```
 * Facts:
 * ```json
 * {
 *   "claims": [
 *     { "type": "count", "noun": "^ services", "value": 3 },
 *     { "type": "set", "near": "[Ee]nvironments: ", "value": ["staging", "production"] },
 *     { "type": "value", "near": "port", "pattern": "port is (\\d+)", "value": "80" },
 *     { "type": "oneOf", "near": "deploy", "others": ["canary"], "value": "rolling" },
 *     { "type": "name", "pattern": "job-\\w+", "value": ["job-daily", "job-monthly"] }
 *   ]
 * }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:11-2:12 warning count: Unexpected number `4` before `services`, expected `3`
 * jobs/CLAUDE.md:3:1-3:33 warning set: Unexpected list without `production`, expected `staging`, `production`
 * jobs/CLAUDE.md:3:24-3:33 warning set: Unexpected `prodction` in a list, expected perhaps `production`
 * jobs/CLAUDE.md:4:13-4:17 warning value: Unexpected value `8080`, expected `80`
 * jobs/CLAUDE.md:5:14-5:20 warning oneOf: Unexpected `canary`, expected `rolling`
 * jobs/CLAUDE.md:6:2-6:11 warning name: Unexpected name `job-dayly`, expected perhaps `job-daily`
 * jobs/CLAUDE.md:6:18-6:28 warning name: Unexpected name `job-report`, expected one that exists
 * ```
 *
 * ### not ok: words after a value that a fact owns; the value itself is of `fields`
 *
 * `template.md`:
 * ```md
 * # {{path}}/CLAUDE.md
 * ## AWS
 * - **Port**: {{fact port}}
 * ```
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## AWS
 * - **Port**: port 81 — not port 82
 * ```
 * Facts:
 * ```json
 * {
 *   "values": { "jobs port": "port 80" },
 *   "claims": [{ "type": "value", "near": "port", "pattern": "port (\\d+)", "value": "80" }]
 * }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:32-3:34 warning value: Unexpected value `82`, expected `80`
 * ```
 *
 * ### not ok: beside a name in the tree
 *
 * `template.md`:
 * ````md
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ````
 * `jobs/CLAUDE.md`:
 * ````md
 * # jobs/CLAUDE.md
 * ## Tree
 * ```text
 * jobs/
 * └── main.ts # starts 4 services
 * ```
 * ````
 * `jobs/main.ts`:
 * ```ts
 * one
 * ```
 * Facts:
 * ```json
 * { "claims": [{ "type": "count", "noun": "^ services", "value": 3 }] }
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:5:22-5:23 warning count: Unexpected number `4` before `services`, expected `3`
 * ```
 *
 * ### not ok: a number of lines that has grown old
 *
 * `template.md`:
 * ````md
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ````
 * `jobs/CLAUDE.md`:
 * ````md
 * # jobs/CLAUDE.md
 * ## Tree
 * ```text
 * jobs/
 * ├── main.ts  # 120 lines
 * └── other.ts # 1行
 * ```
 * ````
 * `jobs/main.ts`:
 * ```ts
 * one
 * two
 * ```
 * `jobs/other.ts`:
 * ```ts
 * one
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:5:16-5:19 warning number: Unexpected number of lines `120` of `jobs/main.ts`, expected `2`
 * ```
 */
export const claims = rule({
  name: "claims",
  options: {},
  level: "warning",
  *document(doc, project) {
    const own = project.facts.claims(doc.path);
    if (own.length > 0) yield* inProse(own, doc, project);
    yield* numbersInTrees(doc, project);
  },
});

function* inProse(claims: readonly Claim[], doc: Doc, project: Project): Iterable<Problem> {
  const bound = boundValues(doc, project);
  for (const line of [...proseOf(doc), ...commentsInTrees(doc, project)])
    for (const claim of claims)
      for (const problem of contradictions(claim, line))
        if (
          !bound.some(
            ([start, end]) => problem.at !== undefined && problem.at[0] >= start && problem.at[1] <= end,
          )
        )
          yield problem;
}

/** What a fact owns is held against that fact alone, by `fields`; the words after it are people's. */
function boundValues(doc: Doc, project: Project): Range[] {
  return knownSections(doc.facts, project.template(doc.dir)).flatMap((section) =>
    section.template.labels.flatMap(({ text: name, fact }): Range[] => {
      const label = labelsIn(section, doc.facts).find((each) => each.text === name);
      if (!label || fact === undefined || project.facts.value(fact, doc.dir) === undefined) return [];
      const [start, end] = label.value;
      const words = doc.text.slice(start, end).indexOf(" — ");
      return [[start, words === -1 ? end : start + words]];
    }),
  );
}

/** Nobody wrote a longer line, and providers' patterns may be slow on one. */
const longestLine = 10_000;

/** Characters after a number that are looked at. */
const longestNoun = 100;

interface Line {
  text: string;
  start: number;
}

/** The lines that are neither code, region nor comment. */
function* proseOf(doc: Doc): Iterable<Line> {
  const { facts, text, lineStarts } = doc;
  const left = [
    ...facts.fences.map(({ range }) => range),
    ...facts.comments.map(({ range }) => range),
    ...regionsOf(doc).regions.map(({ open, close }): Range => [open[0], close[1]]),
  ].sort((a, b) => a[0] - b[0]);
  let next = 0;
  let end = 0;
  for (const [index, start] of lineStarts.entries()) {
    for (; (left[next]?.[0] ?? Infinity) <= start; next++) end = Math.max(end, left[next]?.[1] ?? 0);
    const line = text.slice(start, lineStarts[index + 1] ?? text.length).replace(/[\r\n]+$/, "");
    if (line !== "" && line.length <= longestLine && start >= end) yield { text: line, start };
  }
}

function* contradictions(claim: Claim, line: Line): Iterable<Problem> {
  const { truth } = claim;
  const related = `${truth.file}:${truth.line}`;
  const at = (index: number, length: number): Range => [line.start + index, line.start + index + length];
  switch (claim.type) {
    case "count":
      for (const match of line.text.matchAll(/(?<![\p{L}\p{N}.,~〜–/-])[\d０-９]+(?![\d０-９.])/gu)) {
        const from = match.index + match[0].length;
        const noun = claim.noun.exec(line.text.slice(from, from + longestNoun));
        const value = Number(match[0].normalize("NFKC"));
        if (noun?.index !== 0 || value === claim.truth.value) continue;
        const range = at(match.index, match[0].length);
        yield {
          kind: "count",
          message: `Unexpected number \`${match[0]}\` before \`${noun[0].trim()}\`, expected \`${claim.truth.value}\``,
          at: range,
          actual: match[0],
          expected: [String(claim.truth.value)],
          related,
          fix: { grade: "G", edits: [[...range, String(claim.truth.value)]] },
        };
      }
      break;
    case "oneOf":
      if (!claim.near.test(line.text) || line.text.includes(claim.truth.value)) break;
      for (const other of claim.others) {
        const match = other.exec(line.text);
        if (!match) continue;
        const range = at(match.index, match[0].length);
        yield {
          kind: "oneOf",
          message: `Unexpected \`${match[0]}\`, expected \`${claim.truth.value}\``,
          at: range,
          actual: match[0],
          expected: [claim.truth.value],
          related,
          fix: { grade: "G", edits: [[...range, claim.truth.value]] },
        };
      }
      break;
    case "set":
      yield* inList(claim, line, at, related);
      break;
    case "name":
      for (const { value, start } of found(claim.pattern, line)) {
        if (claim.truth.value.includes(value)) continue;
        const meant = nearest(value, claim.truth.value);
        const range = at(start, value.length);
        yield {
          kind: "name",
          message: `Unexpected name \`${value}\`, expected ${meant === undefined ? "one that exists" : `perhaps \`${meant}\``}`,
          at: range,
          actual: value,
          expected: meant === undefined ? claim.truth.value : [meant],
          related,
          ...(meant === undefined ? {} : { fix: { grade: "G", edits: [[...range, meant]] } }),
        };
      }
      break;
    case "value":
      if (!claim.near.test(line.text)) break;
      for (const { value, start } of found(claim.pattern, line)) {
        if (value === claim.truth.value) continue;
        const range = at(start, value.length);
        yield {
          kind: "value",
          message: `Unexpected value \`${value}\`, expected \`${claim.truth.value}\``,
          at: range,
          actual: value,
          expected: [claim.truth.value],
          related,
          fix: { grade: "G", edits: [[...range, claim.truth.value]] },
        };
      }
      break;
    default:
  }
}

/** What `pattern` finds in the line: its first group, or all of it. */
function* found(pattern: RegExp, line: Line): Iterable<{ value: string; start: number }> {
  const everywhere = new RegExp(pattern.source, [...new Set(`${pattern.flags}gd`)].join(""));
  for (const match of line.text.matchAll(everywhere)) {
    const value = match[1] ?? match[0];
    const [start] = (match[1] === undefined ? undefined : match.indices?.[1]) ?? [match.index];
    if (value !== "") yield { value, start };
  }
}

function* inList(
  claim: Claim & { type: "set" },
  line: Line,
  at: (index: number, length: number) => Range,
  related: string,
): Iterable<Problem> {
  const before = claim.near.exec(line.text);
  if (!before) return;
  const from = before.index + before[0].length;
  const list = /^[^。)）;；:：|]*/.exec(line.text.slice(from))?.[0] ?? "";
  const members = [...list.matchAll(/[\w][\w.-]*/g)].map((match) => ({
    name: match[0].replace(/\.$/, ""),
    index: from + match.index,
  }));
  const truth = claim.truth.value;
  const named = members.filter(({ name }) => truth.includes(name));
  // Without two of them, it is no list of these things.
  const unknown = members.filter(({ name }) => !truth.includes(name) && name !== "and");
  if (named.length === 0 || named.length + unknown.length < 2) return;
  if (/など|ほか|…|\.\.\.|\betc\b|\bothers\b/.test(list)) return;
  for (const { name, index } of unknown) {
    const meant = nearest(name, truth);
    yield {
      kind: "set",
      message: `Unexpected \`${name}\` in a list, expected ${meant === undefined ? "only" : "perhaps"} ${meant === undefined ? truth.map((each) => `\`${each}\``).join(", ") : `\`${meant}\``}`,
      at: at(index, name.length),
      actual: name,
      expected: meant === undefined ? truth : [meant],
      related,
      ...(meant === undefined ? {} : { fix: { grade: "G", edits: [[...at(index, name.length), meant]] } }),
    };
  }
  const forgotten = truth.filter((each) => !named.some(({ name }) => name === each));
  if (forgotten.length > 0)
    yield {
      kind: "set",
      message: `Unexpected list without ${forgotten.map((each) => `\`${each}\``).join(", ")}, expected ${truth.map((each) => `\`${each}\``).join(", ")}`,
      at: at(before.index, before[0].length + list.trimEnd().length),
      expected: truth,
      related,
    };
}

/** The trees of this directory. */
function* treesOf(doc: Doc, project: Project): Iterable<{ fence: Fence; lines: string[]; entries: Entry[] }> {
  const asked = knownSections(doc.facts, project.template(doc.dir)).filter(({ template }) => template.tree);
  for (const fence of doc.facts.fences) {
    if (!asked.some(({ start, end }) => fence.range[0] >= start && fence.range[1] <= end)) continue;
    const tree = parseTree(fence.value);
    if ("entries" in tree) yield { fence, lines: fence.value.split("\n"), entries: tree.entries };
  }
}

/** Names with what people say beside them. */
function* commentsInTrees(doc: Doc, project: Project): Iterable<Line> {
  for (const { fence, lines, entries } of treesOf(doc, project))
    for (const { entry } of filesIn(entries, doc.dir)) {
      const start = doc.lineStarts[fence.line + entry.line];
      if (entry.comment === "" || start === undefined) continue;
      const text = (lines[entry.line] ?? "").slice(entry.column).trimEnd();
      // A block may be indented: its lines then begin later than the document's.
      yield { text, start: doc.text.indexOf(text, start) };
    }
}

/** `main.ts # 120 lines` in the tree of this directory. */
function* numbersInTrees(doc: Doc, project: Project): Iterable<Problem> {
  const { dir, facts } = doc;
  const numbers = /\d[ \t]*(?:行|lines?\b)/;
  if (!facts.fences.some(({ value }) => numbers.test(value))) return;
  for (const { fence, lines, entries } of treesOf(doc, project)) {
    if (!numbers.test(fence.value)) continue;
    for (const { entry, path } of filesIn(entries, dir)) {
      const text = project.kind(path) === "file" ? lines[entry.line] : undefined;
      const match = text && /(?<![\d.,])(\d[\d,]*)(?=\s*(?:行|lines?\b))/.exec(text);
      const start = doc.lineStarts[fence.line + entry.line];
      if (!match || start === undefined) continue;
      const source = project.read(path);
      const truth = source === undefined ? undefined : String(source.replace(/\n$/, "").split("\n").length);
      const written = match[0].replaceAll(",", "");
      if (truth === undefined || written === truth) continue;
      const from = doc.text.indexOf(match[0], start + match.index);
      const range: Range = [from, from + match[0].length];
      yield {
        kind: "number",
        message: `Unexpected number of lines \`${match[0]}\` of \`${path}\`, expected \`${truth}\``,
        at: range,
        actual: match[0],
        expected: [truth],
        related: path,
        fix: { grade: "S", edits: [[...range, truth]] },
        note: "or leave the number out: it grows old with every edit",
      };
    }
  }
}

function* filesIn(entries: Entry[], dir: string): Iterable<{ entry: Entry; path: string }> {
  for (const entry of entries) {
    const path = resolveFrom(dir, entry.name.normalize("NFC"));
    if (path === undefined) continue;
    yield { entry, path };
    yield* filesIn(entry.children, path);
  }
}
