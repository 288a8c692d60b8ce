import { look } from "./operate.ts";
import { age, printRows } from "./print.ts";
import type { Output } from "./print.ts";
import type { Target } from "./target.ts";

type Row = {
  at: Date;
  actor: string;
  approver: string | null;
  action: string;
  workload: string | null;
  subject: string | null;
  reason: string | null;
};

/** What operators did, latest first: somebody else may be at it. */
export async function showLog(target: Target, output: Output, limit: number): Promise<void> {
  const rows = await look(target, async (client) => {
    const found = await client.query<Row>(
      `select at, actor, approver, action, workload, subject, reason${output.json ? ", detail" : ""}
       from operator_log order by at desc, id desc limit $1`,
      [limit],
    );
    return found.rows;
  });
  printRows(
    output,
    rows,
    {
      ago: (row) => age(row.at),
      who: (row) => row.actor.split("/").at(-1),
      approved: (row) => row.approver,
      action: (row) => row.action,
      workload: (row) => row.workload,
      subject: (row) => row.subject,
      reason: (row) => row.reason,
    },
    "Nobody has done anything yet.",
  );
}
