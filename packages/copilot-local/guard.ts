import { spawn } from "node:child_process";
import { killGroup } from "./child.ts";
import { identify, isAlive, type ProcessIdentity } from "./identity.ts";
import type { Lock } from "./lock.ts";

/** Sees to it that no process outlives the runner, however the runner ends. */
export interface Guard {
  /** `pid` leads a process group; `signal` is what tells it to stop. */
  add(pid: number, signal?: "TERM" | "INT"): void;
  remove(pid: number): void;
  close(): void;
}

// Reads `+ TERM 123` and `- 123`. When the pipe closes without `.` the runner is dead: everything still listed gets
// its signal, and SIGKILL a little later. A shell, because it must be small and must not share the runner's fate.
const script = `
trap '' INT TERM HUP
list=' '
while read -r op a b; do
  case "$op" in
    +) list="$list$a:$b " ;;
    -) new=' '; for item in $list; do [ "\${item#*:}" = "$a" ] || new="$new$item "; done; list="$new" ;;
    .) exit 0 ;;
  esac
done
for item in $list; do kill -"\${item%%:*}" -"\${item#*:}" 2>/dev/null; done
for wait in 1 2 3 4 5 6 7 8; do
  alive=''
  for item in $list; do kill -0 -"\${item#*:}" 2>/dev/null && alive=yes; done
  [ -z "$alive" ] && exit 0
  sleep 1
done
for item in $list; do kill -KILL -"\${item#*:}" 2>/dev/null; done
`;

/** Starts the watchdog, and writes the groups into the lock for the case that it was killed too. */
export function startGuard(lock: Lock): Guard {
  const groups = new Map<number, ProcessIdentity>();
  const watchdog =
    process.platform === "win32"
      ? undefined
      : spawn("/bin/sh", ["-c", script, "copilot-local-guard"], {
          stdio: ["pipe", "ignore", "ignore"],
          detached: true,
          cwd: "/",
          env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
        });
  watchdog?.on("error", () => {});
  watchdog?.stdin.on("error", () => {});
  watchdog?.unref();
  const tell = (line: string) => watchdog?.stdin.write(`${line}\n`);
  const save = () => lock.update({ groups: [...groups.values()] });
  return {
    add(pid, signal = "TERM") {
      const identity = identify(pid);
      if (!identity) return;
      groups.set(pid, identity);
      tell(`+ ${signal} ${pid}`);
      save();
    },
    remove(pid) {
      groups.delete(pid);
      tell(`- ${pid}`);
      save();
    },
    close() {
      tell(".");
      watchdog?.stdin.end();
    },
  };
}

/** Ends what a runner that died had started and that still lives: SIGTERM, and SIGKILL after `graceMs`. */
export async function endLeftBehind(groups: ProcessIdentity[], graceMs = 8_000): Promise<void> {
  for (const { pid } of groups) killGroup(pid, "SIGTERM");
  const until = Date.now() + graceMs;
  while (groups.some(isAlive) && Date.now() < until) await new Promise((done) => setTimeout(done, 50));
  for (const { pid } of groups.filter(isAlive)) killGroup(pid, "SIGKILL");
  while (groups.some(isAlive)) await new Promise((done) => setTimeout(done, 20));
}
