import type { CommandProblem } from "../facts.ts";
import type { Problem, Range } from "../finding.ts";
import type { Doc } from "../project.ts";
import { rule } from "../rule.ts";

/**
 * Commands that a document tells people to type exist, with the scripts, filters and flags they are given.
 *
 * Commands stand in inline code and in blocks of `sh`, `bash`, `shell`, `zsh` or `console`. What is known of them, the
 * fact providers know. A word that stands for something else (`<env>`, `$ENV`) is never wrong; `[a|b]` means each.
 *
 * ### ok: known, unknown to anyone, and a placeholder
 *
 * `CLAUDE.md`:
 * ````md
 * # CLAUDE.md
 * `shop open tokyo`, then `other tool`
 *
 * ```sh
 * $ shop open osaka # the other one
 * ```
 *
 * ```text
 * shop opens
 * ```
 * ````
 * Facts:
 * ```json
 * { "commands": { "shop open tokyo": "", "shop open osaka": "" }, "programs": ["shop"] }
 * ```
 *
 * ### not ok: in code, in a block, behind another
 *
 * `CLAUDE.md`:
 * ````md
 * # CLAUDE.md
 * `shop open kyoto`
 *
 * ```sh
 * cd x && shop open nara
 * ```
 * ````
 * Facts:
 * ```json
 * { "commands": { "shop open tokyo": "" }, "programs": ["shop"] }
 * ```
 * Reports:
 * ```text
 * CLAUDE.md:2:12-2:17 error command: Unexpected command `shop open kyoto`
 * CLAUDE.md:5:19-5:23 error command: Unexpected command `shop open nara`
 * ```
 */
export const commands = rule({
  name: "commands",
  options: {},
  *document(doc, project) {
    if (!project.facts.some) return;
    for (const { words } of commandsIn(doc))
      for (const argv of alternatives(words.map(({ text }) => text))) {
        const problem = project.facts.command(argv, doc.dir);
        if (!problem) continue;
        yield problemAt(problem, words);
        break;
      }
  },
});

interface Word {
  text: string;
  range: Range;
}

function problemAt({ word, ...problem }: CommandProblem, words: Word[]): Problem {
  const at = words[word ?? -1];
  const whole: Range = [words[0]?.range[0] ?? 0, words.at(-1)?.range[1] ?? 0];
  const replacement = problem.expected?.[0];
  return {
    ...problem,
    at: at?.range ?? whole,
    ...(at && replacement !== undefined && at.text === problem.actual
      ? { fix: { grade: "G", edits: [[...at.range, replacement]] } }
      : {}),
  };
}

const shells = new Set(["sh", "bash", "shell", "zsh", "console"]);

/** The commands that a document shows. */
export function* commandsIn({ facts, text, lineStarts }: Doc): Iterable<{ words: Word[] }> {
  for (const [start, end] of facts.codes) {
    const marks = /^`+/.exec(text.slice(start, end))?.[0].length ?? 0;
    yield* split(text.slice(start + marks, end - marks), start + marks);
  }
  for (const fence of facts.fences) {
    if (!shells.has(fence.lang)) continue;
    for (const [index, line] of fence.value.split("\n").entries()) {
      const start = lineStarts[fence.line + index];
      const end = lineStarts[fence.line + index + 1] ?? text.length;
      const column = start === undefined ? -1 : text.slice(start, end).indexOf(line);
      if (start === undefined || column < 0 || line.trim() === "") continue;
      const prompt = /^\s*(?:[$%>]\s+)?/.exec(line)?.[0].length ?? 0;
      if (fence.lang === "console" && !/^\s*[$%>]\s/.test(line)) continue;
      yield* split(line.slice(prompt), start + column + prompt);
    }
  }
}

const longestCommand = 2_000;

/** The commands of one line of shell: what `&&`, `||`, `|` and `;` separate. */
function* split(line: string, offset: number): Iterable<{ words: Word[] }> {
  // Nobody types more.
  if (line.length > longestCommand) return;
  let words: Word[] = [];
  for (const match of line.matchAll(/"([^"]*)"|'([^']*)'|&&|\|\||[|;](?=\s|$)|(?:\[[^\]\s]*\]|[^\s"';])+/g)) {
    const [whole] = match;
    if (whole.startsWith("#")) break;
    if (whole === "&&" || whole === "||" || whole === "|" || whole === ";") {
      if (words.length > 0) yield { words };
      words = [];
      continue;
    }
    const start = offset + match.index;
    words.push({ text: match[1] ?? match[2] ?? whole, range: [start, start + whole.length] });
  }
  if (words.length > 0) yield { words };
}

const choice = /^\[[^|\]]+(?:\|[^|\]]+)+\]$/;

/** `[a|b]` means each of them: every one is seen once, beside the first of the other choices. */
function alternatives(words: string[]): string[][] {
  const choices = words.map((word) => (choice.test(word) ? word.slice(1, -1).split("|") : [word]));
  const first = choices.map(([word = ""]) => word);
  return [
    first,
    ...choices.flatMap((others, index) => others.slice(1).map((other) => first.with(index, other))),
  ];
}
