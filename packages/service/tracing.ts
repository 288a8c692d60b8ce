import {
  context,
  propagation,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

/** One trace in ten is exported; every request and event has ids all the same, in its logs and on its way. */
const SAMPLED = 0.1;

/** How long a batch is tried, also while the process is ending: the collector is in the same task, or it is gone. */
const GIVE_UP_MS = 1_000;

let provider: TracerProvider | undefined;

/**
 * Gives every request and event of this process a trace. Call it once, first thing in `main.ts`.
 *
 * Spans are sent to OTEL_EXPORTER_OTLP_ENDPOINT (http://127.0.0.1:4318 is the sidecar that `observability.tracing` of a
 * manifest adds); without it, or with OTEL_SDK_DISABLED=true, only the ids exist. A collector that is down costs spans,
 * never a request.
 */
export async function startTracing(service = process.env["COPILOT_SERVICE_NAME"] ?? "local"): Promise<void> {
  if (provider) return;
  provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": service,
      "deployment.environment.name": process.env["COPILOT_ENVIRONMENT_NAME"] ?? "local",
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio()) }),
    spanProcessors: await processors(),
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

/** Sends what is not yet sent, and ends tracing. */
export async function stopTracing(): Promise<void> {
  const ending = provider;
  provider = undefined;
  // The collector may be gone before us: it is a container of the same task.
  await ending?.shutdown().catch(() => {});
  trace.disable();
  context.disable();
  propagation.disable();
}

async function processors(): Promise<SpanProcessor[]> {
  const wanted = process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] && process.env["OTEL_SDK_DISABLED"] !== "true";
  if (!wanted) return [];
  // Only where it is used: it is most of the code of tracing.
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  return [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ timeoutMillis: GIVE_UP_MS }) })];
}

function ratio(): number {
  const given = process.env["OTEL_TRACES_SAMPLER_ARG"];
  return given ? Number(given) : SAMPLED;
}

/** What a span may say of itself. Never what a person typed, nor a secret: traces are read by many. */
type Attributes = Record<string, string | number | boolean>;

/** Runs `work` in a new span, under the active one. What it throws is noted on the span and thrown on. */
export function inSpan<T>(
  name: string,
  work: (span: Span) => Promise<T>,
  { kind = SpanKind.INTERNAL, attributes = {}, from = context.active() }: SpanOptions = {},
): Promise<T> {
  return trace.getTracer("noren").startActiveSpan(name, { kind, attributes }, from, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

type SpanOptions = { kind?: SpanKind; attributes?: Attributes; from?: Context };

/** The context of a `traceparent`, for `inSpan({ from })`; the active one when there is none or it is not valid. */
export function contextOf(traceparent: string | undefined): Context {
  return traceparent === undefined
    ? context.active()
    : propagation.extract(context.active(), { traceparent });
}

/** The ids of the active span as a log entry has them, or nothing outside of every span. */
export function traceIds(): { traceId?: string; spanId?: string } {
  const active = trace.getActiveSpan()?.spanContext();
  return active ? { traceId: active.traceId, spanId: active.spanId } : {};
}

/** Answers a request in a span of kind server that goes on with the caller's trace. */
export function traced(
  fetch: (request: Request) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/health")) return Promise.resolve(fetch(request));
    return inSpan(
      request.method,
      async (span) => {
        const response = await fetch(request);
        span.setAttribute("http.response.status_code", response.status);
        if (response.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        return response;
      },
      {
        kind: SpanKind.SERVER,
        attributes: { "http.request.method": request.method, "url.path": pathname },
        from: contextOf(request.headers.get("traceparent") ?? undefined),
      },
    );
  };
}

/** `fetch` in a span of kind client, whose `traceparent` travels along. */
export async function tracedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { host } = new URL(request.url);
  return inSpan(
    request.method,
    async (span) => {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      for (const [name, value] of Object.entries(carrier)) request.headers.set(name, value);
      const response = await fetch(request);
      span.setAttribute("http.response.status_code", response.status);
      return response;
    },
    { kind: SpanKind.CLIENT, attributes: { "http.request.method": request.method, "server.address": host } },
  );
}
