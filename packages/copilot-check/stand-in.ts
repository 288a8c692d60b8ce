import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { awsCertificate } from "./certificate.ts";
import {
  decode,
  encode,
  protocolOf,
  ServiceError,
  type Answer,
  type Call,
  type RawRequest,
} from "./protocols.ts";

/** An account: answers a call with plain values, or throws a ServiceError. */
export interface Account {
  answer(call: Call): unknown;
}

export interface StandIn {
  /** HTTPS proxy for the CLI, which must trust `cert`. */
  proxy: string;
  /** The same answers over plain HTTP, for programs that take an endpoint. */
  endpoint: string;
  /** PEM of the certificate that the proxy shows. */
  cert: string;
  /** Every call in order, with the status of its answer. */
  calls: { operation: string; host: string; status: number }[];
  close(): Promise<void>;
}

/** Stands in for AWS on loopback, on ports of its own. Knows protocols only; what it answers is the account's. */
export async function standIn(account: Account, region: string): Promise<StandIn> {
  const calls: StandIn["calls"] = [];
  const sockets = new Set<Socket>();
  const { key, cert } = await awsCertificate(region);
  const secureContext = createSecureContext({ key, cert });
  const inner = createServer((request, response) => void handle(account, request, response, calls));
  inner.keepAliveTimeout = 60_000;

  const proxy = createServer((_request, response) =>
    response.writeHead(403).end("Only CONNECT is served here."),
  );
  proxy.on("connect", (_request: IncomingMessage, socket: Socket, head: Buffer) => {
    track(sockets, socket);
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    // Some send their first words of TLS without waiting for that answer.
    socket.unshift(head);
    const secure = new TLSSocket(socket, { isServer: true, secureContext });
    // A client that goes away in the middle is no news.
    secure.on("error", () => socket.destroy());
    socket.on("error", () => secure.destroy());
    inner.emit("connection", secure);
  });
  proxy.on("connection", (socket) => track(sockets, socket));
  inner.on("connection", (socket) => track(sockets, socket));
  await Promise.all([listening(proxy), listening(inner)]);
  return {
    proxy: `http://127.0.0.1:${portOf(proxy)}`,
    endpoint: `http://127.0.0.1:${portOf(inner)}`,
    cert,
    calls,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed(proxy), closed(inner)]);
    },
  };
}

async function handle(
  account: Account,
  request: IncomingMessage,
  response: ServerResponse,
  calls: StandIn["calls"],
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return;
  }
  const { method = "GET", headers, url = "/" } = request;
  const host = headers.host ?? "";
  const { operation, status, type, body } = await answerTo(account, {
    method,
    host,
    url,
    headers,
    body: Buffer.concat(chunks),
  });
  calls.push({ operation, host, status });
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "content-type": type, "content-length": length, etag: '"0"' });
  response.end(method === "HEAD" ? undefined : body);
}

/** Never rejects: what cannot be read, and a bug of ours, are answers too. A 5xx would be retried; both must be seen at once. */
async function answerTo(account: Account, raw: RawRequest): Promise<Answer & { operation: string }> {
  const { method, host, url, headers } = raw;
  let call: Pick<Call, "protocol" | "operation"> = {
    protocol: protocolOf(host, headers),
    operation: `${method} ${url}`,
  };
  const answer = (result: unknown) => ({ ...encode(call, result), operation: call.operation });
  try {
    const decoded = decode(raw);
    call = decoded;
    return answer(await account.answer(decoded));
  } catch (error) {
    return answer(
      error instanceof ServiceError
        ? error
        : new ServiceError("StandInFailure", error instanceof Error ? String(error.stack) : String(error)),
    );
  }
}

/** For a call that nobody answers. */
export function unknownCall({ operation, host }: Call): ServiceError {
  return new ServiceError("InvalidAction", `The stand-in for AWS does not know ${operation} of ${host}.`);
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
