import type { Client } from "pg";
import type { Postgres } from "./postgres.ts";

export interface ParkedCounts {
  /** Messages that a workload has put aside in the database; null while nobody has been able to count. */
  of(workload: string): number | null;
  /** What a query of `numbers` gave last; 0 while nobody has been able to count. */
  number(query: string): number;
  close(): Promise<void>;
}

/**
 * Counts every two seconds, by the queries of the configuration, what waits in the database: SQS knows nothing of it.
 * `parked` gives rows of a workload's name and a number; a workload without a row has none. Each of `numbers` gives one.
 */
export function watchParked(
  postgres: Postgres,
  database: string,
  { parked, numbers }: { parked: string | undefined; numbers: string[] },
): ParkedCounts {
  let counts: Map<string, number> | undefined;
  let found = new Map<string, number>();
  let client: Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let current: Promise<void> = Promise.resolve();

  const count = async () => {
    try {
      client ??= await postgres.connect(database);
      const rowsOf = async (text: string) =>
        (await client!.query<[string, string]>({ text, rowMode: "array" })).rows;
      if (parked) counts = new Map((await rowsOf(parked)).map(([name, number]) => [name, Number(number)]));
      const now = new Map<string, number>();
      for (const query of numbers) now.set(query, Number((await rowsOf(query))[0]?.[0]));
      found = now;
    } catch {
      // The database is restarting, or the tables are not there yet: unknown, not zero.
      counts = undefined;
      found = new Map();
      void client?.end().catch(() => {});
      client = undefined;
    }
    if (!closed) timer = setTimeout(look, 2_000);
  };
  const look = () => {
    current = count();
  };
  look();
  return {
    number: (query) => found.get(query) ?? 0,
    of: (workload) => (counts ? (counts.get(workload) ?? 0) : null),
    async close() {
      closed = true;
      clearTimeout(timer);
      await current;
      await client?.end().catch(() => {});
    },
  };
}
