import { normalise } from "@noren/commerce";
import { sql } from "kysely";

/** A condition on `items`: its search text holds every word of `q`, in whatever spelling it was typed. */
export function matching(q: string) {
  const words = normalise(q).split(" ").filter(Boolean);
  const patterns = words.map((word) => `%${word.replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`);
  return sql<boolean>`items.search_text like all (${patterns}::text[])`;
}
