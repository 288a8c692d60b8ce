import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ACCOUNT, Account } from "./account.ts";
import { actions } from "./actions.ts";
import type { Input } from "./actions.ts";
import { AwsError } from "./aws-error.ts";
import { Clock } from "./clock.ts";
import type { FifoQueue } from "./queue.ts";
import { Topics, escape, fromQuery } from "./topics.ts";

/** What a test sees of a queue. */
export type QueueState = {
  messages: {
    id: string;
    body: string;
    groupId: string;
    deduplicationId: string;
    receives: number;
    inFlight: boolean;
  }[];
  /** Since the queue was made. `repeated`: dropped by deduplication. `received`: messages handed out, by `receives` calls. */
  counts: {
    accepted: number;
    repeated: number;
    received: number;
    deleted: number;
    died: number;
    receives: number;
  };
};

export type FifoStub = {
  /** Endpoint of SQS and SNS, for any AWS SDK: `new SQSClient({ endpoint, … })`. Credentials are not looked at. */
  url: string;
  queueUrl(name: string): string;
  state(name: string): QueueState;
  /** Moves the stub's clock forward: visibility, deduplication, retention and delays follow it. */
  advance(ms: number): void;
  /** Ends the visibility time-outs of a queue's messages in flight, now; returns how many. */
  expire(name: string): number;
  close(): Promise<void>;
};

export type FifoStubOptions = {
  /** Default: a free one. */
  port?: number;
  /** Messages in flight of one queue (AWS: 120,000); over it receives come back empty. */
  inFlightLimit?: number;
  /** How many messages from the front are searched for a free group (AWS: 120,000). */
  searchLimit?: number;
};

/**
 * Starts SQS FIFO queues, and SNS FIFO topics in front of them, in memory, on 127.0.0.1, by the rules that AWS documents:
 * for tests of what an emulator gets wrong (several messages of a group in one receive above all).
 *
 * The same is there for another process by HTTP: `GET /_stub/queues/NAME`, `POST /_stub/queues/NAME/expire`,
 * `POST /_stub/clock` with `{"advanceMs": 60000}`.
 */
export async function startFifoStub({
  port = 0,
  inFlightLimit = 120_000,
  searchLimit = 120_000,
}: FifoStubOptions = {}): Promise<FifoStub> {
  const clock = new Clock();
  const account = new Account(clock, { inFlight: inFlightLimit, searched: searchLimit });
  const topics = new Topics(account, clock);
  let closing = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const target = request.headers["x-amz-target"];
    if (request.url?.startsWith("/_stub/")) {
      json(response, 200, admin(request, body));
    } else if (typeof target === "string") {
      await sqs(request, response, target.split(".")[1] ?? "", body);
    } else {
      sns(response, body);
    }
  }

  async function sqs(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    body: string,
  ): Promise<void> {
    const urlOf = (queue: FifoQueue) => `http://${request.headers.host}/${ACCOUNT}/${queue.name}`;
    try {
      const action = actions[name];
      if (!action) throw new AwsError("InvalidAction", `This stub does not know SQS's ${name}.`);
      const input = JSON.parse(body || "{}") as Input;
      json(response, 200, await action(input, { account, clock, urlOf, closing: () => closing }));
    } catch (error) {
      const { code, message, status } = error instanceof AwsError ? error : failure(error);
      const old = code === "QueueDoesNotExist" ? "AWS.SimpleQueueService.NonExistentQueue" : code;
      response.setHeader("x-amzn-query-error", `${old};${status < 500 ? "Sender" : "Receiver"}`);
      json(response, status, { __type: `com.amazonaws.sqs#${code}`, message });
    }
  }

  function sns(response: ServerResponse, body: string): void {
    const input = fromQuery(body);
    const action = typeof input["Action"] === "string" ? input["Action"] : "";
    let status = 200;
    let xml: string;
    try {
      const result = topics.act(action, input);
      xml = `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
    } catch (error) {
      const known = error instanceof AwsError ? error : failure(error);
      status = known.status;
      const type = status < 500 ? "Sender" : "Receiver";
      xml = `<ErrorResponse><Error><Type>${type}</Type><Code>${known.code}</Code><Message>${escape(known.message)}</Message></Error></ErrorResponse>`;
    }
    response.writeHead(status, { "content-type": "text/xml" }).end(xml);
  }

  function admin(request: IncomingMessage, body: string): object {
    const [, , what, name = "", verb] = new URL(request.url ?? "", "http://stub").pathname.split("/");
    if (what === "clock") {
      if (request.method === "POST") clock.advance((JSON.parse(body) as { advanceMs: number }).advanceMs);
      return { now: clock.now() };
    }
    if (what === "queues" && verb === "expire") return { expired: account.byUrl(name).expire() };
    if (what === "queues") return state(name);
    throw new AwsError(
      "NotFound",
      `No ${request.url}: there are /_stub/clock and /_stub/queues/NAME[/expire].`,
      404,
    );
  }

  function state(name: string): QueueState {
    const queue = account.byUrl(name);
    return {
      messages: queue.messages().map(({ message, inFlight }) => {
        const { id, body, groupId, deduplicationId, receives } = message;
        return { id, body, groupId, deduplicationId, receives, inFlight };
      }),
      counts: { ...queue.counts },
    };
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { code, message, status } = error instanceof AwsError ? error : failure(error);
      if (!response.headersSent) json(response, status, { error: code, message });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    queueUrl: (name) => `${url}/${ACCOUNT}/${name}`,
    state,
    advance: (ms) => clock.advance(ms),
    expire: (name) => account.byUrl(name).expire(),
    async close() {
      closing = true;
      clock.advance(0);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
}

function failure(error: unknown): { code: string; message: string; status: number } {
  return { code: "InternalFailure", message: `The stub itself failed: ${String(error)}`, status: 500 };
}
