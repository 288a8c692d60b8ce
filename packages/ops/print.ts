/** Where a command writes: data to `out`, everything else to `note`. */
export type Output = {
  json: boolean;
  out: (line: string) => void;
  note: (line: string) => void;
};

type Cell = string | number | boolean | Date | null | undefined;

/** Prints rows as a table whose lines can be grepped, or with `--json` whole, as one array. */
export function printRows<Row extends object>(
  output: Output,
  rows: Row[],
  columns: Record<string, (row: Row) => Cell>,
): void {
  if (output.json) return output.out(JSON.stringify(rows, null, 2));
  const names = Object.keys(columns);
  const table = [names, ...rows.map((row) => names.map((name) => cell(columns[name]?.(row))))];
  const widths = names.map((_, n) => Math.max(...table.map((line) => line[n]?.length ?? 0)));
  for (const line of table) {
    output.out(line.map((text, n) => (n < line.length - 1 ? text.padEnd(widths[n] ?? 0) : text)).join("  "));
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
