import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** Keys of one purpose, newest first: the first seals, all of them open, so that a rotation logs nobody out. */
export type Keys = { readonly seal: readonly Buffer[]; readonly mac: readonly Buffer[] };

/**
 * Derives the keys of one cookie from `SESSION_KEY`.
 * @param secret one secret or several, newest first, separated by commas; each at least 32 characters
 * @param purpose name of the cookie; cookies of two purposes never open each other
 */
export function keysOf(secret: string, purpose: string): Keys {
  const secrets = secret.split(",").map((part) => part.trim());
  const short = secrets.find((part) => part.length < 32);
  if (short !== undefined)
    throw new Error(
      `SESSION_KEY holds a key of ${short.length} characters: at least 32 are needed. Make one with "openssl rand -hex 32".`,
    );
  const derive = (use: string) =>
    secrets.map((part) => Buffer.from(hkdfSync("sha256", part, "", `noren/${purpose}/${use}`, 32)));
  return { seal: derive("seal"), mac: derive("mac") };
}

/** Encrypts and authenticates a JSON value (AES-256-GCM) into text that fits a cookie. */
export function seal(keys: Keys, value: unknown): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", keys.seal[0]!, iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
  return Buffer.concat([iv, text, cipher.getAuthTag()]).toString("base64url");
}

/** Opens what `seal` made with any of the keys; undefined for anything forged, cut or sealed for another purpose. */
export function unseal(keys: Keys, text: string): unknown {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < 28) return undefined;
  for (const key of keys.seal) {
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(-16));
      const opened = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      return JSON.parse(opened.toString("utf8"));
    } catch {
      // Not this key: the next one may be the older one that sealed it.
    }
  }
  return undefined;
}

/** A token that only the holder of the session `id` can be given. */
export function tokenFor(keys: Keys, id: string): string {
  return createHmac("sha256", keys.mac[0]!).update(`csrf ${id}`).digest("base64url");
}

/** Whether `token` is the session's, under any of the keys, in constant time. */
export function isTokenFor(keys: Keys, id: string, token: string): boolean {
  const given = Buffer.from(token);
  return keys.mac.some((key) => {
    const expected = Buffer.from(createHmac("sha256", key).update(`csrf ${id}`).digest("base64url"));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
