import { createServer, type Server } from "node:http";
import { SpanKind } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { logger } from "./logger.ts";
import { serve } from "./serve.ts";
import { contextOf, inSpan, startTracing, stopTracing, traceIds, tracedFetch } from "./tracing.ts";

type Sent = {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  status: { code?: number };
};

let collector: Server;
let spans: Sent[];

/** An OTLP collector: what it gets is JSON over HTTP, as the sidecar gets it. */
beforeEach(async () => {
  spans = [];
  collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      type Body = { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] };
      const body = JSON.parse(Buffer.concat(parts).toString()) as Body;
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)));
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const address = collector.address();
  const port = typeof address === "object" ? address?.port : undefined;
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${port}`);
  vi.stubEnv("OTEL_TRACES_SAMPLER_ARG", "1");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await stopTracing();
  collector.close();
});

const collected = async (): Promise<Sent[]> => {
  await stopTracing();
  return spans;
};

test("a call from one service to another is one trace: client, then server, then what the server does", async () => {
  await startTracing("caller");
  const server = await serve({
    port: 0,
    host: "127.0.0.1",
    log: logger("callee"),
    fetch: () => inSpan("work", async () => Response.json(traceIds())),
  });
  const response = await tracedFetch(`http://127.0.0.1:${server.port}/orders/1?token=secret`);
  const { traceId } = (await response.json()) as { traceId: string };
  await server.close();

  const sent = await collected();
  const named = (kind: SpanKind) => sent.find((span) => span.kind === kind + 1);
  const [client, callee, work] = [SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL].map(named);
  expect(sent.map((span) => span.traceId)).toEqual([traceId, traceId, traceId]);
  expect(callee?.parentSpanId).toBe(client?.spanId);
  expect(work?.parentSpanId).toBe(callee?.spanId);
  expect(JSON.stringify(sent)).not.toContain("secret");
});

test("what happens for an event goes on with the trace that the event carries, and fails on its own span", async () => {
  await startTracing("worker");
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await expect(
    inSpan("process item.registered", () => Promise.reject(new Error("no")), {
      from: contextOf(traceparent),
    }),
  ).rejects.toThrow("no");
  expect(await collected()).toMatchObject([
    { traceId: "0af7651916cd43dd8448eb211c80319c", parentSpanId: "b7ad6b7169203331", status: { code: 2 } },
  ]);
});

test("log entries within a span carry its ids, those outside none", async () => {
  await startTracing("worker");
  const lines: Record<string, unknown>[] = [];
  const log = logger("worker", { write: (line) => void lines.push(JSON.parse(line) as never) });
  log.info("outside");
  const ids = await inSpan("work", async () => (log.info("inside"), traceIds()));
  expect(lines[0]).not.toHaveProperty("traceId");
  expect(lines[1]).toMatchObject({ msg: "inside", ...ids });
});

test("without a collector there are ids and nothing is sent; one that is down harms nobody", async () => {
  vi.stubEnv("OTEL_SDK_DISABLED", "true");
  await startTracing("worker");
  expect(await inSpan("work", async () => traceIds())).toMatchObject({ traceId: expect.any(String) });
  expect(await collected()).toEqual([]);

  vi.stubEnv("OTEL_SDK_DISABLED", "");
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
  await startTracing("worker");
  expect(await inSpan("work", async () => "done")).toBe("done");
  await stopTracing();
});
