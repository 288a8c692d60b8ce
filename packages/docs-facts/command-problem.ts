import { distance } from "fastest-levenshtein";
import type { Problem } from "remark-lint-claude-md";

export type CommandProblem = Problem;

/** A word that stands for what the reader puts there: `<env>`, `$ENV`, `…`, Japanese. */
export function isPlaceholder(word: string): boolean {
  return /[<>$*{}…]|\.\.\.|[^\p{ASCII}]/u.test(word);
}

/** `[a|b]` is each of them. */
export function alternatives(word: string): string[] {
  return /^\[.*\|.*\]$/.test(word) ? word.slice(1, -1).split("|") : [word];
}

/** The known names, nearest first. */
function nearest(word: string, known: readonly string[]): string[] {
  return [...known]
    .map((name) => ({ name, far: distance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .filter(({ far, name }) => far <= Math.max(3, name.length / 2))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** `what` is the noun of the sentence: `command`, `script`, `environment`. */
export function unexpected(
  kind: "command" | "file" | "script" | "filter" | "flag" | "flag-value",
  what: string,
  word: string,
  known: readonly string[],
  index: number,
  related?: string,
): CommandProblem {
  const near = nearest(word, known);
  const listed =
    known.length <= 8 ? `one of ${known.map((name) => `\`${name}\``).join(", ")}` : "one that exists";
  const [best] = near;
  return {
    kind,
    message: `Unexpected ${what} \`${word}\`, expected ${best === undefined ? listed : `\`${best}\``}`,
    actual: word,
    word: index,
    ...(near.length > 0 ? { expected: near } : {}),
    ...(related === undefined ? {} : { related }),
  };
}
