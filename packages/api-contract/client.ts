import { z } from "zod";
import type { Route } from "./route.ts";
import { type RouteName, type Routes, routes } from "./routes.ts";
import { errorBody } from "./values.ts";

/**
 * What backend-api refused, or why it could not be asked. `status` is the HTTP status, 0 when there was no answer
 * (`code` is then `unreachable`: a write may or may not have happened; repeat it with the same key).
 * `message` is Japanese and may be shown as it is.
 */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

type Part<R, K extends string> =
  R extends Record<K, infer T extends z.ZodType> ? { [P in K]: z.input<T> } : unknown;
type Key<R> = R extends { once: "header" } ? { idempotencyKey: string } : unknown;
/** What a call of this route takes: `params`, `query` and `body` where it has them, and the key where the body holds none. */
export type Input<R> = Part<R, "params"> & Part<R, "query"> & Part<R, "body"> & Key<R>;
/** What a successful call of this route answers. */
export type Answer<R> = R extends { answer: infer T extends z.ZodType } ? z.output<T> : never;

type Call<R> = unknown extends Input<R> ? () => Promise<Answer<R>> : (input: Input<R>) => Promise<Answer<R>>;
/** One method for each route of the table. */
export type ApiClient = { [N in RouteName]: Call<Routes[N]> };

export type ApiClientOptions = {
  /** For example `http://backend-api:8010`. */
  baseUrl: string;
  /** A fresh service token for this call; null for `health` only. */
  token: () => string | null | Promise<string | null>;
  /** Replaces the global fetch, for instance by an app's own `request` in a test. */
  fetch?: (request: Request) => Response | Promise<Response>;
  /** How long one call may take. */
  timeoutMs?: number;
};

/** How long a call waits for the same call that is already being handled. */
const IN_FLIGHT_MS = 5_000;

/**
 * A client for backend-api, typed by the route table. Answers are parsed by the same schemas that the server uses.
 *
 * ```ts
 * const api = apiClient({ baseUrl, token: () => signServiceToken(key, claims) })
 * const receipt = await api.completeSale({ body: { saleId, lines, payments } })
 * ```
 */
export function apiClient(options: ApiClientOptions): ApiClient {
  const methods = Object.entries(routes).map(([name, route]) => [
    name,
    (input: Untyped = {}) => call(options, route, input),
  ]);
  return Object.fromEntries(methods) as ApiClient;
}

type Untyped = {
  params?: Record<string, unknown>;
  query?: Record<string, string | number | undefined>;
  body?: Record<string, unknown>;
  idempotencyKey?: string;
};

async function call(options: ApiClientOptions, route: Route, input: Untyped): Promise<unknown> {
  const waitUntil = Date.now() + IN_FLIGHT_MS;
  for (;;) {
    const { status, ok, text } = await send(options, route, input);
    if (ok) return understood(route, status, text);
    const error = refusal(status, text);
    // The second click of a double click: the first is being done, and its answer is ours too.
    if (error.code !== "in_flight" || Date.now() > waitUntil) throw error;
    await new Promise((elapsed) => setTimeout(elapsed, 100));
  }
}

type Sent = { status: number; ok: boolean; text: string };

async function send(options: ApiClientOptions, route: Route, input: Untyped): Promise<Sent> {
  const request = new Request(address(options.baseUrl, route, input), {
    method: route.method.toUpperCase(),
    headers: await headers(options, route, input),
    body: input.body === undefined ? null : JSON.stringify(input.body),
    signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
  });
  try {
    const response = await (options.fetch ?? fetch)(request);
    return { status: response.status, ok: response.ok, text: await response.text() };
  } catch (cause) {
    const message = "サーバーに接続できませんでした。少し待ってからもう一度お試しください。";
    throw new ApiError(0, "unreachable", message, { cause });
  }
}

function address(baseUrl: string, route: Route, input: Untyped): URL {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(String(input.params?.[key])),
  );
  const url = new URL(path, baseUrl);
  for (const [key, value] of Object.entries(input.query ?? {}))
    if (value !== undefined) url.searchParams.set(key, String(value));
  return url;
}

async function headers(options: ApiClientOptions, route: Route, input: Untyped): Promise<Headers> {
  const all = new Headers({ accept: "application/json" });
  const token = await options.token();
  if (token) all.set("authorization", `Bearer ${token}`);
  if (input.body) all.set("content-type", "application/json");
  const key = route.once === "header" ? input.idempotencyKey : route.once && input.body?.[route.once];
  if (typeof key === "string") all.set("idempotency-key", key);
  return all;
}

function refusal(status: number, text: string): ApiError {
  const body = errorBody.safeParse(json(text));
  if (body.success) return new ApiError(status, body.data.error.code, body.data.error.message);
  return new ApiError(status, "unexpected_answer", "サーバーでエラーが起きました。もう一度お試しください。", {
    cause: text.slice(0, 500),
  });
}

function understood(route: Route, status: number, text: string): unknown {
  const answer = route.answer.safeParse(json(text));
  if (answer.success) return answer.data;
  throw new ApiError(status, "unexpected_answer", "サーバーの答えを読み取れませんでした。", {
    cause: new Error(`${route.method} ${route.path}: ${z.prettifyError(answer.error)}`),
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
