import { forgetStray, strays } from "worker";
import { workerOf } from "./manifests.ts";
import { demandReason, look, operate } from "./operate.ts";
import type { Intent } from "./operate.ts";
import { printRows } from "./print.ts";
import type { Output } from "./print.ts";
import { Refusal, misuse } from "./refusal.ts";
import type { Target } from "./target.ts";

/** Handled events whose id lies in no day that has a partition, of one worker or of all. */
export async function listStrays(target: Target, output: Output, workload?: string): Promise<void> {
  if (workload !== undefined) workerOf(target.manifests, workload);
  const all = await look(target, (client) => strays(client));
  const rows = all
    .filter(({ consumer }) => workload === undefined || consumer === workload)
    .map(({ consumer, eventId }) => ({ workload: consumer, eventId, madeAt: timeOf(eventId) }));
  printRows(
    output,
    rows,
    {
      workload: (row) => row.workload,
      event: (row) => row.eventId,
      "made at": (row) => row.madeAt ?? "no UUIDv7: made by hand?",
    },
    "No handled event lies outside its day.",
  );
  if (rows.length > 0)
    output.note(
      `They were handled; the row only keeps them from being handled twice. A time far from now is a wrong clock of who made them. When no queue can hold them any more (28 days): pnpm ops strays forget ${target.name} <workload> <event> --reason "…"`,
    );
}

/** When a UUIDv7 says that it was made. */
function timeOf(id: string): Date | null {
  return id[14] === "7" ? new Date(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)) : null;
}

/** Forgets one. If a queue still holds its message, that is handled once more. */
export async function forget(
  target: Target,
  { workload, eventId }: { workload: string; eventId: string },
  intent: Intent,
): Promise<void> {
  workerOf(target.manifests, workload);
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(eventId))
    throw misuse(`"${eventId}" is no event's id.`, `pnpm ops strays ${target.name} ${workload} lists them.`);
  demandReason(target, intent);
  await operate(target, intent, async (client, record) => {
    if (!(await forgetStray(client, { consumer: workload, eventId }))) {
      throw new Refusal(
        `${workload} has no stray ${eventId}.`,
        `pnpm ops strays ${target.name} ${workload} lists them.`,
      );
    }
    await record({ action: "forget", workload, subject: eventId });
  });
  printRows(intent.output, [{ workload, eventId }], {
    workload: (row) => row.workload,
    event: (row) => row.eventId,
  });
}
