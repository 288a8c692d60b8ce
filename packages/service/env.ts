import { z } from "zod";

/** The environment does not have what the service needs. `message` names every variable and its problem. */
export class EnvironmentError extends Error {
  override name = "EnvironmentError";
}

/**
 * Parses `source` by `shape` and throws one EnvironmentError that lists every problem.
 *
 * An empty variable counts as missing: Copilot cannot leave a variable out in one environment, only empty it.
 * Values never appear in the message, since some of them are secrets.
 */
export function readEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  source: Record<string, string | undefined> = process.env,
): z.infer<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.keys(shape).map((name) => [name, source[name] || undefined]));
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data;

  const problems = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "(environment)");
    const missing = given[name] === undefined;
    const inside = issue.path.length > 1 ? ` at ${issue.path.slice(1).join(".")}` : "";
    return `  ${name}${inside}: ${missing ? "is not set" : issue.message}`;
  });
  throw new EnvironmentError(
    `The environment is not complete:\n${problems.join("\n")}\n` +
      "Add them under variables or secrets in this workload's copilot/<name>/manifest.yml.",
  );
}

/**
 * Like readEnv for `main.ts`: reads process.env, and ends the process with status 1 and the whole list on stderr
 * when something is missing or malformed. Call it once, with only what this service reads.
 *
 * @example
 * const { PORT, MAIL_FROM } = env({ PORT: z.coerce.number().int(), MAIL_FROM: z.email() })
 */
export function env<Shape extends z.ZodRawShape>(shape: Shape): z.infer<z.ZodObject<Shape>> {
  try {
    return readEnv(shape);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  }
}
