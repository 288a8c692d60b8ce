/** What is known of one entry of one image. */
export interface Row {
  name: string;
  entry: string;
  /** The entry's file alone, without its source map. */
  bytes: number;
  /** Everything that lies beside it. */
  folder: number;
  /** Processor time of its start against that of an empty program. */
  ratio: number;
  /** What the image adds to its base. */
  image?: number;
  /** How its one start in the image ended. */
  run?: string;
}

/** The table as Markdown. Sizes are exact; a start is a ratio of processor time, since seconds are the machine's. */
export function table(rows: Row[], images: boolean): string {
  const head = [
    "workload",
    "entry",
    "code",
    "/app",
    "start",
    ...(images ? ["image over base", "in the image"] : []),
  ];
  const body = rows.map((row) => [
    row.name,
    row.entry,
    megabytes(row.bytes),
    megabytes(row.folder),
    `${row.ratio.toFixed(1)} ×`,
    ...(images ? [megabytes(row.image ?? 0), row.run ?? ""] : []),
  ]);
  return [head, head.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
