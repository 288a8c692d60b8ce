import { beforeEach, expect, test } from "vitest";
import { textOf } from "./form.ts";
import { webApp } from "./web-app.ts";

type Data = { name: string };
const key = "a".repeat(32);
const quiet = { error() {}, warn() {} };

let app: ReturnType<typeof make>;
beforeEach(() => {
  app = make(key);
});

function make(sessionKey: string, idleSeconds = 60) {
  const made = webApp<Data>({
    basePath: "/shop",
    sessionKey,
    cookie: { name: "test", idleSeconds, lifeSeconds: 3600, persistent: false },
    script: true,
    errorPage: (c, { status, title }) => c.html(`<h1>${title}</h1>`, status as 400),
    log: quiet,
  });
  made.get("/shop/form", (c) => c.text(c.var.session.csrf));
  made.get("/shop/name", (c) => c.text(c.var.session.data.name ?? "nobody"));
  made.post("/shop/name", async (c) => {
    c.var.session.renew({ name: textOf(await c.req.parseBody(), "name") });
    return c.redirect("/shop/name", 303);
  });
  made.get("/shop/flash", (c) => c.text(c.var.session.takeFlash()?.text ?? "none"));
  made.post("/shop/flash", (c) => {
    c.var.session.flash("ok", "kept");
    return c.body(null, 204);
  });
  made.get("/shop/broken", () => {
    throw new Error("broken on purpose");
  });
  made.get("/shop/assets/x.css", (c) => c.text("body{}"));
  return made;
}

/** A browser of few words: keeps the cookie and the token of the form page. */
async function visitor(of = app, origin = "http://127.0.0.1:9") {
  let cookie = "";
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (cookie) headers.set("cookie", cookie);
    const response = await of.request(`${origin}${path}`, { ...init, headers });
    const set = response.headers.get("set-cookie");
    if (set) cookie = set.split(";")[0]!;
    return response;
  };
  const token = await (await send("/shop/form")).text();
  return {
    send,
    token,
    cookie: () => cookie,
    post: (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      send(path, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { origin, "sec-fetch-site": "same-origin", ...headers },
      }),
  };
}

