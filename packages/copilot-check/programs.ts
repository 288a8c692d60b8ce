import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "./user-error.ts";

export interface ProgramOptions {
  /** A folder of our own. */
  folder: string;
  /** Text of a script that is the CLI (`copilotCli().script()`). */
  copilot: string;
  /** The real AWS CLI. */
  awsProgram: string;
  /** What `aws` gets in its environment, so that it takes the stand-in for AWS. */
  aws: Record<string, string>;
  /** Address of `outside`. */
  outside: string;
  /** The folder of the `docker` that builds nothing. */
  docker: string;
  /** The real workspace: a package manager refuses to work in a copy made of links. */
  root: string;
}

/** A PATH on which `copilot` and `aws` are led to the stand-in, `curl` to what would be seen outside, and the rest is real. */
export function programs({
  folder,
  copilot,
  awsProgram,
  aws,
  outside,
  docker,
  root,
}: ProgramOptions): string {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  const exports = Object.entries(aws).map(([name, value]) => `export ${name}='${value}'`);
  write("copilot", copilot);
  write("aws", `#!/bin/sh\n${exports.join("\n")}\nexec '${awsProgram}' "$@"\n`);
  write("npx", `#!/bin/sh\ncd '${root}'\nexec '${programPath("npx")}' "$@"\n`);
  // Without its patience: what does not answer here never will.
  write(
    "curl",
    `#!/bin/sh
n=$#
while [ "$n" -gt 0 ]; do
  given=$1
  shift
  case "$given" in http://*|https://*) given="${outside}/$(printf %s "$given" | sed 's,://,/,')" ;; esac
  set -- "$@" "$given"
  n=$((n - 1))
done
exec '${programPath("curl")}' "$@" --retry 0 --noproxy '*'
`,
  );
  return [folder, docker, process.env.PATH ?? ""].join(delimiter);
}

function programPath(name: string): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  throw new UserError(
    `There is no ${name} on this machine.`,
    "The scripts of a workspace call it: install it, and run the same command again.",
  );
}
