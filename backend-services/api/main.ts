import { clientConfig, connect, databaseEnv } from "@noren/database";
import { env, logger, onShutdown, serve, startTracing } from "@noren/service";
import { waker } from "outbox";
import { Client } from "pg";
import { z } from "zod";
import { app } from "./app.ts";

await startTracing();
const settings = env({
  PORT: z.coerce.number().int(),
  SERVICE_TOKEN_KEY: z.string().min(32),
  ...databaseEnv,
});
const log = logger("backend-api");
const database = connect(settings, { max: 16 });
const relay = waker(() => new Client(clientConfig(database.settings)));
const { fetch } = app({
  database,
  log,
  tokenKey: settings.SERVICE_TOKEN_KEY,
  now: () => new Date(),
  wake: () => relay.wake(),
});
const server = await serve({ port: settings.PORT, fetch, log });

onShutdown(log, async () => {
  await server.close();
  await relay.close();
  await database.close();
});
