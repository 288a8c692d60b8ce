import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Mistake } from "./patch.ts";

/** What the script that makes the application has decided: the one place of the domain. */
export function decidedDomain(root: string): string {
  const domain = /^domain=(\S+)$/m.exec(readFileSync(join(root, "copilot/bootstrap.sh"), "utf8"))?.[1];
  if (domain === undefined) throw new Mistake("copilot/bootstrap.sh has no line domain=….");
  return domain;
}

/** An addon whose parameter MailDomain has that domain as its default; undefined where it has no such parameter. */
export function withDomain(addon: string, domain: string): string | undefined {
  const parameter = /^( {2}MailDomain:\n {4}Type: String\n {4}Default: )\S+$/m;
  return parameter.test(addon) ? addon.replace(parameter, `$1${domain}`) : undefined;
}
