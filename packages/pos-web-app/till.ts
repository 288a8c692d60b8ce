import { type ApiClient, apiClient, type ServiceClaims, signServiceToken } from "@noren/api-contract";
import { tracedFetch } from "@noren/service";
import type { Assets, WebEnv } from "@noren/web";
import type { Context, MiddlewareHandler } from "hono";

/** What the till's sealed cookie holds: to which register this device belongs, and who stands at it. */
export type TillData = {
  device: { token: string; company: string; store: string; register: string };
  staff: {
    name: string;
    role: "owner" | "manager" | "clerk";
    claims: { companyId: string; storeId: string; registerId: string; staffId: string };
    since: number;
    seen: number;
  };
};

export type TillEnv = WebEnv<TillData> & { Variables: { till: Till } };
export type TillContext = Context<TillEnv>;

/** What every page of the till can use. */
export type Till = {
  basePath: string;
  files: Assets;
  /** A client that calls in the name of who is signed in; each call signs its own 60-second token. */
  api(c: TillContext): ApiClient;
};

export type TillOptions = { basePath: string; apiUrl: string; serviceTokenKey: string };

const idleMs = 30 * 60_000;
const shiftMs = 12 * 3_600_000;

export function till(options: TillOptions, files: Assets): Till {
  return {
    basePath: options.basePath,
    files,
    api(c) {
      const claims: ServiceClaims = { app: "pos", ...c.var.session.data.staff?.claims };
      return apiClient({
        baseUrl: options.apiUrl,
        token: () => signServiceToken(options.serviceTokenKey, claims),
        fetch: tracedFetch,
      });
    },
  };
}

/** Lets in only who may: an enrolled device, with somebody signed in who was here within the half hour. */
export const signedIn: MiddlewareHandler<TillEnv> = async (c, next) => {
  const { session, till } = c.var;
  if (!session.data.device) return leave(c, `${till.basePath}/enrol`);
  const { staff } = session.data;
  const now = Date.now();
  if (!staff || now - staff.seen > idleMs || now - staff.since > shiftMs) {
    if (staff) {
      session.renew({ device: session.data.device });
      session.flash("warning", "しばらく操作がなかったため、サインアウトしました。");
    }
    return leave(c, `${till.basePath}/sign-in`);
  }
  if (now - staff.seen > 60_000) staff.seen = now;
  return next();
};

/** A page goes to the door; the till's script is told where the door is and keeps its basket. */
function leave(c: TillContext, door: string): Response {
  if (c.req.header("accept") === "application/json")
    return c.json(
      { error: { code: "signed_out", message: "サインインし直してください。会計の内容は残っています。" } },
      401,
    );
  return c.redirect(door, 303);
}
