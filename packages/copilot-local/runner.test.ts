import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findRunning } from "./find.ts";
import { start, type Running } from "./index.ts";
import { isFree } from "./ports.ts";
import { eventually, json, tinyWorkspace } from "./testing.ts";

const workspace = tinyWorkspace();
const options = { root: workspace.root, environment: "test", port: 0, freePorts: true };
let running: Running;

beforeAll(async () => {
  running = await start(options);
  await running.ready();
});
afterAll(async () => {
  await running.stop();
  workspace.remove();
});

const portOf = (name: string) => running.state().workloads.find((workload) => workload.name === name)!.port!;
const at = (name: string, path = "") => `http://127.0.0.1:${portOf(name)}${path}`;
const environmentOf = (name: string) => json<Record<string, string>>(at(name, "/env"));

interface Received {
  body: string;
  group: string;
  type?: string;
}

test("it is found by its data folder, and one that does not run is said not to", async () => {
  const folder = join(workspace.root, ".local");
  expect(await findRunning(folder)).toMatchObject({ environment: "test", aws: running.state().aws });
  await expect(findRunning(workspace.root)).rejects.toThrow("no workspace is running");
  // The lock of a process that is gone.
  const dead = join(workspace.root, "dead");
  mkdirSync(dead);
  writeFileSync(
    join(dead, "lock.json"),
    JSON.stringify({ pid: process.pid, startedAt: "before", url: running.url }),
  );
  await expect(findRunning(dead)).rejects.toThrow("no workspace is running");
});

