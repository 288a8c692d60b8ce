import type { Client } from "pg";

/** Ends the socket without waiting for a server that may be gone. */
export function abandon(client: Client): void {
  client.end().catch(() => {});
  (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream?.destroy();
}
