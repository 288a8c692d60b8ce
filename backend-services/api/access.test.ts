import { randomUUID } from "node:crypto";
import { routes, signServiceToken } from "@noren/api-contract";
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, openApi, tokenKey } from "./testing.ts";

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const all = Object.values(routes);
const ask = (route: { method: string; path: string }, headers: Record<string, string> = {}) =>
  api.api.request(route.path.replaceAll(/\{\w+\}/g, randomUUID()), {
    method: route.method.toUpperCase(),
    headers,
    ...(route.method === "post" ? { body: "{}" } : {}),
  });
const bearer = async (token: string | Promise<string>) => ({ authorization: `Bearer ${await token}` });

test("health needs no token and says 200", async () => {
  const response = await api.api.request("/health");
  expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
});

test.each(all.filter(({ path }) => path !== "/health"))(
  "$method $path without a token is 401",
  async (route) => {
    expect((await ask(route)).status).toBe(401);
  },
);

test("an expired token, one of another key or audience, and a forged header are 401", async () => {
  const claims = { app: "pos", companyId: api.shop.companyId } as const;
  const secret = new TextEncoder().encode(tokenKey);
  const tokens = [
    signServiceToken(tokenKey, claims, new Date(Date.now() - 120_000)),
    signServiceToken("another key that is longer than 32 bytes", claims),
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .setAudience("backend-outbox")
      .setIssuedAt()
      .sign(secret),
  ];
  for (const token of tokens)
    expect((await ask(routes.currentRegister, await bearer(token))).status).toBe(401);
  const forged = { "x-company-id": api.shop.companyId, "x-store-id": api.shop.storeId };
  expect((await ask(routes.currentRegister, forged)).status).toBe(401);
});

test.each(all.filter((route) => route.for === "pos"))(
  "the storefront may not call $method $path",
  async (route) => {
    const token = signServiceToken(tokenKey, { app: "ec", companyId: api.shop.companyId });
    expect((await ask(route, await bearer(token))).status).toBe(401);
  },
);

test.each(all.filter((route) => route.for === "ec"))("the till may not call $method $path", async (route) => {
  const token = signServiceToken(tokenKey, { app: "pos", ...api.shop });
  expect((await ask(route, await bearer(token))).status).toBe(401);
});

test.each(all.filter((route) => route.scope === "staff"))(
  "$method $path needs a staff member, not only a company",
  async (route) => {
    const { companyId, storeId, registerId } = api.shop;
    for (const claims of [{ companyId }, { companyId, storeId, registerId }, {}]) {
      const token = signServiceToken(tokenKey, { app: "pos", ...claims });
      expect((await ask(route, await bearer(token))).status).toBe(401);
    }
  },
);

test("an unknown path is 404, but only for who has a token", async () => {
  const token = signServiceToken(tokenKey, { app: "pos" });
  expect((await api.api.request("/nothing")).status).toBe(401);
  const response = await api.api.request("/nothing", { headers: await bearer(token) });
  expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
});

test("a body that is no JSON, and one of another shape, are 400 and name the field", async () => {
  const headers = {
    ...(await bearer(signServiceToken(tokenKey, { app: "pos", ...api.shop }))),
    "idempotency-key": randomUUID(),
  };
  const json = { ...headers, "content-type": "application/json" };
  for (const [body, sent] of [
    ["{", json],
    ["{}", headers],
  ] as const)
    expect(
      (await api.api.request("/register-sessions", { method: "POST", headers: sent, body })).status,
    ).toBe(400);
  const wrong = await api.api.request("/register-sessions", {
    method: "POST",
    headers: json,
    body: '{"floatYen":-1}',
  });
  expect([wrong.status, await wrong.text()]).toMatchObject([400, expect.stringContaining("floatYen")]);
});

test("the OpenAPI document has every route of the contract", async () => {
  const headers = await bearer(signServiceToken(tokenKey, { app: "pos" }));
  const response = await api.api.request("/openapi.json", { headers });
  const { paths } = (await response.json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const described = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(described.sort()).toEqual(Object.keys(routes).sort());
});
