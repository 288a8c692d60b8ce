import type { Insertable } from "kysely";
import type { Schema } from "./schema.ts";
import type { Tx } from "./tenant.ts";

/** Inserts a row for each of `rows`, 500 in a statement: one by one, a thousand products take most of a seed's time. */
export async function insertAll<Table extends keyof Schema, Row>(
  tx: Tx,
  table: Table,
  rows: readonly Row[],
  map: (row: Row, index: number) => Insertable<Schema[Table]>,
): Promise<void> {
  const values = rows.map(map);
  for (let from = 0; from < values.length; from += 500) {
    await tx
      .insertInto(table)
      // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- tsc cannot resolve the union of all tables
      .values(values.slice(from, from + 500) as never)
      .execute();
  }
}
