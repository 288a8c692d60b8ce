import { logger } from "@noren/service";
import { expect, test } from "vitest";
import { shopApp } from "./app.tsx";

const app = shopApp({
  // Nobody listens there: what is tested here must not need the API, or must say that it is away.
  apiUrl: "http://127.0.0.1:1",
  companyCode: "noren-do",
  serviceTokenKey: "t".repeat(32),
  sessionKey: "s".repeat(32),
  log: logger("test", { write() {} }),
});
const own = "http://127.0.0.1";
const routes = app.routes.filter(
  ({ method, path }) => ["GET", "POST"].includes(method) && !path.includes("*"),
);
const path = (pattern: string) =>
  own + pattern.replace(":itemId", "0193b3a0-0000-7000-8000-000000000000").replace(":no", "N-1");

test("the list of routes below is whole", () => {
  expect(routes.map((route) => `${route.method} ${route.path}`).sort()).toEqual([
    "GET /",
    "GET /cart",
    "GET /checkout",
    "GET /checkout/confirm",
    "GET /health",
    "GET /orders/:no",
    "GET /p/:itemId",
    "POST /cart",
    "POST /cart/update",
    "POST /checkout",
    "POST /checkout/confirm",
  ]);
});

test.each(routes.filter(({ method }) => method === "POST"))(
  "$method $path refuses a request from another site",
  async ({ path: pattern }) => {
    const answer = await app.request(path(pattern), {
      method: "POST",
      headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("content-security-policy")).toContain("script-src 'none'");
  },
);

const withoutApi: Record<string, [status: number, location: string | null, says: string]> = {
  "/checkout": [303, "/cart", ""],
  "/checkout/confirm": [303, "/cart", ""],
  "/orders/:no": [404, null, "ページが見つかりません"],
};

test.each(routes.filter(({ method, path }) => method === "GET" && path !== "/health"))(
  "$method $path carries the headers and, without the API, a page that says what to do",
  async ({ path: pattern }) => {
    const answer = await app.request(path(pattern));
    expect(answer.headers.get("content-security-policy")).toContain("script-src 'none'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const html = await answer.text();
    expect(html).not.toMatch(/<script|\son\w+=|style="|<style/);
    const [status, location, says] = withoutApi[pattern] ?? [503, null, "買い物かごの中身は残っています"];
    expect([answer.status, answer.headers.get("location")]).toEqual([status, location]);
    expect(html).toContain(says);
  },
);

test("health answers while the API is away", async () => {
  expect((await app.request(`${own}/health`)).status).toBe(200);
});
