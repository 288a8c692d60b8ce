import { logger } from "@noren/service";
import { expect, test } from "vitest";
import { tillApp } from "./app.tsx";

const app = tillApp({
  basePath: "/pos",
  // Nobody listens there: what is tested here must not need the API, or must say that it is away.
  apiUrl: "http://127.0.0.1:1",
  serviceTokenKey: "t".repeat(32),
  sessionKey: "s".repeat(32),
  log: logger("test", { write() {} }),
});
const own = "http://127.0.0.1";

const routes = app.routes.filter(
  ({ method, path }) => ["GET", "POST"].includes(method) && !path.includes("*"),
);
const path = (pattern: string) => own + pattern.replace(":id", "0193b3a0-0000-7000-8000-000000000000");

test("the list of routes below is not empty and everything lives below /pos", () => {
  expect(routes.length).toBeGreaterThan(12);
  expect(
    routes.map((route) => route.path).filter((each) => each !== "/" && !each.startsWith("/pos")),
  ).toEqual([]);
});

test.each(routes.filter(({ method, path }) => method === "POST" && path !== ""))(
  "$method $path refuses a request from another site",
  async ({ path: pattern }) => {
    const answer = await app.request(path(pattern), {
      method: "POST",
      headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  },
);

const atTheDoor: Record<string, [status: number, location: string | null]> = {
  "/": [302, "/pos/"],
  "/pos": [303, "/pos/sale"],
  "/pos/": [303, "/pos/sale"],
  "/pos/enrol": [200, null],
};

test.each(routes.filter(({ method, path }) => method === "GET" && path !== "/pos/health"))(
  "$method $path carries the headers and leads strangers to the door",
  async ({ path: pattern }) => {
    const answer = await app.request(path(pattern));
    expect(answer.headers.get("content-security-policy")).toContain("'strict-dynamic'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect([answer.status, answer.headers.get("location")]).toEqual(
      atTheDoor[pattern] ?? [303, "/pos/enrol"],
    );
  },
);

test("health answers while the API is away", async () => {
  expect((await app.request(`${own}/pos/health`)).status).toBe(200);
});

test("the till's script is told the door as JSON, not as a page", async () => {
  const answer = await app.request(`${own}/pos/sale/lookup?code=1`, {
    headers: { accept: "application/json" },
  });
  // No device is enrolled: the script must not follow a redirect into HTML.
  expect([answer.status, await answer.json()]).toMatchObject([401, { error: { code: "signed_out" } }]);
});

test("without the API, enrolment says that the server is away instead of failing", async () => {
  const door = await app.request(`${own}/pos/enrol`);
  const cookie = door.headers.get("set-cookie")!.split(";")[0]!;
  const token = /name="_csrf" value="([^"]+)"/.exec(await door.text())![1]!;
  const answer = await app.request(`${own}/pos/enrol`, {
    method: "POST",
    body: new URLSearchParams({ _csrf: token, code: "TILL-1" }),
    headers: { cookie, origin: own, "sec-fetch-site": "same-origin" },
  });
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain("サーバーに接続できません");
});

test("pages carry no inline script, style or handler: the policy would stop them", async () => {
  const html = await (await app.request(`${own}/pos/enrol`)).text();
  expect(html).not.toMatch(/\son\w+=|style="|<style|<script(?![^>]*\bsrc=)/);
});

test("the till's scripts together stay below 150 kB, and come without types", async () => {
  const { scriptAsset } = await import("@noren/web");
  const names = ["sale.browser.ts", "basket.ts", "settle.ts", "keypad.browser.ts", "receipt.browser.ts"];
  const bodies = names.map((name) => scriptAsset(new URL(name, import.meta.url)).body as Buffer);
  expect(bodies.reduce((sum, body) => sum + body.length, 0)).toBeLessThan(150_000);
  for (const body of bodies) expect(body.toString()).not.toMatch(/^\s*(import type|type |interface )/m);
});
