import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ApiError, apiClient } from "./client.ts";
import { routes } from "./routes.ts";

const answering = (answer: (request: Request) => Response | Promise<Response>) =>
  apiClient({ baseUrl: "http://backend-api:8010", token: () => "a-token", fetch: answer });

test("the client has one method for each route", () => {
  expect(Object.keys(answering(() => new Response()))).toEqual(Object.keys(routes));
});

test("no two routes share a method and a path", () => {
  const places = Object.values(routes).map(({ method, path }) => `${method} ${path}`);
  expect(new Set(places).size).toBe(places.length);
});

test("a call carries the token, its parameters and its query, encoded", async () => {
  const seen: Request[] = [];
  const api = answering((request) => {
    seen.push(request);
    return Response.json({ products: [] });
  });
  await api.scanProduct({ params: { code: "a/b" } });
  await api.searchProducts({ query: { q: "本 & 音楽" } });
  expect(seen.map(({ url }) => url)).toEqual([
    "http://backend-api:8010/products/scan/a%2Fb",
    "http://backend-api:8010/products?q=%E6%9C%AC+%26+%E9%9F%B3%E6%A5%BD",
  ]);
  expect(seen[0]?.headers.get("authorization")).toBe("Bearer a-token");
});

test("a sale's own id is its idempotency key, so that a retry cannot choose another", async () => {
  const keys: (string | null)[] = [];
  const api = answering((request) => {
    keys.push(request.headers.get("idempotency-key"));
    return Response.json(
      { error: { code: "register_closed", message: "レジを開けてください。" } },
      { status: 409 },
    );
  });
  const saleId = randomUUID();
  const body = {
    saleId,
    lines: [{ productId: randomUUID(), qty: 1 }],
    payments: [{ method: "cash" as const, tenderedYen: 1000 }],
  };
  await expect(api.completeSale({ body })).rejects.toThrow("レジを開けてください。");
  expect(keys).toEqual([saleId]);
});

test("a refusal is an ApiError with its status and code", async () => {
  const api = answering(() =>
    Response.json({ error: { code: "not_found", message: "ありません。" } }, { status: 404 }),
  );
  const error = await api.health().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 404, code: "not_found", message: "ありません。" });
});

test("an answer of another shape is an error that names the field", async () => {
  const error = await answering(() => Response.json({ ok: "yes" }))
    .health()
    .catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "unexpected_answer" });
  expect(String((error as ApiError).cause)).toContain("ok");
});

test("no answer at all is status 0, so that the caller knows the write may have happened", async () => {
  const server = createServer((request) => request.socket.destroy());
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const api = apiClient({ baseUrl: `http://127.0.0.1:${port}`, token: () => null });
  await expect(api.health()).rejects.toMatchObject({ status: 0, code: "unreachable" });
  await new Promise((closed) => server.close(closed));
});

test("a call that is already being handled waits for that answer", async () => {
  let asked = 0;
  const api = answering(() => {
    asked += 1;
    if (asked < 3)
      return Response.json({ error: { code: "in_flight", message: "処理中です。" } }, { status: 409 });
    return Response.json({ ok: true });
  });
  expect(await api.health()).toEqual({ ok: true });
  expect(asked).toBe(3);
});
