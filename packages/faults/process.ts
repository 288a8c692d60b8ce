import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A relay or a worker in a process of its own. */
export type Process<Health> = {
  /** The one that runs now. */
  readonly pid: number;
  /** How often it ended without being asked, and was started again, as ECS does. */
  readonly restarts: number;
  signal(name: NodeJS.Signals): void;
  /** Asks the process; undefined while it cannot answer. */
  health(): Promise<Health | undefined>;
  /** Sends a signal that ends it for good; resolves to its exit status, null when the signal itself ended it. */
  end(name?: NodeJS.Signals): Promise<number | null>;
};

/**
 * Runs a program of this package. It gets `settings`, and how often it was started before, as JSON in its first argument.
 *
 * @param clockShiftMs how far its `Date` is off.
 */
export function run<Health>(program: string, settings: object, clockShiftMs = 0): Process<Health> {
  let restarts = 0;
  let wanted = true;
  let child = start();

  function start(): ChildProcess {
    const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
    const clock = clockShiftMs === 0 ? [] : ["--import", file("shifted-clock.ts")];
    const fresh = spawn(
      process.execPath,
      [...clock, file(program), JSON.stringify({ ...settings, restarts })],
      {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: { ...process.env, CLOCK_SHIFT_MS: String(clockShiftMs) },
      },
    );
    fresh.on("error", () => {});
    fresh.on("close", () => {
      if (!wanted) return;
      restarts += 1;
      child = start();
    });
    return fresh;
  }

  return {
    get pid() {
      return child.pid ?? 0;
    },
    get restarts() {
      return restarts;
    },
    signal: (name) => void child.kill(name),
    async health() {
      const asked = child;
      if (!asked.connected) return undefined;
      const answer = once(asked, "message", { signal: AbortSignal.timeout(2000) });
      asked.send("health", () => {});
      return answer.then(
        ([health]) => health as Health,
        () => undefined,
      );
    },
    async end(name = "SIGKILL") {
      wanted = false;
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const closed = once(child, "close");
      child.kill(name);
      // A frozen process sees SIGTERM only when it thaws.
      if (name !== "SIGKILL") child.kill("SIGCONT");
      const [status] = (await closed) as [number | null];
      return status;
    },
  };
}

/** In a program: answers `health`, and stops at SIGTERM. */
export function serve(health: () => object, stop: () => Promise<void>): void {
  process.on("message", () => process.send?.(health()));
  // The channel alone must not keep a process alive, nor outlive its test.
  process.on("disconnect", () => process.exit(1));
  process.on("SIGTERM", () => {
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