describe("what a workload is given", () => {
  test("the variables of Copilot and of its manifest, merged for the environment, and nothing of the developer's", async () => {
    process.env.COPILOT_LOCAL_TEST_LEAK = "leak";
    const { PATH, HOME, TMPDIR: _, NODE_COMPILE_CACHE, SIGNING_KEY, ...rest } = await environmentOf("web");
    expect(PATH).toContain(join(workspace.root, "node_modules", ".bin"));
    expect(HOME).toBe(process.env.HOME);
    // vitest.config.ts has set it for this process.
    expect(NODE_COMPILE_CACHE).toMatch(/./);
    expect(NODE_COMPILE_CACHE).toBe(process.env.NODE_COMPILE_CACHE);
    expect(SIGNING_KEY).toMatch(/^[\w-]{43}$/);
    expect(rest).toEqual({
      LANG: "C.UTF-8",
      TZ: "UTC",
      AWS_REGION: "eu-north-1",
      AWS_DEFAULT_REGION: "eu-north-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ENDPOINT_URL: running.state().aws.endpoint,
      AWS_ENDPOINT_URL_SESV2: running.url,
      OTEL_SDK_DISABLED: "true",
      COPILOT_APPLICATION_NAME: "tiny",
      COPILOT_ENVIRONMENT_NAME: "test",
      COPILOT_SERVICE_NAME: "web",
      COPILOT_SERVICE_DISCOVERY_ENDPOINT: "test.tiny.local",
      COPILOT_LB_DNS: `127.0.0.1:${portOf("web")}`,
      PORT: String(portOf("web")),
      API_URL: `${at("api")}/v1`,
      OUTSIDE_URL: `${at("partner")}/api`,
      NAME: "api",
      GREETING: "bonjour",
    });
  });

  test("topics by their key with .fifo, exports of the environment's addon, outputs of its own", async () => {
    const variables = await environmentOf("api");
    expect(JSON.parse(variables.COPILOT_SNS_TOPIC_ARNS!)).toEqual({
      "orders.fifo": "arn:aws:sns:eu-north-1:000000000000:tiny-test-api-orders.fifo",
      audit: "arn:aws:sns:eu-north-1:000000000000:tiny-test-api-audit",
    });
    const { host, port } = running.state().database!;
    expect(variables.STORE_HOST).toBe(host);
    expect(variables.STORE_PORT).toBe(String(port));
    expect(variables.LETTERS_NAME).toBe("tiny-test-api-letters");
    expect(variables).not.toHaveProperty("COPILOT_LB_DNS");
    expect(variables).not.toHaveProperty("COPILOT_QUEUE_URI");
  });

  test("a worker its queue", async () => {
    const { COPILOT_QUEUE_URI } = await environmentOf("worker-raw");
    expect(COPILOT_QUEUE_URI).toBe(
      `${running.state().aws.endpoint}/000000000000/tiny-test-worker-raw-EventsQueue.fifo`,
    );
  });

  test("secrets: one value for one name, however the variable is called, in a file that only the owner reads", async () => {
    const { SIGNING_KEY } = await environmentOf("web");
    expect((await environmentOf("api")).KEY).toBe(SIGNING_KEY);
    expect(await json(at("partner"))).toEqual({ key: SIGNING_KEY, to: "post@mail.test.example" });
    const file = join(workspace.root, ".local", "secrets.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      "/copilot/tiny/test/secrets/SIGNING_KEY": SIGNING_KEY,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe("messages", () => {
  test("arrive in order, raw or in SNS's envelope as the patches say, and filtered by attribute", async () => {
    for (const id of ["1", "2", "3"]) await fetch(at("api", `/order?id=${id}`));
    await fetch(at("api", "/order?id=4&type=order.looked_at"));
    const [raw, wrapped] = await Promise.all(
      ["worker-raw", "worker-wrapped"].map((name) =>
        eventually(async () => {
          const received = await json<Received[]>(at(name, "/received"));
          return received.length >= 3 && received;
        }),
      ),
    );
    const bodies = ['{"id":"1"}', '{"id":"2"}', '{"id":"3"}'];
    expect(raw).toEqual(bodies.map((body) => ({ body, group: "g1", type: "order.placed" })));
    expect(
      wrapped!.map(({ body }) => (JSON.parse(body) as { Type: string; Message: string }).Message),
    ).toEqual(bodies);
    expect(JSON.parse(wrapped![0]!.body)).toMatchObject({
      Type: "Notification",
      TopicArn: "arn:aws:sns:eu-north-1:000000000000:tiny-test-api-orders.fifo",
      MessageAttributes: { type: { Type: "String", Value: "order.placed" } },
    });
    expect(wrapped!.every(({ type }) => type === undefined)).toBe(true);
  });

  test("the queues show their settings' effect: topics, dead letters, nothing left", async () => {
    const queue = await eventually(() =>
      running
        .state()
        .queues.find((queue) => queue.workload === "worker-raw" && queue.ready + queue.inFlight === 0),
    );
    expect(queue).toMatchObject({
      fifo: true,
      topics: ["tiny-test-api-orders.fifo"],
      deadLetter: { tries: 3, messages: 0 },
      parked: 4,
      oldestSeconds: null,
    });
  });

  test("what waits for a person is told with its command, what nobody waits for is not", async () => {
    const attention = await eventually(() => {
      const { attention } = running.state();
      return attention.length > 0 && attention;
    });
    expect(attention).toEqual([{ what: "notes", count: 2, command: "look at notes" }]);
  });
});

describe("what happens to a process", () => {
  test("a crash is counted, and the workload started again", async () => {
    const before = running.state().workloads.find(({ name }) => name === "web")!;
    await fetch(at("web", "/crash")).catch(() => {});
    const after = await eventually(() =>
      running
        .state()
        .workloads.find(({ name, crashes, status }) => name === "web" && crashes === 1 && status === "ready"),
    );
    expect(after.pid).not.toBe(before.pid);
    expect(after.lastExit!.reason).toBe("exit code 7");
    expect(running.logs("web").map(({ text }) => text)).toContain(
      "[copilot-local] ended by itself: exit code 7; starts again in 0.5 s",
    );
  });

  test("kill -9 of a worker that waits for messages loses none: the next one goes to the restarted worker at once", async () => {
    const { pid } = running.state().workloads.find(({ name }) => name === "worker-raw")!;
    process.kill(pid!, "SIGKILL");
    await eventually(() =>
      running.state().workloads.find(({ name, crashes }) => name === "worker-raw" && crashes === 1),
    );
    await fetch(at("api", "/order?id=5"));
    // The queue's visibility time-out is 20 s: this would come too late if the dead connection had kept the message.
    const received = await eventually(async () => {
      const found = await json<Received[]>(at("worker-raw", "/received"));
      return found.length > 0 && found;
    }, 15_000);
    expect(received).toEqual([{ body: '{"id":"5"}', group: "g1", type: "order.placed" }]);
  });

  test("a restart over the API is a new process, and a worker that waits for messages ends at once", async () => {
    const before = running.state().workloads.find(({ name }) => name === "worker-wrapped")!;
    const from = Date.now();
    await fetch(`${running.url}/api/workloads/worker-wrapped/restart`, { method: "POST" });
    const after = await eventually(() =>
      running
        .state()
        .workloads.find(
          ({ name, status, pid }) => name === "worker-wrapped" && status === "ready" && pid !== before.pid,
        ),
    );
    expect(after.crashes).toBe(0);
    expect(Date.now() - from).toBeLessThan(7_000);
  });

  test("SNS and SQS crash over the API, and what was waiting there is received", async () => {
    const closed = join(workspace.root, "code", "worker-raw", "closed");
    writeFileSync(closed, "");
    await running.restart("worker-raw");
    await fetch(at("api", "/order?id=8"));
    expect(await json(`${running.url}/api/broker/crash?downMs=100`, { method: "POST" })).toEqual({
      ok: true,
    });
    rmSync(closed);
    const received = await eventually(async () => {
      const found = await json<Received[]>(at("worker-raw", "/received"));
      return found.length > 0 && found;
    });
    expect(received.map(({ body }) => body)).toEqual(['{"id":"8"}']);
  });

  test("a PostgreSQL that was killed recovers and is started again", async () => {
    await fetch(at("api", "/note?text=before"));
    const pidFile = join(workspace.root, ".local", "postgres", "data", "postmaster.pid");
    const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
    process.kill(pid, "SIGKILL");
    await eventually(() => running.state().database!.status === "ready" && !existsSync(`/proc/${pid}`));
    const notes = await eventually(() => json<{ text: string }[]>(at("api", "/notes")));
    expect(notes).toContainEqual({ text: "before" });
  });

  test("a job runs now, tells its result, and not twice at once", async () => {
    const { ok, result } = await running.runJob("job-count");
    expect({ ok, result }).toEqual({ ok: true, result: "exit code 0" });
    expect(running.logs("job-count").map(({ text }) => text)).toContain("counted for job-count");
    const [first, second] = await Promise.all([
      fetch(`${running.url}/api/jobs/job-count/run`, { method: "POST" }),
      fetch(`${running.url}/api/jobs/job-count/run`, { method: "POST" }),
    ]);
    expect(new Set([first.status, second.status])).toEqual(new Set([200, 409]));
    const job = running.state().jobs.find(({ name }) => name === "job-count")!;
    expect(job.runs).toHaveLength(2);
    expect(new Date(job.nextRunAt!).toISOString()).toMatch(/T03:00:00\.000Z$/);
  });
});

describe("mail", () => {
  const ses = () =>
    new SESv2Client({
      region: "eu-north-1",
      endpoint: running.url,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
  const send = (to: string, subject: string) =>
    ses().send(
      new SendEmailCommand({
        FromEmailAddress: "のれん <noren@example.com>",
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: {
            Subject: { Data: subject },
            Body: {
              Text: { Data: "ありがとうございました" },
              Html: { Data: "<p>ありがとうございました</p>" },
            },
          },
        },
      }),
    );

  test("lands in the inbox, readable as text and as HTML that can do nothing", async () => {
    const { MessageId } = await send(
      "shopper@example.com",
      "レシート(のれん堂 本店)をお送りします。長い件名も壊れません",
    );
    const list = await json<{ id: string; subject: string; to: string[]; from: string }[]>(
      `${running.url}/api/mail`,
    );
    expect(list[0]).toMatchObject({
      id: MessageId,
      subject: "レシート(のれん堂 本店)をお送りします。長い件名も壊れません",
      to: ["shopper@example.com"],
      from: "のれん <noren@example.com>",
    });
    expect(await json(`${running.url}/api/mail/${MessageId}`)).toMatchObject({
      text: "ありがとうございました",
    });
    const html = await fetch(`${running.url}/api/mail/${MessageId}/html`);
    expect(html.headers.get("content-security-policy")).toContain("sandbox");
    expect(await html.text()).toContain("<p>ありがとうございました</p>");
  });

  test("for a receipt rule's domain is put in its bucket and handed to its function", async () => {
    const { MessageId } = await send("anyone@mail.test.example", "an order");
    const line = `letter ${MessageId} for anyone@mail.test.example in tiny-test-api-letters as tiny-test-api-Hook`;
    await eventually(() => running.logs("mail-hook").some(({ text }) => text === line));
    const object = await fetch(`${running.state().aws.endpoint}/tiny-test-api-letters/${MessageId}`);
    expect(await object.text()).toContain("To: anyone@mail.test.example");
  });

  test("is handed over again when the function fails", async () => {
    const { MessageId } = await send("anyone@mail.test.example", "fail once");
    await eventually(() =>
      running.logs("mail-hook").some(({ text }) => text.startsWith(`letter ${MessageId}`)),
    );
    expect(running.logs("mail-hook").map(({ text }) => text)).toContain(
      "[copilot-local] invocation failed, again in 1 s: Error: not today",
    );
  });
});

describe("the dashboard's API", () => {
  test("refuses other sites' buttons, and names that only pretend to be this machine", async () => {
    const press = (headers: Record<string, string>) =>
      fetch(`${running.url}/api/jobs/job-count/run?wait=0`, { method: "POST", headers });
    expect((await press({ origin: "https://evil.example" })).status).toBe(403);
    expect((await press({ origin: "null" })).status).toBe(403);
    expect((await press({ origin: running.url })).status).toBe(202);
  });

  test("shows notes of the setup, what has no meaning here, and logs that can be searched", async () => {
    const state = running.state();
    expect(state.notes).toEqual([
      { title: "Sign-in", items: [{ label: "PIN", value: "1234" }], text: "sign in at once" },
    ]);
    expect(state.notices).toContain(
      "Cache (AWS::ElastiCache::ReplicationGroup) has no meaning here (copilot/environments/addons/database.yml:13)",
    );
    expect(state.workloads.find(({ name }) => name === "web")).toMatchObject({
      title: "店",
      url: `${at("web")}/shop`,
      file: "copilot/web/manifest.yml",
    });
    const lines = await json<{ text: string }[]>(`${running.url}/api/logs/web?search=LISTENS`);
    expect(new Set(lines.map(({ text }) => text))).toEqual(new Set(["web listens"]));
    expect((await fetch(`${running.url}/api/logs/nobody`)).status).toBe(404);
    expect(readFileSync(join(workspace.root, ".local", "logs", "web.log"), "utf8")).toContain(
      "web listens\n",
    );
  });
});

describe("stopping and starting again", () => {
  test("leaves no process, no port and no lock; a second start continues with rows, messages, mails and secrets", async () => {
    const key = (await environmentOf("web")).SIGNING_KEY;
    await fetch(at("api", "/note?text=kept"));
    const mails = (await json<unknown[]>(`${running.url}/api/mail`)).length;
    // Two messages of one group while nobody listens to them.
    const before = running.state();
    const ports = before.workloads.flatMap(({ port }) => port ?? []);
    ports.push(
      before.database!.port,
      Number(new URL(before.aws.endpoint).port),
      Number(new URL(running.url).port),
    );
    const api = at("api");
    const closed = ["worker-raw", "worker-wrapped"].map((name) =>
      join(workspace.root, "code", name, "closed"),
    );
    for (const file of closed) writeFileSync(file, "");
    await Promise.all(["worker-raw", "worker-wrapped"].map((name) => running.restart(name)));
    await fetch(`${api}/order?id=6`);
    await fetch(`${api}/order?id=7`);
    await eventually(() => running.state().queues.every(({ ready }) => ready === 2));
    await running.stop();

    expect(await Promise.all(ports.map(isFree))).toEqual(ports.map(() => true));
    const pids = before.workloads.flatMap(({ pid }) => pid ?? []);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(join(workspace.root, ".local", "lock.json"))).toBe(false);

    running = await start(options);
    await running.ready();
    expect((await environmentOf("web")).SIGNING_KEY).toBe(key);
    expect(await json(at("api", "/notes"))).toContainEqual({ text: "kept" });
    expect(await json<unknown[]>(`${running.url}/api/mail`)).toHaveLength(mails);
    for (const file of closed) rmSync(file);
    const received = await eventually(async () => {
      const found = await json<Received[]>(at("worker-raw", "/received"));
      return found.length >= 2 && found;
    });
    expect(received.map(({ body }) => body)).toEqual(['{"id":"6"}', '{"id":"7"}']);
  }, 90_000);
});
