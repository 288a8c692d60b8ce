import { RetryAfter, Unprocessable } from "./errors.ts";

/** What a failure says about the message, which decides what happens next. */
export type Failure =
  /** No retry helps. */
  | { kind: "unprocessable" }
  /** The other side named a time. */
  | { kind: "wait"; seconds: number }
  /** Two transactions collided; the next try usually succeeds. */
  | { kind: "conflict" }
  /** Something that every message needs is down: not this message's fault. */
  | { kind: "infrastructure" }
  /** Perhaps a bug, perhaps not. */
  | { kind: "other" };

const CONFLICTS = new Set(["40001", "40P01"]);
/** PostgreSQL: connection, resources, operator intervention, system; and a server that is read-only after a failover. */
const SERVER = /^(08|53|57P0|58)|^25006$/;
const NETWORK =
  /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|UND_ERR_(CONNECT|SOCKET|HEADERS_TIMEOUT))|^(ConnectionError|NetworkingError)/;
const CLIENT =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;
/** Credentials that have run out, or that nobody gives: the same for every message. */
const CREDENTIALS =
  /^(CredentialsProviderError|ExpiredToken|TokenRefreshRequired|RequestExpired|UnrecognizedClient|InvalidClientTokenId)/;
/** Who asks to wait without a number (a Retry-After may be a date) waits so long. */
const WAIT_SECONDS = 30;
const THROTTLED = /throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable/i;

/** Sorts an error, looking into its causes, by what it carries: SQLSTATE, errno, HTTP status of an AWS call. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Unprocessable) return { kind: "unprocessable" };
  if (error instanceof RetryAfter)
    return {
      kind: "wait",
      seconds: Math.min(900, Math.max(0, Number.isNaN(error.seconds) ? WAIT_SECONDS : error.seconds)),
    };
  for (const one of chain(error)) {
    const { code, name, message, $metadata } = one as Error & {
      code?: unknown;
      $metadata?: { httpStatusCode?: number };
    };
    if (typeof code === "string") {
      if (CONFLICTS.has(code)) return { kind: "conflict" };
      if (SERVER.test(code) || NETWORK.test(code)) return { kind: "infrastructure" };
    }
    if (CLIENT.test(message) || CREDENTIALS.test(name)) return { kind: "infrastructure" };
    if ($metadata && (($metadata.httpStatusCode ?? 0) >= 500 || THROTTLED.test(name)))
      return { kind: "infrastructure" };
  }
  return { kind: "other" };
}

/** What is written down about a failure: PostgreSQL's text takes no NUL, and a page of it is enough. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, 20_000).replaceAll("\0", "�");
}

function* chain(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > 5) return;
  yield error;
  if (error instanceof AggregateError) for (const inner of error.errors) yield* chain(inner, depth + 1);
  yield* chain(error.cause, depth + 1);
}
