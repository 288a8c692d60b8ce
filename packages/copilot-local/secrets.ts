import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { UserError } from "./user-error.ts";

export interface Secrets {
  /** The value under this name (an SSM parameter's, a Secrets Manager ARN): made up at the first asking, then kept. */
  get(name: string): string;
}

/** Local values of secrets, in one file that only its owner may read. A value that somebody put there by hand stays. */
export function openSecrets(file: string): Secrets {
  let values: Record<string, string> = {};
  try {
    values = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new UserError(
        `${file} is not JSON: ${(error as Error).message}`,
        "Mend it, or remove it: new secrets are made then, and sign-ins made with the old ones end.",
        { cause: error },
      );
    }
  }
  return {
    get(name) {
      const kept = values[name];
      if (kept !== undefined) return kept;
      const made = randomBytes(32).toString("base64url");
      values[name] = made;
      writeFileSync(`${file}.new`, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600 });
      renameSync(`${file}.new`, file);
      return made;
    },
  };
}
