import { everyHalfMinute, figuresLine } from "@noren/service";
import type { Logger } from "@noren/service";
import { waitingForPeople } from "worker";
import type { Queryable } from "worker";

/**
 * Says what waits for a person: the figures that the alarms `parked` and `strays` listen to. Says nothing while nothing
 * waits, which is good news to both; nor while the database is away, which others notice.
 */
export async function sayWaiting(
  name: string,
  database: Queryable,
  log: Pick<Logger, "warn">,
): Promise<void> {
  let waiting;
  try {
    waiting = await waitingForPeople(database, name);
  } catch {
    return;
  }
  const { parkedGroups, strays } = waiting;
  if (parkedGroups === 0 && strays === 0) return;
  // What runs against an emulator is the local workspace, whichever environment it mirrors.
  const environment =
    process.env["AWS_ENDPOINT_URL"] === undefined ? process.env["COPILOT_ENVIRONMENT_NAME"] : "local";
  const next = [
    ...(parkedGroups > 0 ? [`pnpm ops parked ${environment ?? "local"} ${name}`] : []),
    ...(strays > 0 ? [`pnpm ops strays ${environment ?? "local"} ${name}`] : []),
  ];
  const line = figuresLine({
    ParkedGroups: { value: parkedGroups, unit: "Count" },
    InboxStrays: { value: strays, unit: "Count" },
  });
  log.warn(line, `messages wait for a person: ${next.join(", ")}`);
}

/** Says it twice a minute; returns how to stop. */
export function reportWaiting(name: string, database: Queryable, log: Logger): () => void {
  return everyHalfMinute(() => void sayWaiting(name, database, log));
}
