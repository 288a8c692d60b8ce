import { createRunner, type Running, type StartOptions } from "./runner.ts";

export { defineConfig, type Config, type Local, type LocalProcess, type SetupCommand } from "./config.ts";
export { createRunner, ManifestMistakes, type Runner, type Running, type StartOptions } from "./runner.ts";
export type { JobSummary, RunnerEvent, State, WorkloadState } from "./state.ts";
export type { QueueState } from "./cloud.ts";
export type { MailDetail, MailSummary } from "./mail.ts";
export { UserError } from "./user-error.ts";

/**
 * Starts a Copilot workspace on this machine: PostgreSQL, queues, setup, every workload. Resolves when all have been
 * started (`ready()` waits for them to work); rejects with a UserError, with nothing left running.
 */
export function start(options: StartOptions = {}): Promise<Running> {
  return createRunner(options).start();
}
