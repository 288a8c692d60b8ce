import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import { apiClient, signServiceToken } from "@noren/api-contract";
import { newId } from "@noren/events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, openApi, tokenKey } from "./testing.ts";

// What runs in a container is one bundled file: what bundling may break is tried here, on that file.

const root = join(import.meta.dirname, "../..");
let api: Api;
let folder: string;
let bundle: ChildProcess | undefined;

beforeAll(async () => {
  api = await openApi();
  folder = await mkdtemp(join(tmpdir(), "noren-bundle-"));
  await promisify(execFile)(process.execPath, ["bundle.mjs", "backend-services/api", folder], { cwd: root });
});
afterAll(async () => {
  bundle?.kill("SIGKILL");
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

test("the bundle serves, goes on with its caller's trace, and hands it to the events it writes", async () => {
  type Span = { name: string; traceId: string; parentSpanId: string; kind: number };
  const spans: Span[] = [];
  const collector = createServer(async (request, response) => {
    const body = (await json(request)) as {
      resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
    };
    spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)));
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(collector, "listening");

  const { host, port, name } = api.testing.settings;
  const started = spawn(process.execPath, [join(folder, "main.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      COPILOT_SERVICE_NAME: "backend-api",
      PORT: "0",
      SERVICE_TOKEN_KEY: tokenKey,
      AWS_REGION: "ap-northeast-1",
      DATABASE_HOST: host,
      DATABASE_PORT: String(port),
      DATABASE_NAME: name,
      DATABASE_USER: "backend_api",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    },
  });
  bundle = started;
  const closed = once(started, "close");
  const listening = await new Promise<number>((resolve, reject) => {
    started.stdout.setEncoding("utf8").on("data", (text: string) => {
      const found = /"port":(\d+)[^\n]*"msg":"listening"/.exec(text);
      if (found) resolve(Number(found[1]));
    });
    void closed.then(() => reject(new Error("The bundle ended before it listened.")));
  });

  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const shopper = apiClient({
    baseUrl: `http://127.0.0.1:${listening}`,
    token: () => signServiceToken(tokenKey, { app: "ec", companyId: api.shop.companyId }),
    fetch(request) {
      request.headers.set("traceparent", `00-${traceId}-b7ad6b7169203331-01`);
      return fetch(request);
    },
  });
  const orderId = newId();
  await shopper.placeOrder({
    body: {
      orderId,
      lines: [{ itemId: api.shop.itemId, condition: "A", qty: 1 }],
      shipTo: {
        name: "山田花子",
        postalCode: "530-0001",
        prefecture: "大阪府",
        city: "大阪市北区",
        line1: "梅田1-1",
        phone: "06-1234-5678",
      },
      email: "hanako@example.com",
      method: "bank_transfer",
    },
  });
  started.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
  collector.close();

  expect(spans).toMatchObject([{ name: "POST", traceId, parentSpanId: "b7ad6b7169203331", kind: 2 }]);
  const [event] = await api.rows<{ traceparent: string }>(
    "select traceparent from outbox where type = 'order.placed' and group_id = $1",
    [orderId],
  );
  expect(event?.traceparent).toContain(traceId);
});
