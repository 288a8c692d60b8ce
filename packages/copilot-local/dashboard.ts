import { serve, type ServerType } from "@hono/node-server";
import { Hono } from "hono";
import { readable, type LogLine } from "./logs.ts";
import { readSendEmail, type Envelope, type Mailbox } from "./mail.ts";
import { assets, page } from "./page.ts";
import type { State } from "./state.ts";

export interface DashboardOptions {
  port: number;
  state: () => State;
  /** Undefined when there is nothing of that name. */
  logs: (name: string, query: { count: number; after: number; search: string }) => LogLine[] | undefined;
  has: { service(name: string): boolean; job(name: string): boolean };
  restart(name: string): Promise<void>;
  runJob(name: string): Promise<unknown>;
  crashBroker(downMs: number): Promise<void>;
  mailbox: Mailbox;
  /** A mail was sent through SES. */
  deliver(mail: Envelope): Promise<void>;
}

export interface Dashboard {
  close(): Promise<void>;
}

/** One page, the same as JSON, and SES's SendEmail, on the loopback only. */
export async function serveDashboard(options: DashboardOptions): Promise<Dashboard> {
  const app = dashboardApp(options);
  let server!: ServerType;
  await new Promise<void>((listening, fail) => {
    server = serve({ fetch: app.fetch, port: options.port, hostname: "127.0.0.1" }, () => listening());
    server.once("error", fail);
  });
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

function dashboardApp(options: DashboardOptions): Hono {
  const { state, logs, has, mailbox } = options;
  const own = new Set([`127.0.0.1:${options.port}`, `localhost:${options.port}`]);
  const app = new Hono();

  app.use(async (c, next) => {
    // A page of another site must not press our buttons, and a name that somebody pointed at 127.0.0.1 (DNS
    // rebinding) must not read our data. Programs on this machine send no Origin.
    const origin = c.req.header("origin");
    if (
      !own.has(c.req.header("host") ?? "") ||
      (origin !== undefined && !own.has(origin.replace(/^http:\/\//, "")))
    ) {
      return c.json({ error: "このアドレスからは使えません" }, 403);
    }
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
    return next();
  });

  app.get("/", (c) => {
    c.header(
      "content-security-policy",
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    return c.html(page(state()));
  });
  for (const [name, { type, body }] of Object.entries(assets)) {
    app.get(`/${name}`, (c) => c.body(body, 200, { "content-type": type }));
  }
  app.get("/api/state", (c) => c.json(state()));
  app.get("/api/logs/:name", (c) => {
    const { count, after, search } = c.req.query();
    const lines = logs(c.req.param("name"), {
      count: Math.min(Number(count) || 200, 2_000),
      after: Number(after) || 0,
      search: search ?? "",
    });
    return lines
      ? c.json(lines.map((entry) => ({ ...entry, line: readable(entry.text) })))
      : c.json({ error: "その名前のログはありません" }, 404);
  });
  app.post("/api/workloads/:name/restart", async (c) => {
    const name = c.req.param("name");
    if (!has.service(name)) return c.json({ error: "その名前のワークロードはありません" }, 404);
    await options.restart(name);
    return c.json({ ok: true });
  });
  app.post("/api/broker/crash", async (c) => {
    await options.crashBroker(Math.min(Number(c.req.query("downMs")) || 0, 600_000));
    return c.json({ ok: true });
  });
  app.post("/api/jobs/:name/run", async (c) => {
    const name = c.req.param("name");
    if (!has.job(name)) return c.json({ error: "その名前のジョブはありません" }, 404);
    if (state().jobs.find((job) => job.name === name)?.running) return c.json({ error: "実行中です" }, 409);
    if (state().status === "starting" && state().waitingFor !== "the workloads") {
      return c.json({ error: "準備が終わるまで待ってください" }, 409);
    }
    const run = options.runJob(name);
    // Answers with the run's end; the page is content to know that it began.
    if (c.req.query("wait") === "0") {
      run.catch(() => {});
      return c.json({ ok: true }, 202);
    }
    return c.json(await run);
  });
  app.get("/api/mail", (c) => c.json(mailbox.list()));
  app.get("/api/mail/:id", async (c) => {
    const mail = await mailbox.read(c.req.param("id"));
    return mail ? c.json(mail) : c.json({ error: "そのメールはありません" }, 404);
  });
  app.get("/api/mail/:id/raw", (c) => {
    const raw = mailbox.raw(c.req.param("id"));
    if (!raw) return c.json({ error: "そのメールはありません" }, 404);
    return c.body(new Uint8Array(raw), 200, { "content-type": "text/plain; charset=utf-8" });
  });
  app.get("/api/mail/:id/html", async (c) => {
    const mail = await mailbox.read(c.req.param("id"));
    if (!mail) return c.json({ error: "そのメールはありません" }, 404);
    // Whatever a mail brings along: nothing of it runs, nothing is fetched.
    c.header(
      "content-security-policy",
      "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    );
    return c.html(mail.html);
  });

  app.post("/v2/email/outbound-emails", async (c) => {
    let mail: Envelope;
    try {
      mail = await readSendEmail(await c.req.json());
    } catch (error) {
      return c.json({ message: (error as Error).message }, 400, {
        "x-amzn-errortype": "BadRequestException",
      });
    }
    await options.deliver(mail);
    return c.json({ MessageId: mail.id });
  });
  app.all("/v2/*", (c) =>
    c.json({ message: "Only SendEmail is answered here." }, 404, { "x-amzn-errortype": "NotFoundException" }),
  );
  return app;
}
