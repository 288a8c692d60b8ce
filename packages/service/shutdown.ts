import type { Logger } from "./logger.ts";
import { stopTracing } from "./tracing.ts";

/**
 * Runs `stop` once at the first SIGTERM or SIGINT, then exits: 0 when it finished, 1 when it threw or took longer than
 * `timeoutMs` (default 7000: a laptop's runner kills after 8 s; workers in AWS pass up to 115,000, ECS's limit less 5 s).
 *
 * Also logs an uncaught error as the last line before the process ends with status 1, so that the log has its stack
 * as one JSON entry instead of loose text.
 */
export function onShutdown(
  log: Logger,
  stop: () => Promise<void>,
  { timeoutMs = 7000 }: { timeoutMs?: number } = {},
): void {
  let stopping = false;

  async function shutdown(signal: NodeJS.Signals): Promise<void> {
    // Ctrl-C reaches the whole process group and the runner sends SIGTERM as well: the second one is not news.
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    setTimeout(() => {
      log.error({ timeoutMs }, "did not stop in time");
      process.exit(1);
    }, timeoutMs).unref();
    try {
      await stop();
      await stopTracing();
      log.info("stopped");
      process.exit(0);
    } catch (err) {
      log.error({ err }, "stopping failed");
      process.exit(1);
    }
  }

  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void shutdown(signal));
  process.on("uncaughtException", (err) => {
    log.fatal({ err }, "uncaught error");
    process.exit(1);
  });
}
