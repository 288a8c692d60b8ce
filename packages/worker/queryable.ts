import type { QueryResult, QueryResultRow } from "pg";

/** A pool or a client, also one in the middle of the caller's transaction. */
export type Queryable = {
  query<Row extends QueryResultRow>(
    text: string | { name?: string; text: string; values?: unknown[] },
    values?: unknown[],
  ): Promise<QueryResult<Row>>;
};
