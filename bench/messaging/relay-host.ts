// A relay in a process of its own, to be killed. Whatever it publishes is accepted at once.
import { relay } from "outbox";
import { Client } from "pg";
import { silent } from "./relays.ts";

const [connectionString = ""] = process.argv.slice(2);
relay({
  connect: () => new Client({ connectionString }),
  publish: async (_, events) => events.map(() => ({ ok: true })),
  log: silent,
});
// It ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
