// A relay in a process of its own, to be killed. Without a topic whatever it publishes is accepted at once.
import { SNSClient } from "@aws-sdk/client-sns";
import { relay, snsPublisher } from "outbox";
import type { Publish } from "outbox";
import { Client } from "pg";
import { silent } from "./relays.ts";
import { aws } from "./rig.ts";

const [connectionString = "", endpoint = "", topicArn = ""] = process.argv.slice(2);
const accept: Publish = async (_, events) => events.map(() => ({ ok: true }));
relay({
  connect: () => new Client({ connectionString }),
  publish: topicArn
    ? snsPublisher(new SNSClient({ ...aws(endpoint), maxAttempts: 1 }), { sale: topicArn })
    : accept,
  log: silent,
});
// It ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
