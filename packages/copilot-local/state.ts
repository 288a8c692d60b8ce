import type { QueueState } from "./cloud.ts";
import type { JobRun } from "./jobs.ts";
import type { MailSummary } from "./mail.ts";
import type { Notes } from "./notes.ts";
import type { ServiceStatus } from "./supervisor.ts";

/** Everything that the dashboard shows, as `GET /api/state` answers it. Times are milliseconds since 1970. */
export interface State {
  application: string;
  environment: string;
  status: "starting" | "ready" | "stopping";
  startedAt: number;
  /** From the start of the runner until everything was ready for the first time. */
  readyAfterMs: number | null;
  /** What the workspace as a whole is waiting for. */
  waitingFor: string | null;
  database: {
    host: string;
    port: number;
    databases: { name: string; owner: string }[];
    status: string;
  } | null;
  aws: { endpoint: string; region: string };
  workloads: WorkloadState[];
  /** `parked`: put aside by the workload in its database; null when the configuration does not say how to count. */
  queues: (QueueState & { parked: number | null })[];
  /** What waits for a person; only what there is any of. */
  attention: { what: string; count: number; command: string }[];
  /** Asynchronous calls of functions that are under way or wait for their next attempt. */
  invocations: number;
  jobs: JobSummary[];
  setup: { name: string; status: "waiting" | "running" | "done" | "failed"; ms: number | null }[];
  notes: Notes[];
  mail: MailSummary[];
  /** Worth knowing, not in the way: what has no meaning here, manifests that changed since the start. */
  notices: string[];
}

export interface WorkloadState {
  name: string;
  /** What people call it, where the configuration says so. */
  title: string | null;
  kind: "service" | "job" | "function" | "local";
  /** The manifest's type. */
  type: string;
  status: ServiceStatus | "scheduled" | "running";
  waitingFor: string | null;
  port: number | null;
  /** Where a browser finds it; null where there is nothing to see. */
  url: string | null;
  pid: number | null;
  crashes: number;
  starts: number;
  readyAfterMs: number | null;
  lastExit: { reason: string; at: number } | null;
  /** Manifest, or the addon's file; null for what is not deployed. */
  file: string | null;
}

export interface JobSummary {
  name: string;
  schedule: string;
  nextRunAt: number | null;
  running: boolean;
  runs: JobRun[];
}

/** What happens while the workspace runs, for whoever shows it. */
export type RunnerEvent =
  | { kind: "dashboard"; url: string }
  | { kind: "step"; text: string; ms: number }
  | {
      kind: "workload";
      name: string;
      status: WorkloadState["status"];
      detail: string | null;
      ms: number | null;
    }
  | { kind: "line"; name: string; text: string }
  | { kind: "notice"; text: string };
