import { Agent, createServer, request as call } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { batchOf } from "./batch.ts";
import type { Failure } from "./batch.ts";
import { random } from "./random.ts";
import { strikes } from "./rules.ts";
import type { ActiveRule, Fault, Rule } from "./rules.ts";

export type { ActiveRule, Fault, Rule } from "./rules.ts";
export { random } from "./random.ts";

/** One call that came by. */
export type Call = {
  /** Its number, from 0. */
  n: number;
  /** When it came and when it was over, in ms of performance.now(). */
  at: number;
  endedAt?: number;
  /** The AWS action, such as PublishBatch. */
  action: string;
  /** Its body; form-encoded ones decoded, one `name=value` a line. */
  text: string;
  headers: IncomingHttpHeaders;
  /** What was done to it. */
  fault?: Fault["kind"];
  /** Status of the answer; undefined while there is none, or when it was lost. */
  status?: number;
};

export type FaultProxy = {
  /** Endpoint to give to an AWS client in place of the target. */
  url: string;
  /** Adds a rule; the first one that strikes decides about a call. The result counts, and goes to `remove`. */
  add(rule: Rule): ActiveRule;
  remove(rule: ActiveRule): void;
  clear(): void;
  /** Every call so far, in the order of their arrival. */
  calls: Call[];
  /** Those of an action. */
  of(action: string): Call[];
  close(): Promise<void>;
};

export type FaultProxyOptions = {
  /** Endpoint of SQS, SNS or anything else of AWS over plain HTTP. It must not check signatures: `partial` changes bodies. */
  target: string;
  /** Decides what `chance` decides. Default 1. */
  seed?: number;
  rules?: Rule[];
};

/** Starts an HTTP proxy on 127.0.0.1 that lets calls through to an AWS endpoint, and breaks those that rules name. */
export async function startFaultProxy({
  target,
  seed = 1,
  rules = [],
}: FaultProxyOptions): Promise<FaultProxy> {
  const next = random(seed);
  const agent = new Agent({ keepAlive: true });
  let active: ActiveRule[] = rules.map((rule) => ({ ...rule, used: 0, seen: 0 }));
  const calls: Call[] = [];

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const form = /form-urlencoded/.test(request.headers["content-type"] ?? "");
    const one: Call = {
      n: calls.length,
      at: performance.now(),
      action: actionOf(request.headers, body),
      text: form
        ? [...new URLSearchParams(body)].map(([name, value]) => `${name}=${value}`).join("\n")
        : body,
      headers: request.headers,
    };
    calls.push(one);
    const gone = new AbortController();
    response.on("close", () => {
      one.endedAt = performance.now();
      gone.abort();
    });

    const failures = new Map<string, Failure>();
    const batch = batchOf(body, form);
    for (const { id, text } of batch?.entries ?? []) {
      const rule = active.find(
        ({ fault }, n) => fault.kind === "partial" && strikes(active[n]!, one.action, text, next),
      );
      if (rule?.fault.kind !== "partial") continue;
      const { code, senderFault, message = "made by a rule" } = rule.fault;
      failures.set(id, { id, code, message, senderFault });
    }
    const rule = active.find(
      ({ fault }, n) => fault.kind !== "partial" && strikes(active[n]!, one.action, one.text, next),
    );
    const fault = rule?.fault;
    const kind = fault?.kind ?? (failures.size > 0 ? "partial" : undefined);
    if (kind) one.fault = kind;

    const deliver = async (): Promise<Answer> => {
      if (!batch || failures.size === 0) return forward(request, body, gone.signal);
      const failed = [...failures.values()];
      const left = new Set(batch.entries.map(({ id }) => id).filter((id) => !failures.has(id)));
      const headers = { "content-type": form ? "text/xml" : "application/x-amz-json-1.0" };
      if (left.size === 0) return { status: 200, headers, body: batch.answer(undefined, failed) };
      const answer = await forward(request, batch.keep(left), gone.signal);
      return answer.status === 200 ? { ...answer, body: batch.answer(answer.body, failed) } : answer;
    };
    const reply = ({ status, headers, body: text }: Answer) => {
      one.status = status;
      response.writeHead(status, headers).end(text);
    };

    switch (fault?.kind) {
      case "error":
        return reply(errorAnswer(fault, form));
      case "silence":
        return;
      case "lose":
        await deliver();
        if (!fault.silently) response.destroy();
        return;
      case "delay": {
        if (fault.of === "call") await pause(fault.ms);
        const answer = await deliver();
        if (fault.of === "answer") await pause(fault.ms);
        return reply(answer);
      }
      case "repeat":
        for (let n = 1; n < (fault.times ?? 2); n++) await deliver();
        return reply(await deliver());
      default:
        reply(await deliver());
    }
  }

  function forward(request: IncomingMessage, body: string, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { "content-length": _, connection: __, ...headers } = request.headers;
      const outgoing = call(
        new URL(request.url ?? "/", target),
        {
          method: request.method ?? "POST",
          headers: { ...headers, "content-length": Buffer.byteLength(body) },
          agent,
          signal,
        },
        (incoming) => {
          const { "content-length": _, "transfer-encoding": __, connection: ___, ...rest } = incoming.headers;
          const status = incoming.statusCode ?? 502;
          resolve(read(incoming).then((text) => ({ status, headers: rest, body: text })));
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  const server = createServer((request, response) => {
    // A target that is down, or a client that has gone away: the connection breaks, as it would without us.
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    of: (action) => calls.filter((one) => one.action === action),
    add(rule) {
      const added = { ...rule, used: 0, seen: 0 };
      active = [...active, added];
      return added;
    },
    remove(rule) {
      active = active.filter((one) => one !== rule);
    },
    clear() {
      active = [];
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

function errorAnswer(
  { status, code, message = "made by a rule" }: Fault & { kind: "error" },
  form: boolean,
): Answer {
  const type = status < 500 ? "Sender" : "Receiver";
  if (form) {
    const body = `<ErrorResponse><Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
    return { status, headers: { "content-type": "text/xml" }, body };
  }
  const headers = { "content-type": "application/x-amz-json-1.0", "x-amzn-query-error": `${code};${type}` };
  return { status, headers, body: JSON.stringify({ __type: code, message }) };
}

function actionOf(headers: IncomingHttpHeaders, body: string): string {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.split(".").at(-1) ?? "";
  return new URLSearchParams(body).get("Action") ?? "";
}

async function read(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
