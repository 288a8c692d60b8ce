import { SNSClient } from "@aws-sdk/client-sns";
import { clientConfig, databaseEnv, settingsOf } from "@noren/database";
import { env, healthServer, logger, onShutdown, startTracing } from "@noren/service";
import { relay, snsPublisher } from "outbox";
import { Client } from "pg";
import { z } from "zod";
import { reportFigures } from "./figures.ts";
import { topicArns } from "./topic-arns.ts";
import { tracedPublish } from "./traced-publish.ts";

await startTracing();
const settings = env({ PORT: z.coerce.number().int(), COPILOT_SNS_TOPIC_ARNS: topicArns, ...databaseEnv });
const log = logger("backend-outbox");
const engine = relay({
  // A session of its own, straight to the writer: locks and LISTEN live in it.
  connect: () => new Client(clientConfig(settingsOf(settings))),
  // The relay decides when to try again; the SDK's own retries would only hide that a call failed.
  publish: tracedPublish(snsPublisher(new SNSClient({ maxAttempts: 1 }), settings.COPILOT_SNS_TOPIC_ARNS)),
  log,
});
const health = await healthServer({ port: settings.PORT, check: () => engine.health(), log });
const stopFigures = reportFigures(engine, log);

onShutdown(log, async () => {
  stopFigures();
  await engine.stop();
  await health.close();
});
