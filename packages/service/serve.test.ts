import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { healthServer } from "./health.ts";
import { logger } from "./logger.ts";
import { serve } from "./serve.ts";

const log = logger("test", { write: () => {} });

test("a running request finishes while close() already refuses new connections", async () => {
  let release!: () => void;
  let entered!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  const inside = new Promise<void>((resolve) => (entered = resolve));
  const server = await serve({
    port: 0,
    host: "127.0.0.1",
    log,
    fetch: async () => {
      entered();
      await held;
      return new Response("done");
    },
  });
  const url = `http://127.0.0.1:${server.port}/`;
  const running = fetch(url).then((response) => response.text());
  await inside;
  const closed = server.close();
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  release();
  expect(await running).toBe("done");
  await closed;
});

test("a request that never ends is cut after the grace time", async () => {
  const server = await serve({
    port: 0,
    host: "127.0.0.1",
    log,
    graceMs: 50,
    fetch: () => new Promise<Response>(() => {}),
  });
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n", resolve));
  const gone = once(socket, "close");
  await server.close();
  await expect(gone).resolves.toEqual([false]);
});

test("a taken port is one sentence with the address in it", async () => {
  const first = await serve({ port: 0, host: "127.0.0.1", log, fetch: () => new Response() });
  await expect(
    serve({ port: first.port, host: "127.0.0.1", log, fetch: () => new Response() }),
  ).rejects.toThrow(`Cannot listen on 127.0.0.1:${first.port}: another process listens there`);
  await first.close();
});

test("health is 200 when the check says ok, 503 when it says no, throws or does not answer", async () => {
  let check: () => Promise<{ ok: boolean; detail?: object }> | { ok: boolean; detail?: object } = () => ({
    ok: true,
    detail: { shards: 64 },
  });
  const server = await healthServer({ port: 0, log, timeoutMs: 50, check: () => check() });
  const get = async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/health`);
    return { status: response.status, body: await response.json() };
  };
  expect(await get()).toEqual({ status: 200, body: { ok: true, shards: 64 } });
  check = () => ({ ok: false, detail: { error: "no database" } });
  expect(await get()).toEqual({ status: 503, body: { ok: false, error: "no database" } });
  check = () => {
    throw new Error("boom");
  };
  expect(await get()).toEqual({ status: 503, body: { ok: false, error: "boom" } });
  check = () => new Promise(() => {});
  expect(await get()).toMatchObject({ status: 503, body: { ok: false } });
  const elsewhere = await fetch(`http://127.0.0.1:${server.port}/`);
  expect(elsewhere.status).toBe(404);
  await server.close();
});
