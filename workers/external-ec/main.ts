import { consume, consumerEnv } from "@noren/consumer";
import { env } from "@noren/service";
import { z } from "zod";
import { handlers } from "./handlers.ts";
import { mall } from "./mall.ts";

const settings = env({ ...consumerEnv, MALL_API_URL: z.url(), MALL_API_KEY: z.string().min(1) });

await consume(
  "worker-external-ec",
  settings,
  handlers(mall({ url: settings.MALL_API_URL, key: settings.MALL_API_KEY })),
);
