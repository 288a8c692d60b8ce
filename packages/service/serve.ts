import { createAdaptorServer } from "@hono/node-server";
import type { Server } from "node:http";
import type { Logger } from "./logger.ts";
import { traced } from "./tracing.ts";

export type ServeOptions = {
  /** 0 takes a free port; read it from the result. */
  port: number;
  /** 0.0.0.0 unless told: in AWS the load balancer and Service Connect come from outside the task. */
  host?: string;
  /** A Hono app's `fetch`, or any function from Request to Response. */
  fetch: (request: Request) => Response | Promise<Response>;
  log: Logger;
  /** How long close() lets running requests go on, in ms. Default 5000. */
  graceMs?: number;
};

export type Served = {
  port: number;
  /** Takes no new connection, lets running requests finish for `graceMs`, then cuts what is left. Idempotent. */
  close(): Promise<void>;
};

/** Listens, each request in a span of its caller's trace, and rejects with one sentence when the port cannot be had. */
export async function serve({
  port,
  host = "0.0.0.0",
  fetch,
  log,
  graceMs = 5000,
}: ServeOptions): Promise<Served> {
  const server = createAdaptorServer({ fetch: traced(fetch) }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another process listens there" : error.message;
      reject(
        new Error(`Cannot listen on ${host}:${port}: ${why}. End it, or give this service another PORT.`, {
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  server.on("error", (err) => log.error({ err }, "http server failed"));

  const address = server.address();
  const listening = typeof address === "object" && address ? address.port : port;
  log.info({ port: listening, host }, "listening");

  let closing: Promise<void> | undefined;
  return {
    port: listening,
    close: () => (closing ??= closeGently(server, graceMs)),
  };
}

function closeGently(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    // A connection whose last request ends during close() is kept alive by its client: close() would wait for it.
    const sweep = setInterval(() => server.closeIdleConnections(), 20);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
  });
}
