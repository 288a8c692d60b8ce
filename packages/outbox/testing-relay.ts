// A relay in a process of its own, for tests that kill it. It publishes to the HTTP server that the test listens on.
import { Client } from "pg";
import type { Publish, PublishAnswer } from "./publish.ts";
import { relay } from "./relay.ts";
import { silent } from "./testing.ts";

const [id = "", connectionString = "", broker = "", sessionTimeoutMs = "5000"] = process.argv.slice(2);

const publish: Publish = async (_, events) => {
  const response = await fetch(broker, {
    method: "POST",
    body: JSON.stringify(events),
    // When the relay began the call, for a test that freezes it.
    headers: { relay: id, begun: String(Date.now()) },
  });
  return (await response.json()) as PublishAnswer[];
};
const engine = relay({
  connect: () => new Client({ connectionString }),
  publish,
  log: silent,
  id,
  sessionTimeoutMs: Number(sessionTimeoutMs),
});
process.on("SIGTERM", () => void engine.stop().then(() => process.exit(0)));
