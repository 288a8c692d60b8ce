import { SQSClient } from "@aws-sdk/client-sqs";
import { connect, databaseEnv, tenantTransaction } from "@noren/database";
import { env, healthServer, logger, onShutdown } from "@noren/service";
import { work } from "worker";
import { z } from "zod";
import { startClock } from "./clock.ts";
import { handlers } from "./handlers.ts";

const settings = env({ PORT: z.coerce.number().int(), COPILOT_QUEUE_URI: z.url(), ...databaseEnv });
const log = logger("worker-scheduled");
const database = connect(settings);
const worker = await work({
  consumer: "worker-scheduled",
  queueUrl: settings.COPILOT_QUEUE_URI,
  sqs: new SQSClient(),
  pool: database.pool,
  transaction: (client, { companyId }) => tenantTransaction(client, { companyId: String(companyId) }),
  handlers,
  log,
});
const clock = startClock({ database, log });
function check() {
  const [queue, due] = [worker.health(), clock.health()];
  return { ok: queue.ok && due.ok, detail: { queue, clock: due.detail } };
}
const health = await healthServer({ port: settings.PORT, check, log });

// ECS gives a worker 120 s between SIGTERM and SIGKILL: a running handler may finish.
onShutdown(
  log,
  async () => {
    await Promise.all([clock.stop(), worker.stop()]);
    await health.close();
    await database.close();
  },
  { timeoutMs: 115_000 },
);
