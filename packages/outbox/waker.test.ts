import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { brittlePipe, testOutbox } from "./testing.ts";
import type { TestOutbox } from "./testing.ts";
import { waker } from "./waker.ts";

let outbox: TestOutbox;
beforeAll(async () => {
  outbox = await testOutbox();
});
afterAll(() => outbox.close());

const until = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000, interval: 10 });

async function listening() {
  const heard = vi.fn<() => void>();
  const listener = await outbox.client();
  listener.on("notification", heard);
  await listener.query("listen outbox");
  return heard;
}

test.each([
  ["in the middle of a notification", 1],
  ["while it connects", 0],
])("a database that answers no more does not keep close() waiting, %s", async (_, before) => {
  const heard = await listening();
  const pipe = await brittlePipe(outbox.server.port);
  const url = outbox.url.replace(String(outbox.server.port), String(pipe.port));
  const wake = waker(() => new Client({ connectionString: url }));
  if (before > 0) {
    wake.wake();
    await until(() => heard.mock.calls.length).toBe(1);
  }
  pipe.swallow();
  wake.wake();
  await wake.close();
  pipe.close();
  expect(heard.mock.calls.length).toBe(before);
});

test("a connection that ends late does not take its successor with it", async () => {
  const heard = await listening();
  const clients: Client[] = [];
  const wake = waker(() => {
    const fresh = outbox.connect();
    clients.push(fresh);
    return fresh;
  });
  wake.wake();
  await until(() => heard.mock.calls.length).toBe(1);
  clients[0]?.emit("error", new Error("cut"));
  wake.wake();
  await until(() => heard.mock.calls.length).toBe(2);
  clients[0]?.emit("end");
  wake.wake();
  await until(() => heard.mock.calls.length).toBe(3);
  expect(clients.length).toBe(2);
  await wake.close();
});
