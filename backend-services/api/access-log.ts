import type { Logger } from "@noren/service";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";

const SAMPLE = 10;

/**
 * One line for a request: always when it failed, each tenth time when it succeeded. The path is the route's pattern:
 * a real path holds order numbers and tokens.
 */
export function accessLog(log: Logger): MiddlewareHandler {
  let succeeded = 0;
  return async (c, next) => {
    const started = performance.now();
    await next();
    const failed = c.res.status >= 400;
    if (!failed && succeeded++ % SAMPLE !== 0) return;
    const ms = Math.round(performance.now() - started);
    log.info({ method: c.req.method, route: routePath(c, -1), status: c.res.status, ms }, "request");
  };
}
