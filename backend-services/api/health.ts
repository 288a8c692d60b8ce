import { sql } from "kysely";
import { operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";

/** Healthy means: the database answers. */
export const health = operation("health", async ({ database, services }) => {
  try {
    await sql`select 1`.execute(database.db);
    return { ok: true };
  } catch (err) {
    services.log.warn({ err }, "the database does not answer");
    throw new Refusal(503, "unhealthy", "データベースが応答していません。");
  }
});
