/** One line of a directory tree. */
export interface Entry {
  /** As written, without a trailing slash. */
  name: string;
  /** Written with a trailing slash. */
  directory: boolean;
  /** `...` stands for what is not shown. */
  ellipsis: boolean;
  /** Words after the name. */
  comment: string;
  /** Line within the block, from 0. */
  line: number;
  /** Offset of the name within its line. */
  column: number;
  children: Entry[];
}

export interface Tree {
  /** The first line, when it has no connector. */
  root?: Entry;
  entries: Entry[];
}

const connector = /^[\s│┃|]*(?:[├└╰┣┗][─━╌-]*|\|--+|\+--+|`--+|\\--+)\s*/u;
const commentStart = /[ \t\u3000]{2,}|\s(?=#|\/\/|←|<-|→|->|[-–—]\s)|(?=（)/u;

/**
 * Reads a directory tree: after a root label, every line is a connector, a name and perhaps a comment.
 * Depth comes from the connector's column alone, so that any width of indentation works.
 *
 * @returns the tree, or the first line (from 0) that is not one.
 */
export function parseTree(text: string): Tree | { line: number; text: string } {
  const tree: Tree = { entries: [] };
  const open: { column: number; entry: Entry }[] = [];
  for (const [line, raw] of text.split(/\r\n|\n|\r/).entries()) {
    if (/^[\s│┃|]*$/u.test(raw)) continue;
    const match = connector.exec(raw);
    if (!match) {
      const isRoot = !tree.root && tree.entries.length === 0 && !/^\s/.test(raw);
      if (!isRoot) return { line, text: raw };
      tree.root = entryOf(raw, 0, line);
      continue;
    }
    const column = raw.search(/[├└╰┣┗+`\\]|\|--/u);
    const entry = entryOf(raw.slice(match[0].length), match[0].length, line);
    if (entry.name === "") return { line, text: raw };
    while ((open.at(-1)?.column ?? -1) >= column) open.pop();
    (open.at(-1)?.entry.children ?? tree.entries).push(entry);
    open.push({ column, entry });
  }
  if (!tree.root && tree.entries.length === 0) return { line: 0, text: "" };
  return tree;
}

function entryOf(text: string, column: number, line: number): Entry {
  const trimmed = text.trimEnd();
  const split = trimmed.search(commentStart);
  const name = (split === -1 ? trimmed : trimmed.slice(0, split)).trimEnd();
  return {
    name: name.length > 1 ? name.replace(/\/$/, "") : name,
    directory: name.endsWith("/"),
    ellipsis: name === "..." || name === "…",
    comment: split === -1 ? "" : trimmed.slice(split).trim(),
    line,
    column,
    children: [],
  };
}

/** True when a name stands for several; `[id]`, `(group)` and `@slot` are names. */
export function isGlob(name: string): boolean {
  return /[*?]|\{[^}]*,[^}]*\}/.test(name);
}

/** Whether the names in one directory match `glob`: `*`, `?` and `{a,b}`; a leading dot must be written. */
export function globMatcher(glob: string): (name: string) => boolean {
  let depth = 0;
  const source = Array.from(glob)
    .map((char) => {
      if (char === "*") return "[^/]*";
      if (char === "?") return "[^/]";
      if (char === "{" && glob.includes("}")) return (depth++, "(?:");
      if (char === "}" && depth > 0) return (depth--, ")");
      if (char === "," && depth > 0) return "|";
      return char.replace(/[\\^$.|+()[\]{}/-]/g, "\\$&");
    })
    .join("");
  const pattern = new RegExp(`^${source}${")".repeat(depth)}$`);
  return (name) => pattern.test(name) && (glob.startsWith(".") || !name.startsWith("."));
}
