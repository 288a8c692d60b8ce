import type { Queryable } from "./queryable.ts";

/** The number of a consumer, given on its first start; a name keeps its number for ever. */
export async function consumerNumber(database: Queryable, name: string): Promise<number> {
  // Looked up first: a refused insert, too, draws a number, and there are 32,767.
  for (const insert of [false, true]) {
    if (insert) {
      await database.query("insert into consumer (name) values ($1) on conflict do nothing", [name]);
    }
    const { rows } = await database.query<{ id: number }>("select id from consumer where name = $1", [name]);
    if (rows[0]) return rows[0].id;
  }
  throw new Error(`Consumer ${name} has no number in table consumer.`);
}
