/** Where a command writes: data to `out`, everything else to `note`. */
export type Output = {
  json: boolean;
  out: (line: string) => void;
  note: (line: string) => void;
};

type Cell = string | number | boolean | Date | null | undefined;

/**
 * Prints rows as a table whose lines can be grepped, or with `--json` whole, as one array. Figures stand at the right of
 * their column. Without any row, only `nothing` is said.
 */
export function printRows<Row extends object>(
  output: Output,
  rows: Row[],
  columns: Record<string, (row: Row) => Cell>,
  nothing = "Nothing.",
): void {
  if (output.json) return output.out(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return output.note(nothing);
  const names = Object.keys(columns);
  const values = rows.map((row) => names.map((name) => columns[name]?.(row)));
  const table = [names, ...values.map((line) => line.map(cell))];
  const widths = names.map((_, n) => Math.max(...table.map((line) => line[n]?.length ?? 0)));
  const figures = names.map((_, n) => {
    const column = values.map((line) => line[n] ?? null).filter((value) => value !== null);
    return column.length > 0 && column.every((value) => typeof value === "number");
  });
  for (const line of table) {
    const cells = line.map((text, n) =>
      figures[n] ? text.padStart(widths[n] ?? 0) : text.padEnd(n < line.length - 1 ? (widths[n] ?? 0) : 0),
    );
    output.out(cells.join("  "));
  }
}

/** One line, never empty, so that the columns of a line can be counted. */
function cell(value: Cell): string {
  if (value === null || value === undefined || value === "") return "-";
  if (value instanceof Date) return value.toISOString().replace(/\.\d+Z$/, "Z");
  return String(value).split("\n")[0]?.trim() || "-";
}

/** How long ago, in the largest unit that fits. */
export function age(since: Date): string {
  const seconds = Math.max(0, Math.round((Date.now() - since.getTime()) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** `1 message`, `2 messages`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
