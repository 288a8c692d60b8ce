import type { Client } from "pg";
import type { Postgres } from "./postgres.ts";

export interface ParkedCounts {
  /** Messages that a workload has put aside in the database; null while nobody has been able to count. */
  of(workload: string): number | null;
  close(): Promise<void>;
}

/**
 * Counts every two seconds, by the query of the configuration, what the workloads have parked: SQS knows nothing of it.
 * The query gives rows of a workload's name and a number; a workload without a row has none.
 */
export function watchParked(postgres: Postgres, database: string, query: string): ParkedCounts {
  let counts: Map<string, number> | undefined;
  let client: Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let current: Promise<void> = Promise.resolve();

  const count = async () => {
    try {
      client ??= await postgres.connect(database);
      const { rows } = await client.query<[string, string]>({ text: query, rowMode: "array" });
      counts = new Map(rows.map(([name, number]) => [name, Number(number)]));
    } catch {
      // The database is restarting, or the tables are not there yet: unknown, not zero.
      counts = undefined;
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
    of: (workload) => (counts ? (counts.get(workload) ?? 0) : null),
    async close() {
      closed = true;
      clearTimeout(timer);
      await current;
      await client?.end().catch(() => {});
    },
  };
}
