import { env, logger, onShutdown, serve, startTracing } from "@noren/service";
import { z } from "zod";
import { tillApp } from "./app.tsx";

await startTracing();
const log = logger();
const settings = env({
  PORT: z.coerce.number().int(),
  /** Where the load balancer sends this app's requests: `/pos`. */
  BASE_PATH: z
    .string()
    .regex(/^\/[a-z0-9/-]*[a-z0-9]$/, 'must be a path like "/pos", without a slash at the end'),
  BACKEND_API_URL: z.url(),
  SERVICE_TOKEN_KEY: z.string().min(32),
  SESSION_KEY: z.string().min(32),
});

const app = tillApp({
  basePath: settings.BASE_PATH,
  apiUrl: settings.BACKEND_API_URL,
  serviceTokenKey: settings.SERVICE_TOKEN_KEY,
  sessionKey: settings.SESSION_KEY,
  log,
});
const server = await serve({ port: settings.PORT, fetch: app.fetch, log });
onShutdown(log, () => server.close());