test.each([
  ["a page", "/shop/name", 200],
  ["a page that does not exist", "/nowhere", 404],
  ["an error", "/shop/broken", 500],
  ["a static file", "/shop/assets/x.css", 200],
])("%s carries every security header", async (_, path, status) => {
  const { headers, status: actual } = await app.request(path);
  expect(actual).toBe(status);
  const policy = headers.get("content-security-policy")!;
  for (const part of [
    "default-src 'none'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ])
    expect(policy).toContain(part);
  expect(policy).toMatch(/script-src 'nonce-[\w+/=]{24}' 'strict-dynamic';/);
  expect(policy).not.toContain("unsafe");
  expect(headers.get("strict-transport-security")).toContain("max-age=63072000");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("referrer-policy")).toBe("same-origin");
  expect(headers.get("permissions-policy")).toContain("camera=()");
});

test("no two pages share a nonce, and pages are not kept by browsers", async () => {
  const [first, second] = await Promise.all([app.request("/shop/name"), app.request("/shop/name")]);
  expect(first.headers.get("content-security-policy")).not.toBe(
    second.headers.get("content-security-policy"),
  );
  expect(first.headers.get("cache-control")).toBe("no-store");
});

test("an app without script lets the browser run none", async () => {
  const bare = webApp({
    sessionKey: key,
    cookie: { name: "bare", idleSeconds: 60, lifeSeconds: 60, persistent: false },
    script: false,
    errorPage: (c, { status }) => c.text("", status as 400),
    log: quiet,
  });
  expect((await bare.request("/")).headers.get("content-security-policy")).toContain("script-src 'none'; ");
});

test("a form of our own page is taken, and its session gets a new id", async () => {
  const { post, send, token, cookie } = await visitor();
  const before = cookie();
  expect((await post("/shop/name", { _csrf: token, name: "花子" })).status).toBe(303);
  expect(cookie()).not.toBe(before);
  expect(await (await send("/shop/name")).text()).toBe("花子");
  // The token belonged to the session that is over.
  expect((await post("/shop/name", { _csrf: token, name: "x" })).status).toBe(403);
});

test.each([
  ["another site", { "sec-fetch-site": "cross-site" }],
  ["another subdomain", { "sec-fetch-site": "same-site" }],
  ["another origin", { origin: "https://evil.example" }],
  ["another port", { origin: "http://127.0.0.1:8" }],
  ["an opaque origin", { origin: "null" }],
])("a form sent from %s is refused although its token is right", async (_, headers) => {
  const { post, token } = await visitor();
  expect((await post("/shop/name", { _csrf: token, name: "x" }, headers)).status).toBe(403);
});

test("without a word about where it comes from, a form is refused", async () => {
  const { send, token } = await visitor();
  const body = new URLSearchParams({ _csrf: token });
  expect((await send("/shop/name", { method: "POST", body })).status).toBe(403);
});

test("no token, another visitor's token and a made-up token are refused", async () => {
  const [mine, other] = [await visitor(), await visitor()];
  for (const fields of [{}, { _csrf: other.token }, { _csrf: "x" }])
    expect((await mine.post("/shop/name", fields as Record<string, string>)).status).toBe(403);
});

test("a script's request carries the token in a header", async () => {
  const { send, token } = await visitor();
  const answer = await send("/shop/flash", {
    method: "POST",
    headers: { origin: "http://127.0.0.1:9", "x-csrf-token": token },
  });
  expect(answer.status).toBe(204);
});

test("a body above 64 kB is refused", async () => {
  const { post, token } = await visitor();
  expect((await post("/shop/name", { _csrf: token, name: "x".repeat(70_000) })).status).toBe(413);
});

test("the cookie is Secure and __Host- over https and on loopback, and works on a plain local network", async () => {
  const set = async (url: string, headers: Record<string, string> = {}) =>
    (await app.request(url, { headers })).headers.get("set-cookie")!;
  for (const url of [
    "http://127.0.0.1:1/shop/form",
    "http://localhost/shop/form",
    "https://shop.example/shop/form",
  ])
    expect(await set(url)).toMatch(/^__Host-test=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  expect(await set("http://10.0.0.5/shop/form", { "x-forwarded-proto": "https" })).toContain("__Host-test=");
  expect(await set("http://192.168.1.20/shop/form")).toMatch(
    /^test=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/,
  );
});

test("who only looks gets no cookie", async () => {
  expect((await app.request("/shop/name")).headers.get("set-cookie")).toBeNull();
  expect((await app.request("/shop/assets/x.css")).headers.get("set-cookie")).toBeNull();
});

test("a changed cookie is nobody's session", async () => {
  const { send, post, token, cookie } = await visitor();
  await post("/shop/name", { _csrf: token, name: "花子" });
  const forged = cookie().slice(0, -4) + (cookie().endsWith("AAAA") ? "BBBB" : "AAAA");
  expect(
    await (await app.request("http://127.0.0.1:9/shop/name", { headers: { cookie: forged } })).text(),
  ).toBe("nobody");
  expect(await (await send("/shop/name")).text()).toBe("花子");
});

test("a key is replaced without logging anybody out", async () => {
  const { post, token, cookie } = await visitor();
  await post("/shop/name", { _csrf: token, name: "花子" });
  const headers = { cookie: cookie() };
  const during = make(`${"b".repeat(32)},${key}`);
  const after = make("b".repeat(32));
  expect(await (await during.request("http://127.0.0.1:9/shop/name", { headers })).text()).toBe("花子");
  expect(await (await after.request("http://127.0.0.1:9/shop/name", { headers })).text()).toBe("nobody");
});

test("an idle session is over", async () => {
  const brief = make(key, 0);
  const { post, send, token } = await visitor(brief);
  expect((await post("/shop/name", { _csrf: token, name: "花子" })).status).toBe(403);
  expect(await (await send("/shop/name")).text()).toBe("nobody");
});

test("a message is shown once", async () => {
  const { post, send, token } = await visitor();
  await post("/shop/flash", { _csrf: token });
  expect(await (await send("/shop/flash")).text()).toBe("kept");
  expect(await (await send("/shop/flash")).text()).toBe("none");
});

test("health answers without session, and a short key stops the start", async () => {
  const health = await app.request("/shop/health");
  expect([health.status, await health.json()]).toEqual([200, { ok: true }]);
  expect(() => make("short")).toThrow("at least 32");
});
