import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(argon2);
// OWASP's smallest recommended argon2id: 19 MiB, two passes, one lane; about 25 ms.
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

/** A PIN's hash for `staff.pin_hash`, in PHC form; `salt` only for deterministic demo data. */
export async function hashPin(pin: string, salt: Uint8Array = randomBytes(16)): Promise<string> {
  const tag = await derive("argon2id", { message: pin, nonce: salt, ...cost });
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(salt)}$${text(tag)}`;
}

/**
 * Whether the PIN is the one that was hashed. Without a hash (unknown staff) it takes the same time and says no, so
 * that an answer's time does not tell which staff codes exist.
 */
export async function verifyPin(pin: string, hash: string | undefined): Promise<boolean> {
  const [, , , parameters, salt, tag] = (hash ?? unknown).split("$");
  const numbers = /^m=(\d+),t=(\d+),p=(\d+)$/.exec(parameters ?? "");
  if (!numbers || !salt || !tag)
    throw new Error("A stored PIN hash is not in the form $argon2id$v=19$m=…,t=…,p=…$salt$tag.");
  const expected = Buffer.from(tag, "base64");
  const actual = await derive("argon2id", {
    message: pin,
    nonce: Buffer.from(salt, "base64"),
    memory: Number(numbers[1]),
    passes: Number(numbers[2]),
    parallelism: Number(numbers[3]),
    tagLength: expected.length,
  });
  return timingSafeEqual(actual, expected) && hash !== undefined;
}

const unknown = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${Buffer.alloc(16).toString("base64")}$${Buffer.alloc(32).toString("base64")}`;
