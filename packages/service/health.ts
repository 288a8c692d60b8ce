import { serve } from "./serve.ts";
import type { Served } from "./serve.ts";
import type { Logger } from "./logger.ts";

export type Health = { ok: boolean; detail?: object };

export type HealthServerOptions = {
  port: number;
  /** 127.0.0.1 unless told: only the container's own health check asks. */
  host?: string;
  /** "Can you work?" Throwing, or no answer within `timeoutMs`, is a no. */
  check: () => Promise<Health> | Health;
  log: Logger;
  /** Default 2000. Copilot's default health check waits 5 s for the whole command, so keep it well below. */
  timeoutMs?: number;
};

/** Serves `GET /health` for a process that has no other HTTP: 200 when `check` says ok, 503 otherwise, body JSON. */
export function healthServer({
  port,
  host = "127.0.0.1",
  check,
  log,
  timeoutMs = 2000,
}: HealthServerOptions): Promise<Served> {
  let before: boolean | undefined;

  async function answer(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/health") return new Response("not found\n", { status: 404 });
    const health = await within(timeoutMs, check);
    if (health.ok !== before) {
      // Only the change is news; the question comes every few seconds.
      if (!health.ok) log.warn({ health: health.detail }, "not healthy");
      else if (before === false) log.info("healthy again");
      before = health.ok;
    }
    return Response.json({ ok: health.ok, ...health.detail }, { status: health.ok ? 200 : 503 });
  }

  return serve({ port, host, fetch: answer, log, graceMs: 500 });
}

async function within(timeoutMs: number, check: () => Promise<Health> | Health): Promise<Health> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Health>((resolve) => {
    timer = setTimeout(
      () => resolve({ ok: false, detail: { error: `no answer within ${timeoutMs} ms` } }),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([(async () => check())(), late]);
  } catch (error) {
    return { ok: false, detail: { error: error instanceof Error ? error.message : String(error) } };
  } finally {
    clearTimeout(timer);
  }
}
