import { readFile } from "node:fs/promises";
import type { Violation } from "./proof.ts";
import type { Fault, Step } from "./story.ts";
import { pause } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

const JOB_PATIENCE_MS = 90_000;

/**
 * Does it to the running shop; returns what must not be. Who is down already is left alone: that is what the earlier
 * fault wanted.
 */
export async function inflict(workspace: Workspace, fault: Step & Fault): Promise<Violation[]> {
  switch (fault.kind) {
    case "kill":
      signal(workspace.pidOf(fault.service), "SIGKILL");
      return [];
    case "freeze": {
      const pid = workspace.pidOf(fault.service);
      signal(pid, "SIGSTOP");
      await pause(fault.ms);
      signal(pid, "SIGCONT");
      return [];
    }
    case "deploy":
      await workspace.running.restart(fault.service);
      return [];
    case "database":
      // As a crash: no checkpoint, no farewell to the clients. The runner starts it again.
      signal(await workspace.databasePid().catch(() => undefined), "SIGQUIT");
      return [];
    case "stall": {
      // The postmaster first, so that it makes no further process; each that there is then.
      const postmaster = await workspace.databasePid().catch(() => undefined);
      signal(postmaster, "SIGSTOP");
      const pids = [postmaster, ...(await childrenOf(postmaster))];
      for (const pid of pids) signal(pid, "SIGSTOP");
      await pause(fault.ms);
      for (const pid of pids) signal(pid, "SIGCONT");
      return [];
    }
    case "broker":
      await workspace.running.crashBroker(fault.ms);
      return [];
    case "job":
      return runJob(workspace, fault);
    default:
      return fault satisfies never;
  }
}

/** A job may fail while the database is away; then it is run again, as its manifest's retries would. */
async function runJob({ running }: Workspace, { job, n }: Step & { kind: "job" }): Promise<Violation[]> {
  for (const until = Date.now() + JOB_PATIENCE_MS; ; await pause(2000)) {
    // Its own time may have come just now.
    if (running.state().jobs.some(({ name, running: already }) => name === job && already)) continue;
    const { ok, result } = await running.runJob(job);
    if (ok) return [];
    if (Date.now() > until)
      return [{ law: "jobs run", what: `${job} did not succeed in 90 s, at last: ${result}`, n }];
  }
}

/** As Linux tells it; elsewhere only the postmaster stands still, and nobody new can connect. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return children.split(" ").filter(Boolean).map(Number);
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
