import { SESv2Client } from "@aws-sdk/client-sesv2";
import { consume, consumerEnv } from "@noren/consumer";
import { env } from "@noren/service";
import { z } from "zod";
import { handlers } from "./handlers.ts";
import { sesMailer } from "./mailer.ts";

const settings = env({ ...consumerEnv, MAIL_FROM: z.email(), STOREFRONT_URL: z.url() });

// One try of a few seconds: the mail is sent inside a transaction, and the engine tries again better than the SDK does.
const ses = new SESv2Client({
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 6_000 },
});

await consume(
  "worker-notification",
  settings,
  handlers({ mailer: sesMailer({ ses, from: settings.MAIL_FROM }), storefrontUrl: settings.STOREFRONT_URL }),
);
