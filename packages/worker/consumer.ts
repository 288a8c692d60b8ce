import type { Pool } from "pg";

/** The number of a consumer, given on its first start; a name keeps its number for ever. */
export async function consumerNumber(pool: Pool, name: string): Promise<number> {
  await pool.query("insert into consumer (name) values ($1) on conflict do nothing", [name]);
  const { rows } = await pool.query<{ id: number }>("select id from consumer where name = $1", [name]);
  const id = rows[0]?.id;
  if (id === undefined) throw new Error(`Consumer ${name} has no number in table consumer.`);
  return id;
}
