import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { RetryAfter, Unprocessable } from "worker";
import { mall } from "./mall.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A real HTTP server that answers as told, and a client that talks to it. */
async function answering(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  closing.push(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  const client = mall({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: "secret-key",
  });
  return (no: string) => client.order(no, new AbortController().signal);
}

const order = {
  no: "MA-1",
  status: "placed",
  placedAt: "2026-11-24T10:15:30+09:00",
  buyer: { name: "山田", email: "yamada@example.com" },
  shipTo: { prefecture: "東京都" },
  lines: [{ itemCode: "2000000000015", condition: "A", qty: 1, unitYen: 1980 }],
  paid: true,
  totalYen: 1980,
};

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(code, headers).end("{}");

test("an order is fetched by its number, with the key in a header", async () => {
  const seen: (string | string[] | undefined)[] = [];
  const fetchOrder = await answering((request, response) => {
    seen.push(request.url, request.headers["x-api-key"]);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(order));
  });
  expect(await fetchOrder("MA/1")).toEqual(order);
  expect(seen).toEqual(["/api/orders/MA%2F1", "secret-key"]);
});

test.each([
  [{ "retry-after": "7" }, 7],
  [{}, 5],
  [{ "retry-after": "soon" }, 5],
  [{ "retry-after": "86400" }, 900],
])("429 with %j waits %i seconds", async (headers, seconds) => {
  const error = await (
    await answering(status(429, headers as Record<string, string>))
  )("MA-1").catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RetryAfter);
  expect(error).toMatchObject({ seconds });
});

test("an order that the mall does not know, or tells in another shape, is parked at once", async () => {
  await expect((await answering(status(404)))("MA-1")).rejects.toThrow(Unprocessable);
  await expect((await answering(status(200)))("MA-1")).rejects.toThrow(Unprocessable);
});

test("a failing mall and a refused key are tried again, and the error never holds the key", async () => {
  for (const code of [500, 503, 401]) {
    const error: Error = await (
      await answering(status(code))
    )("MA-1").then(
      () => expect.unreachable(),
      (error: Error) => error,
    );
    expect(error).not.toBeInstanceOf(Unprocessable);
    expect(error).not.toBeInstanceOf(RetryAfter);
    expect(error.message).toContain(String(code));
    expect(error.message).not.toContain("secret-key");
  }
});

test("a redirect is not followed, so that the key stays with the mall", async () => {
  await expect((await answering(status(302, { location: "http://127.0.0.1:1/" })))("MA-1")).rejects.toThrow(
    "fetch failed",
  );
});
