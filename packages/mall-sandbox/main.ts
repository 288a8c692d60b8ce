import { env, logger, onShutdown, serve } from "@noren/service";
import { z } from "zod";
import { mallApp } from "./app.ts";
import { sender } from "./mail.ts";

const log = logger("mall-sandbox");
const settings = env({
  PORT: z.coerce.number().int(),
  MALL_API_KEY: z.string().min(1),
  /** The address of the shop's receipt rule, e.g. `orders@mail.noren.example`. */
  MAIL_TO: z.email(),
  MALL_RATE: z.coerce.number().positive().default(5),
  MALL_BURST: z.coerce.number().int().positive().default(10),
});

const app = mallApp({
  apiKey: settings.MALL_API_KEY,
  mailTo: settings.MAIL_TO,
  send: sender(),
  rate: settings.MALL_RATE,
  burst: settings.MALL_BURST,
});
const server = await serve({ port: settings.PORT, host: "127.0.0.1", fetch: app.fetch, log });
onShutdown(log, () => server.close());
