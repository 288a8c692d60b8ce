import { type Route, type ServiceClaims, errorBody, routes } from "@noren/api-contract";
import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { type Database, type Tx, inCompany } from "@noren/database";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import { accessLog } from "./access-log.ts";
import { admit, authenticate } from "./caller.ts";
import { idempotencyKey, once } from "./once.ts";
import type { CompanyCaller, Services } from "./operation.ts";
import { again } from "./again.ts";
import { operations } from "./operations.ts";
import { Refusal, notFound } from "./refusal.ts";

export type AppOptions = Services & {
  database: Database;
  /** Called after each commit that may have written events, so that the relay need not wait for its next poll. */
  wake: () => void;
};

type ApiEnv = { Variables: { claims: ServiceClaims } };

/**
 * backend-api as a Hono app: every route of the contract, `GET /openapi.json`, and nothing else.
 * All but `/health` need a service token.
 */
export function app(options: AppOptions): OpenAPIHono<ApiEnv> {
  const hono = new OpenAPIHono<ApiEnv>({
    defaultHook: (parsed) => {
      if (!parsed.success) throw invalid(parsed.error);
    },
  });
  hono.onError((error, c) => refused(error, c, options));
  hono.notFound((c) => refused(notFound("その操作はありません。"), c, options));
  hono.use(accessLog(options.log));
  hono.use(async (c, next) => {
    if (c.req.path !== routes.health.path) c.set("claims", await authenticate(c.req.raw, options.tokenKey));
    await next();
  });
  for (const name of Object.keys(routes) as (keyof typeof routes)[]) register(hono, name, options);
  hono.openAPIRegistry.registerComponent("securitySchemes", "serviceToken", {
    type: "http",
    scheme: "bearer",
  });
  hono.doc31("/openapi.json", { openapi: "3.1.0", info: { title: "Noren backend-api", version: "1" } });
  return hono;
}

function register(hono: OpenAPIHono<ApiEnv>, name: keyof typeof routes, options: AppOptions): void {
  const route: Route = routes[name];
  // The table is typed operation by operation; here they are all alike.
  const run = operations[name] as (ask: object) => Promise<unknown>;
  const { database, wake, ...services } = options;

  hono.openapi(described(name, route), async (c) => {
    const valid = (part: string) => c.req.valid(part as never);
    const parts = {
      services,
      ...(route.params ? { params: valid("param") } : {}),
      ...(route.query ? { query: valid("query") } : {}),
      ...(route.body ? { body: valid("json") } : {}),
    };
    const answer = await answered(c, parts);
    return c.json(route.answer.parse(answer) as object, route.status);
  });

  async function answered(c: Context<ApiEnv>, parts: { body?: unknown }): Promise<unknown> {
    if (route.scope === "none") return run({ ...parts, database });
    const caller = c.var.claims as CompanyCaller;
    // Staff write in the store they stand in, whatever an operation may overlook; they read in all of the company's.
    const limits = route.scope === "staff" && caller.storeId ? { storeIds: [caller.storeId] } : {};
    const within = <T>(work: (tx: Tx) => Promise<T>) => inCompany(database, caller.companyId, work, limits);
    if (!route.once) return within((tx) => run({ ...parts, caller, tx }));
    const { body } = parts;
    const key = idempotencyKey(c.req.raw, route, body);
    const write = { route: name, key, body, caller, anchored: route.once !== "header" };
    const answer = await again(() => within((tx) => once(tx, write, () => run({ ...parts, caller, tx }))));
    wake();
    return answer;
  }
}

function described(name: string, route: Route) {
  const json = (schema: z.ZodType) => ({ content: { "application/json": { schema } } });
  return createRoute({
    method: route.method,
    path: route.path,
    operationId: name,
    summary: route.summary,
    ...(route.for === "anyone" ? {} : { security: [{ serviceToken: [] }], middleware: admits(route) }),
    request: {
      ...(route.params ? { params: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
      ...(route.body ? { body: { ...json(route.body), required: true } } : {}),
      ...(route.once ? { headers: z.object({ "idempotency-key": z.uuid().optional() }) } : {}),
    },
    responses: {
      [route.status]: { description: "Done", ...json(route.answer) },
      default: { description: "Refused; `code` says why", ...json(errorBody) },
    },
  });
}

/** Runs before the input is read: who may not call learns nothing about what a call takes. */
const admits = (route: Route) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    admit(c.var.claims, route);
    await next();
  });

function invalid(error: z.ZodError): Refusal {
  const where = error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ");
  return new Refusal(400, "invalid_request", `入力を確かめてください。(${where})`);
}

function refused(error: Error, c: Context, { log }: AppOptions): Response {
  const refusal = asRefusal(error);
  if (!refusal) {
    log.error({ err: error, method: c.req.method, route: routePath(c, -1) }, "request failed");
    const message = "サーバーでエラーが起きました。もう一度お試しください。";
    return c.json({ error: { code: "internal", message } }, 500);
  }
  if (refusal.code === "in_flight") c.header("Retry-After", "1");
  return c.json({ error: { code: refusal.code, message: refusal.message } }, refusal.status);
}

/** Hono's own exceptions (a body that is no JSON, or is not said to be) are refusals too. */
function asRefusal(error: Error): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (!(error instanceof HTTPException) || error.status >= 500) return undefined;
  return new Refusal(400, "invalid_request", "入力を読み取れませんでした。");
}
