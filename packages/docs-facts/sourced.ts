import type { Node, Position } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { inside, type Tree } from "./tree.ts";

/** Gives a value the place where it stands. */
export type SourcedAt = <T>(value: T, at: Position) => Sourced<T>;

/** `base` is where the workspace lies in the repository. */
export function sourcedBelow(base: string, tree: Tree): SourcedAt {
  return (value, { file, line }) => ({ value, file: tree.real(inside(base, file)), line });
}

/** The place of a node, or the first line of its file where it is not written. */
export function placeOf(node: Node | undefined, file: string): Position {
  return node?.at ?? { file, line: 1, column: 1 };
}

/** The first line of `text` that `pattern` matches, from 1, with the match. */
export function lineMatching(
  text: string,
  pattern: RegExp,
): { line: number; match: RegExpExecArray } | undefined {
  for (const [index, line] of text.split("\n").entries()) {
    const match = pattern.exec(line);
    if (match) return { line: index + 1, match };
  }
  return undefined;
}
