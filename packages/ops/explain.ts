import { Refusal } from "./refusal.ts";

type Hints = { message: string; hint?: string };

/**
 * An error of AWS or of the database in words that say what to type; another one as it is. What was begun in the database
 * is rolled back in every case.
 */
export function explain(error: unknown, target = "the environment"): unknown {
  if (!(error instanceof Error) || error instanceof Refusal) return error;
  const found = aws(error) ?? database(error, target) ?? network(error, target);
  return found ? new Refusal(found.message, found.hint, { cause: error }) : error;
}

function aws(error: Error): Hints | undefined {
  const { name, message } = error;
  if (/region is missing/i.test(message))
    return {
      message: "no AWS region is set.",
      hint: "AWS_REGION=ap-northeast-1, or a profile that has one.",
    };
  if (
    /Credentials|Token(Provider|Refresh)|ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|RequestExpired/.test(
      name,
    )
  )
    return {
      message: `AWS does not know who is asking: ${message}`,
      hint: "Log in again (`aws sso login`), then `aws sts get-caller-identity` says who you are.",
    };
  if (/AccessDenied|UnauthorizedOperation|NotAuthorized/.test(name))
    return {
      message: `AWS refused: ${message}`,
      hint: "Assume the role noren-<environment>-operator; `aws sts get-caller-identity` says who you are.",
    };
  if (/NonExistentQueue|QueueDoesNotExist/.test(name))
    return { message: `the queue is gone: ${message}`, hint: "Was its stack just taken away or replaced?" };
  if (/Throttl|TooManyRequests|RequestLimitExceeded/.test(name))
    return { message: `AWS is asked too often: ${message}`, hint: "Try again in a minute." };
  return "$fault" in error ? { message: `AWS answered ${name}: ${message}` } : undefined;
}

/** By PostgreSQL's own codes; `pg` gives no others. */
function database(error: Error, target: string): Hints | undefined {
  const { code, message } = error as Error & { code?: unknown };
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  const said = (what: string) => `${what}: ${message}`;
  if (code.startsWith("28"))
    return {
      message: said(`the database of ${target} refuses the login`),
      hint: "An IAM token lives for 15 minutes and belongs to the role noren-<environment>-operator: log in again.",
    };
  if (code === "42501")
    return {
      message: said("the operator's role may not do that"),
      hint: "Has this release been migrated there?",
    };
  if (code === "42P01" || code === "42703" || code === "42883")
    return {
      message: said(`the database of ${target} has another schema than this checkout`),
      hint: "Use the checkout of the release that is deployed there.",
    };
  if (code === "57014") return { message: said("it took too long, and was given up") };
  if (code === "25006")
    return { message: said("that is a reader"), hint: "Is the tunnel's end the cluster's writer?" };
  if (code === "55P03")
    return { message: "somebody is working on it at this moment, perhaps a replay.", hint: "Try again." };
  if (/^(57P|08|53)/.test(code))
    return { message: said(`the database of ${target} broke off`), hint: undone(target) };
  return undefined;
}

/** The answer to a commit may be what was lost. */
const undone = (target: string): string =>
  `Nothing was changed, unless it broke at the very end: pnpm ops log ${target} says so. Then try again.`;

function network(error: Error, target: string): Hints | undefined {
  const { code, message } = error as Error & { code?: unknown };
  const words = message || (error as { errors?: Error[] }).errors?.[0]?.message || String(code);
  if (/Connection terminated|connection timeout/i.test(words))
    return { message: `the database of ${target} broke off: ${words}`, hint: undone(target) };
  if (typeof code !== "string" || !/^E[A-Z_]+$/.test(code)) return undefined;
  if (
    !["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EHOSTUNREACH", "EPIPE", "EAI_AGAIN"].includes(
      code,
    )
  )
    return undefined;
  return {
    message: `${target} cannot be reached: ${words}`,
    hint:
      target === "local"
        ? "Is the workspace still running? Its dashboard shows what is not."
        : "Is this machine on the network? A proxy, a VPN, a wrong AWS_REGION?",
  };
}
