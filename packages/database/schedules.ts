import { newId } from "@noren/events";
import { sql } from "kysely";
import type { Database } from "./connect.ts";
import type { Schema } from "./schema.ts";
import type { Tx } from "./tenant.ts";

export type ScheduleKind = Schema["schedules"]["kind"];
export type DueRow = { id: string; kind: ScheduleKind; subjectId: string; dueAt: Date; attempt: number };

/** Plans a due row; the same kind, subject and time planned twice is one row. */
export async function plan(
  tx: Tx,
  companyId: string,
  due: { kind: ScheduleKind; subjectId: string; dueAt: Date; attempt?: number },
): Promise<void> {
  await tx
    .insertInto("schedules")
    .values({
      company_id: companyId,
      id: newId(),
      kind: due.kind,
      subject_id: due.subjectId,
      due_at: due.dueAt,
      attempt: due.attempt ?? 0,
    })
    .onConflict((conflict) => conflict.columns(["company_id", "kind", "subject_id", "due_at"]).doNothing())
    .execute();
}

/** Calls off what is still planned for a subject. Harmless when it has come due already: the handler asks the state. */
export async function callOff(tx: Tx, kind: ScheduleKind, subjectId: string): Promise<void> {
  await tx
    .updateTable("schedules")
    .set({ state: "cancelled" })
    .where("kind", "=", kind)
    .where("subject_id", "=", subjectId)
    .where("state", "=", "planned")
    .execute();
}

/** The companies that have due rows now, by the database's clock. */
export async function companiesWithDueSchedules({ db }: Pick<Database, "db">): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from companies_with_due_schedules() as id`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * Claims due rows of the transaction's company, oldest first, by the database's clock. Rows that another task is
 * claiming are skipped. Emit one `schedule.came_due` for each in the same transaction.
 */
export async function claimDue(tx: Tx, limit = 100): Promise<DueRow[]> {
  const due = tx
    .selectFrom("schedules")
    .select("id")
    .where("state", "=", "planned")
    .where("due_at", "<=", sql<Date>`now()`)
    .orderBy("due_at")
    .limit(limit)
    .forUpdate()
    .skipLocked();
  const rows = await tx
    .updateTable("schedules")
    .set({ state: "claimed", claimed_at: sql`now()` })
    .where("id", "in", due)
    .returning(["id", "kind", "subject_id as subjectId", "due_at as dueAt", "attempt"])
    .execute();
  return rows.sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
}
