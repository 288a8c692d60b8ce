import { consume, consumerEnv } from "@noren/consumer";
import { env } from "@noren/service";
import { startClock } from "./clock.ts";
import { handlers } from "./handlers.ts";

await consume("worker-scheduled", env({ ...consumerEnv }), handlers, ({ database, log, wake }) =>
  startClock({ database, log, afterCommit: wake }),
);
