import type { Database } from "@noren/database";
import { sql } from "kysely";

/** How far the relay is behind. `late` is true from five minutes on, and while anything is blocked. */
export type OutboxAge = { waiting: number; oldestSeconds: number; blocked: number; late: boolean };

/** Asks the outbox for its age, never for its content: a payload may hold what only its readers may see. */
export async function outboxAge(database: Database): Promise<OutboxAge> {
  const { rows } = await sql<{ waiting: number; oldest: number; blocked: number }>`
    select count(*)::int as waiting,
      coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::int as oldest,
      (count(*) filter (where blocked_at is not null))::int as blocked
    from outbox`.execute(database.db);
  const { waiting = 0, oldest = 0, blocked = 0 } = rows[0] ?? {};
  return { waiting, oldestSeconds: oldest, blocked, late: oldest >= 300 || blocked > 0 };
}
