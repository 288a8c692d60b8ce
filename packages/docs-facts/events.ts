import { nameOf, parentOf, type Tree } from "./tree.ts";

/** One event as the code defines it: `event("item.registered", { topic: "item", version: 1, … })`. */
export interface EventDefinition {
  type: string;
  topic: string;
  version: string;
  file: string;
  line: number;
}

const call = /\bevent\(\s*["'`]([\w.-]+)["'`]/g;

/**
 * The events that the files of `folder` define, read without running them. What a call does not say itself (topic,
 * version), the file says above it, in the constant that its calls spread.
 */
export function readEvents(folder: string, tree: Tree): EventDefinition[] {
  return tree.paths.flatMap((file) => {
    if (!isEventFile(file, folder)) return [];
    const text = withoutComments(tree.read(file) ?? "");
    const calls = [...text.matchAll(call)];
    const shared = text.slice(0, calls[0]?.index ?? 0);
    return calls.map((match, index): EventDefinition => {
      const own = text.slice(match.index, calls[index + 1]?.index);
      const said = (pattern: RegExp): string => pattern.exec(own)?.[1] ?? pattern.exec(shared)?.[1] ?? "";
      return {
        type: match[1] ?? "",
        topic: said(/\btopic:\s*["'`]([\w.-]+)["'`]/),
        version: said(/\bversion:\s*(\d+)/),
        file,
        line: text.slice(0, match.index).split("\n").length,
      };
    });
  });
}

/** Blank where a comment that fills its lines was: an example in it defines nothing. */
function withoutComments(text: string): string {
  return text.replaceAll(/^[ \t]*(?:\/\*[^]*?\*\/|\/\/.*$)/gm, (comment) =>
    comment.replaceAll(/[^\n]/g, " "),
  );
}

/** A TypeScript file of the folder that is no test. */
export function isEventFile(file: string, folder: string): boolean {
  return parentOf(file) === folder && /^(?!.*\.test\.)[^.]+\.[cm]?[jt]s$/.test(nameOf(file));
}
