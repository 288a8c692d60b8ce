import { SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig, connect, databaseEnv, tenantTransaction } from "@noren/database";
import type { Database, DatabaseEnv, Tx } from "@noren/database";
import { contextOf, healthServer, inSpan, logger, onShutdown, startTracing } from "@noren/service";
import type { Logger } from "@noren/service";
import { SpanKind } from "@opentelemetry/api";
import { waker } from "outbox";
import { Client } from "pg";
import { work } from "worker";
import type { Handler } from "worker";
import { z } from "zod";
import { reportWaiting } from "./waiting.ts";

/** What every worker of the shop reads from its environment; a worker adds its own variables to it. */
export const consumerEnv = { PORT: z.coerce.number().int(), COPILOT_QUEUE_URI: z.url(), ...databaseEnv };

export type ConsumerEnv = { PORT: number; COPILOT_QUEUE_URI: string } & DatabaseEnv;

/** Something that runs beside the queue in the same process, such as a clock. */
export type Companion = {
  health(): { ok: boolean; detail?: object };
  stop(): Promise<void>;
};

/**
 * Runs one worker of the shop until SIGTERM: queue, database in the event's company, health on PORT, and the relay woken
 * after each commit, so that what a handler emits leaves at once.
 *
 * `name` is the Copilot workload: the log label and, for ever, the name its inbox rows are filed under.
 */
export async function consume(
  name: string,
  settings: ConsumerEnv,
  handlers: Handler<Tx>[],
  beside?: (parts: { database: Database; log: Logger; wake: () => void }) => Companion,
): Promise<void> {
  await startTracing(name);
  const log = logger(name);
  const database = connect(settings);
  const relay = waker(() => new Client(clientConfig(database.settings)));
  const wake = () => relay.wake();
  const worker = await work({
    consumer: name,
    queueUrl: settings.COPILOT_QUEUE_URI,
    sqs: new SQSClient(),
    pool: database.pool,
    transaction: (client, { companyId }) => tenantTransaction(client, { companyId: String(companyId) }),
    handlers: handlers.map(traced),
    log,
    afterCommit: wake,
  });
  const stopReports = reportWaiting(name, database.pool, log);
  const companion = beside?.({ database, log, wake });
  const health = await healthServer({
    port: settings.PORT,
    log,
    check() {
      const queue = worker.health();
      if (!companion) return queue;
      const other = companion.health();
      return { ok: queue.ok && other.ok, detail: { queue: queue.detail, beside: other.detail } };
    },
  });

  // ECS gives a worker 120 s between SIGTERM and SIGKILL: a running handler may finish.
  onShutdown(
    log,
    async () => {
      stopReports();
      await Promise.all([worker.stop(), companion?.stop()]);
      await relay.close();
      await health.close();
      await database.close();
    },
    { timeoutMs: 115_000 },
  );
}

/** The same handler, each event in a span that goes on with the trace of what caused it. */
export function traced<Tx>(handler: Handler<Tx>): Handler<Tx> {
  return {
    ...handler,
    prepare(envelope) {
      const run = handler.prepare(envelope);
      const { id, traceparent } = envelope as { id?: string; traceparent?: string };
      return (given) =>
        inSpan(`process ${handler.type}`, () => run(given), {
          kind: SpanKind.CONSUMER,
          attributes: { "messaging.message.id": id ?? "", "messaging.operation.type": "process" },
          from: contextOf(traceparent),
        });
    },
  };
}
