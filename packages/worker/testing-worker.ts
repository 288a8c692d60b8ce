// A worker in a process of its own, for tests that kill it or let it kill itself.
import { setTimeout as pause } from "node:timers/promises";
import { SQSClient } from "@aws-sdk/client-sqs";
import { on } from "./handler.ts";
import type { Context } from "./handler.ts";
import { common, credentials, newPool, thing } from "./testing.ts";
import type { Tx } from "./testing.ts";
import { work } from "./work.ts";

const [url = "", consumer = "", databaseUrl = "", endpoint = ""] = process.argv.slice(2);
const pool = newPool(databaseUrl);
const worker = await work({
  ...common({ pool, sqs: new SQSClient({ endpoint, region: "us-east-1", credentials }) }, { url, consumer }),
  handlers: [
    on(thing, async ({ name }, { tx }: Context<Tx>) => {
      await tx.write(`${consumer}/${name}`);
      if (name.startsWith("crash")) process.exit(1);
      if (name.startsWith("slow")) await pause(300);
    }),
  ],
});
process.on("SIGTERM", () => {
  void worker
    .stop()
    .then(() => pool.end())
    .then(() => process.exit(0));
});
