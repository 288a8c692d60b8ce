import { startChild, type Child } from "./child.ts";
import type { Guard } from "./guard.ts";
import type { Probe } from "./readiness.ts";

export type ServiceStatus =
  | "waiting"
  | "starting"
  | "ready"
  | "unhealthy"
  | "backing-off"
  | "stopping"
  | "stopped";

interface ServiceState {
  status: ServiceStatus;
  /** What a service that is not ready is waiting for. */
  waitingFor: string | null;
  pid: number | null;
  /** How often it ended by itself. */
  crashes: number;
  /** How often it was started, restarts by hand and on save included. */
  starts: number;
  /** From its last start to ready, in milliseconds. */
  readyAfterMs: number | null;
  /** How it last ended, and when. */
  lastExit: { reason: string; at: number } | null;
}

export interface ServiceOptions {
  name: string;
  command: string[];
  directory: string;
  variables: Record<string, string>;
  /** Absent: ready as soon as it has run for a second. */
  probe?: Probe | undefined;
  guard: Guard;
  onLine: (line: string) => void;
  onChange: () => void;
  /** Called every 100 ms while the process is stopping, so that what it waits for can be answered. */
  onStopping?(): void;
}

export interface Service {
  state(): ServiceState;
  start(): void;
  restart(): Promise<void>;
  stop(graceMs: number): Promise<void>;
  /** Resolves at the first ready; rejects when it ended three times before that, or was not ready in time. */
  firstReady(timeoutMs: number): Promise<void>;
}

const checkEveryMs = 15_000;

/** Keeps one process running: ready or not, restarted with growing pauses when it ends by itself. */
export function supervise(options: ServiceOptions): Service {
  const state: ServiceState = {
    status: "waiting",
    waitingFor: null,
    pid: null,
    crashes: 0,
    starts: 0,
    readyAfterMs: null,
    lastExit: null,
  };
  let child: Child | undefined;
  let wanted = false;
  let generation = 0;
  let backOff = 0;
  let timer: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;
  const watchers = new Set<() => void>();
  let everReady = false;

  const change = (next: Partial<ServiceState>) => {
    Object.assign(state, next);
    options.onChange();
    for (const watcher of watchers) watcher();
  };
  /** A pause that stop() cuts short. */
  const pause = (ms: number) =>
    new Promise<void>((done) => {
      wake = done;
      timer = setTimeout(done, ms);
    });
  const cutPause = () => {
    clearTimeout(timer);
    wake?.();
  };

  const run = async () => {
    const mine = ++generation;
    const current = () => wanted && mine === generation;
    const begun = performance.now();
    const started = startChild({
      command: options.command,
      directory: options.directory,
      variables: options.variables,
      guard: options.guard,
      onLine: options.onLine,
    });
    child = started;
    change({
      status: "starting",
      waitingFor: "its first answer",
      pid: started.pid ?? null,
      starts: state.starts + 1,
      readyAfterMs: null,
    });
    const noteExit = async () => {
      const { reason } = await started.exited;
      if (mine === generation) cutPause();
      change({ pid: null, lastExit: { reason, at: Date.now() } });
    };
    void noteExit();

    const look =
      options.probe ?? (async () => ({ ok: performance.now() - begun > 1_000, detail: "a second to pass" }));
    let misses = 0;
    while (current() && started.running()) {
      const { ok, detail } = await look();
      if (!current() || !started.running()) break;
      if (ok) {
        misses = 0;
        if (performance.now() - begun > 30_000) backOff = 0;
        if (state.status !== "ready") {
          everReady = true;
          change({
            status: "ready",
            waitingFor: null,
            readyAfterMs: state.readyAfterMs ?? Math.round(performance.now() - begun),
          });
        }
        await pause(checkEveryMs);
      } else if (state.readyAfterMs !== null) {
        if (++misses >= 2) change({ status: "unhealthy", waitingFor: detail });
        await pause(1_000);
      } else {
        if (state.waitingFor !== detail) change({ waitingFor: detail });
        await pause(Math.min(250, 40 + (performance.now() - begun) / 20));
      }
    }
    const { reason } = await started.exited;
    if (!current()) return;
    // A service has no reason to end: exit code 0 is as wrong as any other.
    const ms = Math.min(15_000, 500 * 2 ** backOff++);
    options.onLine(`[copilot-local] ended by itself: ${reason}; starts again in ${ms / 1000} s`);
    change({
      status: "backing-off",
      waitingFor: `${ms / 1000} s after ${reason}`,
      crashes: state.crashes + 1,
    });
    await pause(ms);
    if (current()) void run();
  };

  const end = async (graceMs: number) => {
    generation++;
    cutPause();
    if (child?.running()) {
      change({ status: "stopping", waitingFor: "the process to end" });
      // Again and again: what it waited for may be answered before it has noticed the signal.
      const nudge = setInterval(() => options.onStopping?.(), 100);
      await child.stop(graceMs);
      clearInterval(nudge);
    }
  };

  return {
    state: () => ({ ...state }),
    start() {
      if (wanted) return;
      wanted = true;
      void run();
    },
    async restart() {
      if (!wanted) return;
      const mine = generation + 1;
      await end(8_000);
      backOff = 0;
      // Two restarts at once (a save during a restart): the later one starts it.
      if (wanted && generation === mine) void run();
    },
    async stop(graceMs) {
      wanted = false;
      await end(graceMs);
      change({ status: "stopped", waitingFor: null });
    },
    firstReady(timeoutMs) {
      return new Promise((done, fail) => {
        const finish = (error?: Error) => {
          clearTimeout(limit);
          watchers.delete(look);
          if (error) fail(error);
          else done();
        };
        const look = () => {
          if (everReady) finish();
          else if (state.crashes >= 3)
            finish(new Error(`ended ${state.crashes} times: ${state.lastExit?.reason}`));
        };
        const limit = setTimeout(
          () => finish(new Error(`not ready after ${timeoutMs / 1000} s, waiting for ${state.waitingFor}`)),
          timeoutMs,
        );
        watchers.add(look);
        look();
      });
    },
  };
}
