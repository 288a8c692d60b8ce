import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Guard } from "./guard.ts";

export interface ChildOptions {
  /** Program and arguments. */
  command: string[];
  directory: string;
  variables: Record<string, string>;
  /** Each line of stdout and stderr. */
  onLine: (line: string, stream: "stdout" | "stderr") => void;
  guard: Guard;
}

export interface Child {
  pid: number | undefined;
  /** How it ended, in words: `exit code 1`, `SIGKILL`, `could not be started: …`. */
  exited: Promise<{ ok: boolean; reason: string }>;
  running(): boolean;
  /** SIGTERM to the process, as ECS does; after `graceMs` SIGKILL to all that it started. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal does not reach it and everything it
 * starts can be ended with it.
 */
export function startChild({ command, directory, variables, onLine, guard }: ChildOptions): Child {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: directory,
    env: variables,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) guard.add(pid);
  let running = true;
  const drained = (["stdout", "stderr"] as const).map(
    (name) =>
      new Promise<void>((done) => {
        const lines = createInterface({ input: child[name] });
        lines.on("line", (line) => onLine(line, name));
        lines.on("close", done);
      }),
  );
  const exited = new Promise<{ ok: boolean; reason: string }>((done) => {
    const end = async (ok: boolean, reason: string) => {
      if (!running) return;
      running = false;
      if (pid !== undefined) {
        // What it left behind in its group would keep ports.
        killGroup(pid, "SIGKILL");
        guard.remove(pid);
      }
      // Its last words are usually the reason. A grandchild that kept the pipe must not hold us for ever.
      await Promise.race([Promise.all(drained), new Promise((wait) => setTimeout(wait, 500))]);
      done({ ok, reason });
    };
    child.once("error", (error) => void end(false, `could not be started: ${error.message}`));
    child.once("exit", (code, signal) => void end(code === 0, signal ?? `exit code ${code}`));
  });
  return {
    pid,
    exited,
    running: () => running,
    async stop(graceMs) {
      if (pid === undefined || !running) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => killGroup(pid, "SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

export function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // Already gone.
  }
}
