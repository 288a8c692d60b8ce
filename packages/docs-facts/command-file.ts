import { type CommandProblem, isPlaceholder, unexpected } from "./command-problem.ts";
import type { Model } from "./model.ts";
import { nameOf } from "./tree.ts";

/**
 * `node build.ts 1.0.0` and `copilot/bootstrap.sh staging`: a file of the repository, seen from any of its folders, as
 * documents say where they are in words only.
 */
export function fileProblem(
  { tree }: Model,
  program: string,
  words: readonly string[],
): CommandProblem | undefined {
  const index = program === "node" ? words.findIndex((word) => !word.startsWith("-")) : -1;
  const file = (program === "node" ? words[index] : program) ?? "";
  if (program === "node" ? !/\.[cm]?[jt]sx?$/.test(file) : !isScript(file) || words.length === 0)
    return undefined;
  // What lies outside of the repository, what is built and what a reader fills in is not known here.
  if (
    isPlaceholder(file) ||
    /^(?:\/|~|\.\.\/)/.test(file) ||
    words.some((word) => /^-[ep]$|^--eval/.test(word))
  )
    return undefined;
  const path = file.replace(/^\.\//, "");
  if (tree.files.some((each) => each === path || each.endsWith(`/${path}`))) return undefined;
  const scripts = tree.files.filter((each) => /\.(?:[cm]?[jt]sx?|sh|bash|py)$/.test(each));
  return unexpected("file", "file", file, path.includes("/") ? scripts : scripts.map(nameOf), index);
}

/** A program that is called by its path. */
function isScript(word: string): boolean {
  return /^(?:\.\/)?[\w.-]+(?:\/[\w.-]+)+$/.test(word) && /\.(?:sh|bash|mjs|js|py)$/.test(word);
}
