import { InvalidServiceToken, type Route, type ServiceClaims, verifyServiceToken } from "@noren/api-contract";
import { Refusal } from "./refusal.ts";

const unauthorized = () => new Refusal(401, "unauthorized", "サインインし直してください。");

/**
 * The claims of the request's service token. Nothing else about the caller is believed: no header, no parameter, no body.
 * Refuses with 401 whatever is wrong with the token.
 */
export async function authenticate(request: Request, tokenKey: string): Promise<ServiceClaims> {
  const token = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (!token) throw unauthorized();
  try {
    return await verifyServiceToken(tokenKey, token);
  } catch (error) {
    if (error instanceof InvalidServiceToken) throw unauthorized();
    throw error;
  }
}

/** Refuses a caller of the other app, and one whose token does not name what the route's scope demands. */
export function admit(claims: ServiceClaims, route: Route): void {
  if (route.for !== claims.app) throw unauthorized();
  if (route.scope === "none") return;
  if (!claims.companyId) throw unauthorized();
  if (route.scope === "staff" && !(claims.storeId && claims.registerId && claims.staffId))
    throw unauthorized();
}
