import { type Database, claimDue, companiesWithDueSchedules, emit, inCompany } from "@noren/database";
import { scheduleCameDue } from "@noren/events";
import type { Logger } from "@noren/service";

/** Rows that one transaction claims: short enough that another task, or a stop, never waits long for it. */
const LIMIT = 200;

/**
 * Claims the rows that are due by the database's clock and emits one `schedule.came_due` for each, company by company:
 * claim and event are one transaction, so a row comes due exactly once, whoever claims it and whoever dies.
 * Any number of tasks may do so at a time. Returns how many it claimed, and whether there may be more.
 */
export async function comeDue(
  database: Database,
  limit = LIMIT,
): Promise<{ claimed: number; more: boolean }> {
  let claimed = 0;
  let more = false;
  for (const companyId of await companiesWithDueSchedules(database)) {
    const rows = await comeDueOf(database, companyId, limit);
    claimed += rows;
    more ||= rows >= limit;
  }
  return { claimed, more };
}

function comeDueOf(database: Database, companyId: string, limit: number): Promise<number> {
  return inCompany(database, companyId, async (tx) => {
    const rows = await claimDue(tx, limit);
    const events = rows.map(({ kind, subjectId, dueAt, attempt }) =>
      scheduleCameDue.create({
        companyId,
        aggregateId: subjectId,
        data: { kind, subjectId, dueAt: dueAt.toISOString(), attempt },
      }),
    );
    await emit(tx, ...events);
    return rows.length;
  });
}

export type Clock = {
  /** Not ok when no round has succeeded for a while: due rows are then waiting. */
  health(): { ok: boolean; detail: { lastRoundAt: string | null } };
  /** Resolves when the round that is running has ended. */
  stop(): Promise<void>;
};

/** Calls `comeDue` every second, and at once while there is more. A failed round is logged; the next one tries again. */
export function startClock(options: {
  database: Database;
  log: Logger;
  /** Called after each round that emitted something. */
  afterCommit?: () => void;
  everyMs?: number;
}): Clock {
  const { database, log, afterCommit, everyMs = 1000 } = options;
  const stopping = new AbortController();
  let lastRoundAt: Date | null = null;
  // Of the monotonic clock: a step of the machine's clock makes nobody healthy or sick.
  let lastRound = -Infinity;

  async function round(): Promise<boolean> {
    try {
      const { claimed, more } = await comeDue(database);
      lastRoundAt = new Date();
      lastRound = performance.now();
      if (claimed > 0) {
        log.info({ claimed }, "schedules came due");
        afterCommit?.();
      }
      return more;
    } catch (err) {
      log.error({ err }, "claiming due schedules failed; trying again in a second");
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const more = await round();
      if (!more) await pause(everyMs, stopping.signal);
    }
  }

  const running = run();
  return {
    health: () => ({
      ok: performance.now() - lastRound < 15 * everyMs,
      detail: { lastRoundAt: lastRoundAt?.toISOString() ?? null },
    }),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function pause(ms: number, until: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    until.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}
