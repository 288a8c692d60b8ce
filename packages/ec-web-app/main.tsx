import { env, logger, onShutdown, serve, startTracing } from "@noren/service";
import { z } from "zod";
import { shopApp } from "./app.tsx";

await startTracing();
const log = logger();
const settings = env({
  PORT: z.coerce.number().int(),
  BACKEND_API_URL: z.url(),
  /** Which company's storefront this is. */
  COMPANY_CODE: z.string().min(1),
  SERVICE_TOKEN_KEY: z.string().min(32),
  SESSION_KEY: z.string().min(32),
});

const app = shopApp({
  apiUrl: settings.BACKEND_API_URL,
  companyCode: settings.COMPANY_CODE,
  serviceTokenKey: settings.SERVICE_TOKEN_KEY,
  sessionKey: settings.SESSION_KEY,
  log,
});
const server = await serve({ port: settings.PORT, fetch: app.fetch, log });
onShutdown(log, () => server.close());
