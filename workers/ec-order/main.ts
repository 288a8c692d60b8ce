import { consume, consumerEnv } from "@noren/consumer";
import { env } from "@noren/service";
import { handlers } from "./handlers.ts";

await consume("worker-ec-order", env({ ...consumerEnv }), handlers);
