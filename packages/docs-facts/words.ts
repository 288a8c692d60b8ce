/** What generated Markdown is made of. The words are Japanese, as the documents are. */

export function list(parts: readonly string[]): string {
  return parts.join("、");
}

/** Inline code; in a table a pipe would end the cell. */
export function code(text: string): string {
  return `\`${text}\``;
}

export function codeOr(text: string | undefined, absent: string): string {
  return text === undefined ? absent : code(text);
}

export function codes(texts: readonly string[]): string {
  return list(texts.map(code));
}

/** The largest unit that divides the time. */
export function duration(seconds: number): string {
  if (seconds === 0) return "0 秒";
  if (seconds % 86_400 === 0) return days(seconds / 86_400);
  if (seconds % 3600 === 0) return `${seconds / 3600} 時間`;
  if (seconds % 60 === 0) return `${seconds / 60} 分`;
  return `${seconds} 秒`;
}

export function days(count: number): string {
  return `${count} 日`;
}

/** Days for each environment, said once where they are the same everywhere. */
export function daysIn(environments: ReadonlyMap<string, string | number>): string {
  const [first, ...others] = new Set(environments.values());
  return first !== undefined && others.length === 0
    ? days(Number(first))
    : list([...environments].map(([environment, count]) => `${environment} ${days(Number(count))}`));
}

/** A table of Markdown, its columns as wide as their texts need. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
  return [line(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(line)].join("\n");
}
