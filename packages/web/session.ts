import { randomBytes } from "node:crypto";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { isTokenFor, type Keys, seal, tokenFor, unseal } from "./seal.ts";

export type Flash = { kind: "ok" | "warning" | "error"; text: string };

type Stored = { id: string; born: number; seen: number; data: unknown; flash?: Flash };

export type SessionRules = {
  /** Cookie name without prefix, e.g. `noren-pos`. */
  name: string;
  keys: Keys;
  /** Seconds without a request after which the session is over. */
  idleSeconds: number;
  /** Seconds after its birth at which the session is over in any case. */
  lifeSeconds: number;
  /** Whether the cookie outlives the browser (a cart) or not (a till). */
  persistent: boolean;
};

/** Rewriting the cookie at each request would be waste; a minute is precise enough for idle limits of half an hour. */
const seenStepMs = 60_000;

/**
 * The visitor's session. Everything is in one sealed cookie: the process keeps nothing, so any task can answer.
 * `data` is the app's; change it and the cookie follows at the end of the request.
 */
export class Session<Data extends object> {
  data: Partial<Data>;
  #stored: Stored;
  readonly #before: string;
  readonly #keys: Keys;
  #wanted: boolean;

  constructor(stored: Stored | undefined, keys: Keys, now: number) {
    this.#keys = keys;
    this.#wanted = stored !== undefined;
    this.#stored = stored ?? { id: newId(), born: now, seen: now, data: {} };
    this.data = structuredClone(this.#stored.data) as Partial<Data>;
    this.#before = JSON.stringify(stored ?? null);
  }

  /** The token that each form carries; asking for it makes the session stay. */
  get csrf(): string {
    this.#wanted = true;
    return tokenFor(this.#keys, this.#stored.id);
  }

  owns(token: string): boolean {
    return isTokenFor(this.#keys, this.#stored.id, token);
  }

  /** Starts a new session with a new id: at sign-in and sign-out, so that an id learned before is worth nothing after. */
  renew(data: Partial<Data>): void {
    const now = Date.now();
    this.#stored = { id: newId(), born: now, seen: now, data: {} };
    this.data = data;
  }

  /** A message for the next page. */
  flash(kind: Flash["kind"], text: string): void {
    this.#stored.flash = { kind, text };
  }

  takeFlash(): Flash | undefined {
    const { flash } = this.#stored;
    delete this.#stored.flash;
    return flash;
  }

  /** What to store, or undefined when the cookie is right as it is. */
  changed(now: number): Stored | undefined {
    const next: Stored = { ...this.#stored, data: this.data };
    const hasContent = Object.keys(this.data).length > 0 || next.flash !== undefined;
    if (!this.#wanted && !hasContent) return undefined;
    if (JSON.stringify(next) === this.#before && now - next.seen < seenStepMs) return undefined;
    return { ...next, seen: now };
  }
}

/**
 * `Secure` and the `__Host-` prefix wherever the browser will take them: https, and loopback, which browsers trust.
 * Only a plain-http address of the local network (a tablet trying a laptop's till) goes without.
 */
function isTrustworthy(c: Context): boolean {
  if (c.req.header("x-forwarded-proto") === "https") return true;
  const url = new URL(c.req.url);
  return url.protocol === "https:" || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}

export function openSession<Data extends object>(c: Context, rules: SessionRules): Session<Data> {
  const now = Date.now();
  const text = isTrustworthy(c) ? getCookie(c, rules.name, "host") : getCookie(c, rules.name);
  const stored = text ? (unseal(rules.keys, text) as Stored | undefined) : undefined;
  const alive =
    stored !== undefined &&
    now - stored.seen < rules.idleSeconds * 1000 &&
    now - stored.born < rules.lifeSeconds * 1000;
  return new Session<Data>(alive ? stored : undefined, rules.keys, now);
}

export function keepSession(c: Context, session: Session<object>, rules: SessionRules): void {
  const stored = session.changed(Date.now());
  if (!stored) return;
  setCookie(c, rules.name, seal(rules.keys, stored), {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    ...(isTrustworthy(c) ? { secure: true, prefix: "host" as const } : {}),
    ...(rules.persistent ? { maxAge: Math.min(rules.idleSeconds, 400 * 86_400) } : {}),
  });
}

function newId(): string {
  return randomBytes(32).toString("base64url");
}
