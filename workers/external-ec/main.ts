import { SQSClient } from "@aws-sdk/client-sqs";
import { connect, databaseEnv, tenantTransaction } from "@noren/database";
import { env, healthServer, logger, onShutdown } from "@noren/service";
import { work } from "worker";
import { z } from "zod";
import { handlers } from "./handlers.ts";
import { mall } from "./mall.ts";

const settings = env({
  PORT: z.coerce.number().int(),
  COPILOT_QUEUE_URI: z.url(),
  MALL_API_URL: z.url(),
  MALL_API_KEY: z.string().min(1),
  ...databaseEnv,
});
const log = logger("worker-external-ec");
const database = connect(settings);
const worker = await work({
  consumer: "worker-external-ec",
  queueUrl: settings.COPILOT_QUEUE_URI,
  sqs: new SQSClient(),
  pool: database.pool,
  transaction: (client, { companyId }) => tenantTransaction(client, { companyId: String(companyId) }),
  handlers: handlers(mall({ url: settings.MALL_API_URL, key: settings.MALL_API_KEY })),
  log,
});
const health = await healthServer({ port: settings.PORT, check: () => worker.health(), log });

// ECS gives a worker 120 s between SIGTERM and SIGKILL: a running handler may finish.
onShutdown(
  log,
  async () => {
    await worker.stop();
    await health.close();
    await database.close();
  },
  { timeoutMs: 115_000 },
);
