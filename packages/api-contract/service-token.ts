import { SignJWT, jwtVerify } from "jose";
import { z } from "zod";
import { id } from "./values.ts";

const AUDIENCE = "backend-api";
const LIFETIME_SECONDS = 60;

const claims = z.object({
  app: z.enum(["pos", "ec"]),
  companyId: id.optional(),
  storeId: id.optional(),
  registerId: id.optional(),
  staffId: id.optional(),
});

/** In whose name a web app calls: set by the app from its own session, never by a browser. */
export type ServiceClaims = z.infer<typeof claims>;

/** Why a token was refused; the API answers 401 whatever the reason. */
export class InvalidServiceToken extends Error {
  override name = "InvalidServiceToken";
}

/**
 * Signs the claims for one call (HS256, valid 60 seconds, audience `backend-api`).
 * Throws when the key is shorter than 32 bytes: HS256 would then be weaker than its hash.
 */
export async function signServiceToken(key: string, of: ServiceClaims, now = new Date()): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT({ ...claims.parse(of) })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(`${of.app}-web-app`)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME_SECONDS)
    .sign(secret(key));
}

/** The claims of a token, or `InvalidServiceToken`: wrong key, other audience, expired, or not a token at all. */
export async function verifyServiceToken(
  key: string,
  token: string,
  now = new Date(),
): Promise<ServiceClaims> {
  try {
    const { payload } = await jwtVerify(token, secret(key), {
      algorithms: ["HS256"],
      audience: AUDIENCE,
      currentDate: now,
      maxTokenAge: LIFETIME_SECONDS,
      clockTolerance: 5,
    });
    return claims.parse(payload);
  } catch (cause) {
    throw new InvalidServiceToken("The service token was refused.", { cause });
  }
}

function secret(key: string): Uint8Array {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length < 32) throw new Error("SERVICE_TOKEN_KEY must have at least 32 bytes.");
  return bytes;
}
