import { SQSServiceException } from "@aws-sdk/client-sqs";
import { DatabaseError } from "pg";
import { expect, test } from "vitest";
import { RetryAfter, Unprocessable } from "./errors.ts";
import { failureOf } from "./failure.ts";

function sqlState(code: string): Error {
  return Object.assign(new DatabaseError("failed", 0, "error"), { code });
}
function aws(name: string, httpStatusCode: number): Error {
  return new SQSServiceException({ name, $fault: "server", $metadata: { httpStatusCode } });
}
const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

test.each([
  ["a lost connection", sqlState("08006"), "infrastructure"],
  ["a server that shuts down", sqlState("57P01"), "infrastructure"],
  ["too many connections", sqlState("53300"), "infrastructure"],
  ["a database that is read-only after a failover", sqlState("25006"), "infrastructure"],
  ["a cut socket, as pg tells it", new Error("Connection terminated unexpectedly"), "infrastructure"],
  ["a full pool", new Error("timeout exceeded when trying to connect"), "infrastructure"],
  [
    "a refused connection inside fetch's error",
    new TypeError("fetch failed", { cause: refused }),
    "infrastructure",
  ],
  ["a refused connection to every address", new AggregateError([refused]), "infrastructure"],
  ["AWS answering 503", aws("ServiceUnavailable", 503), "infrastructure"],
  ["AWS throttling", aws("ThrottlingException", 400), "infrastructure"],
  ["credentials that have expired", aws("ExpiredTokenException", 403), "infrastructure"],
  ["AWS refusing the request", aws("InvalidParameterValue", 400), "other"],
  ["a serialisation failure", sqlState("40001"), "conflict"],
  ["a deadlock", sqlState("40P01"), "conflict"],
  ["a statement that was cancelled", sqlState("57014"), "other"],
  ["a violated constraint", sqlState("23505"), "other"],
  ["a bug", new TypeError("x is undefined"), "other"],
  ["something that is no error", "text", "other"],
])("%s", (_, error, kind) => {
  expect(failureOf(error).kind).toBe(kind);
});

test("the two classes of the handler's own say what they mean, within limits", () => {
  expect(failureOf(new Unprocessable("x"))).toEqual({ kind: "unprocessable" });
  expect(failureOf(new RetryAfter(7))).toEqual({ kind: "wait", seconds: 7 });
  expect(failureOf(new RetryAfter(9999))).toEqual({ kind: "wait", seconds: 900 });
  // A Retry-After header may hold a date: no number must not mean no end.
  expect(failureOf(new RetryAfter(Number("Wed, 21 Oct 2026 07:28:00 GMT")))).toEqual({
    kind: "wait",
    seconds: 30,
  });
});
