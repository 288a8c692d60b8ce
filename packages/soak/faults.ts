import type { Fault } from "./story.ts";
import { pause } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Does it to the running shop. Who is down already is left alone: that is what the earlier fault wanted. */
export async function inflict(workspace: Workspace, fault: Fault): Promise<void> {
  if (fault.kind === "database") {
    // As a crash: no checkpoint, no farewell to the clients. The runner starts it again.
    signal(await workspace.databasePid().catch(() => undefined), "SIGQUIT");
    return;
  }
  const pid = workspace.pidOf(fault.service);
  if (fault.kind === "kill") return signal(pid, "SIGKILL");
  signal(pid, "SIGSTOP");
  await pause(fault.ms);
  signal(pid, "SIGCONT");
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
