import { Cron } from "croner";
import type { Schedule } from "copilot-manifest";
import { startChild, type Child } from "./child.ts";
import type { Guard } from "./guard.ts";

export interface JobRun {
  startedAt: number;
  endedAt: number | null;
  /** `exit code 0`, `timed out after 1800 s`, … */
  result: string | null;
  ok: boolean | null;
  /** Why it ran: its schedule, somebody's click, or its manifest's `retries`. */
  cause: "schedule" | "run now" | "retry";
}

interface JobState {
  schedule: string;
  nextRunAt: number | null;
  running: boolean;
  runs: JobRun[];
}

export interface JobOptions {
  name: string;
  schedule: Schedule;
  command: string[];
  directory: string;
  variables: Record<string, string>;
  timeoutSeconds: number | undefined;
  retries: number;
  guard: Guard;
  onLine: (line: string) => void;
  onChange: () => void;
}

export interface Job {
  state(): JobState;
  /** Starts the clock. */
  start(): void;
  /** Runs it once, now. Throws when it is running: two runs at once is what its time-out and schedule must exclude. */
  run(): Promise<JobRun>;
  stop(graceMs: number): Promise<void>;
}

/** A Scheduled Job on its schedule in UTC; a time that comes while it still runs is skipped, and said so in its log. */
export function scheduleJob(options: JobOptions): Job {
  const { schedule, onLine, onChange } = options;
  let cron: Cron | undefined;
  let every: NodeJS.Timeout | undefined;
  let everyNext: number | null = null;
  let child: Child | undefined;
  let running = false;
  let stopped = false;
  let retryTimer: NodeJS.Timeout | undefined;
  const runs: JobRun[] = [];

  const run = async (cause: JobRun["cause"], attempt = 0): Promise<JobRun> => {
    if (running) throw new Error(`${options.name} is already running`);
    running = true;
    clearTimeout(retryTimer);
    const entry: JobRun = { startedAt: Date.now(), endedAt: null, result: null, ok: null, cause };
    runs.unshift(entry);
    runs.splice(20);
    onLine(`[copilot-local] runs (${cause})`);
    let late = false;
    child = startChild({ ...options, onLine });
    onChange();
    const limit = options.timeoutSeconds;
    const timer =
      limit === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            void child?.stop(0);
          }, limit * 1000);
    const { ok, reason } = await child.exited;
    clearTimeout(timer);
    running = false;
    Object.assign(entry, {
      endedAt: Date.now(),
      ok: ok && !late,
      result: late ? `timed out after ${limit} s` : reason,
    });
    onLine(`[copilot-local] ended after ${entry.endedAt! - entry.startedAt} ms: ${entry.result}`);
    if (!entry.ok && !stopped && attempt < options.retries) {
      const seconds = 10 * 1.5 ** attempt;
      onLine(`[copilot-local] runs again in ${seconds} s (${attempt + 1} of ${options.retries} retries)`);
      retryTimer = setTimeout(() => void run("retry", attempt + 1).catch(() => {}), seconds * 1000);
    }
    onChange();
    return entry;
  };
  const due = () => {
    if (running) onLine("[copilot-local] skips this time: the run before has not ended");
    else void run("schedule");
  };

  return {
    state: () => ({
      schedule: schedule.expression,
      nextRunAt: cron?.nextRun()?.getTime() ?? everyNext,
      running,
      runs: runs.map((entry) => ({ ...entry })),
    }),
    start() {
      if (schedule.disabled) return;
      if (schedule.cron !== undefined) cron = new Cron(schedule.cron, { timezone: "UTC" }, due);
      else if (schedule.everySeconds !== undefined) {
        const ms = schedule.everySeconds * 1000;
        everyNext = Date.now() + ms;
        // In steps: a timer cannot wait longer than 24 days.
        every = setInterval(
          () => {
            if (Date.now() < everyNext!) return;
            everyNext! += ms;
            due();
          },
          Math.min(ms, 1_000),
        );
      }
    },
    run: () => run("run now"),
    async stop(graceMs) {
      stopped = true;
      cron?.stop();
      clearInterval(every);
      clearTimeout(retryTimer);
      await child?.stop(graceMs);
    },
  };
}
