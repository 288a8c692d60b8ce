import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SQSClient } from "@aws-sdk/client-sqs";
import { connect, databaseEnv, tenantTransaction } from "@noren/database";
import { env, healthServer, logger, onShutdown } from "@noren/service";
import { work } from "worker";
import { z } from "zod";
import { handlers } from "./handlers.ts";
import { sesMailer } from "./mailer.ts";

const settings = env({
  PORT: z.coerce.number().int(),
  COPILOT_QUEUE_URI: z.url(),
  MAIL_FROM: z.email(),
  STOREFRONT_URL: z.url(),
  ...databaseEnv,
});
const log = logger("worker-notification");
const database = connect(settings);
// One try of a few seconds: the mail is sent inside a transaction, and the engine tries again better than the SDK does.
const ses = new SESv2Client({
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 6_000 },
});
const worker = await work({
  consumer: "worker-notification",
  queueUrl: settings.COPILOT_QUEUE_URI,
  sqs: new SQSClient(),
  pool: database.pool,
  transaction: (client, { companyId }) => tenantTransaction(client, { companyId: String(companyId) }),
  handlers: handlers({
    mailer: sesMailer({ ses, from: settings.MAIL_FROM }),
    storefrontUrl: settings.STOREFRONT_URL,
  }),
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
