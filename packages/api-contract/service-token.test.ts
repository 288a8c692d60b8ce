import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { InvalidServiceToken, signServiceToken, verifyServiceToken } from "./service-token.ts";

const key = "k".repeat(32);
const claims = { app: "pos", companyId: randomUUID(), storeId: randomUUID() } as const;

test("what was signed is read back", async () => {
  expect(await verifyServiceToken(key, await signServiceToken(key, claims))).toEqual(claims);
});

test("a token is refused a minute and its tolerance later", async () => {
  const then = new Date("2026-11-24T00:00:00Z");
  const token = await signServiceToken(key, claims, then);
  expect(await verifyServiceToken(key, token, new Date("2026-11-24T00:00:59Z"))).toEqual(claims);
  await expect(verifyServiceToken(key, token, new Date("2026-11-24T00:01:06Z"))).rejects.toThrow(
    InvalidServiceToken,
  );
});

test("a token of another key, for another audience, or that never ends is refused", async () => {
  const secret = new TextEncoder().encode(key);
  const jwt = () => new SignJWT({ app: "pos" }).setProtectedHeader({ alg: "HS256" });
  const others = [
    await signServiceToken("x".repeat(32), claims),
    await jwt().setAudience("backend-outbox").setIssuedAt().setExpirationTime("60s").sign(secret),
    await jwt().setAudience("backend-api").setExpirationTime("10y").sign(secret),
    await jwt().setAudience("backend-api").setIssuedAt(1).setExpirationTime("10y").sign(secret),
    "not a token",
  ];
  for (const token of others)
    await expect(verifyServiceToken(key, token)).rejects.toThrow(InvalidServiceToken);
});

test("a short key is refused before anything is signed with it", async () => {
  await expect(signServiceToken("short", claims)).rejects.toThrow("at least 32 bytes");
});
