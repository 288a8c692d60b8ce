import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `copilot-commands.json` holds. */
export interface CommandTree {
  version: string;
  /** Flags as `--help` prints them, such as `-e, --env string`, by the words of their command. */
  commands: Record<string, string[]>;
}

/** Asks the CLI itself for every command it has. Throws when it does not run or does not say its version. */
export function extract(binary: string): CommandTree {
  const run = (...args: string[]): string =>
    execFileSync(binary, args, { encoding: "utf8", env: { ...process.env, COLOR: "false" } });
  const commands: Record<string, string[]> = {};
  const visit = (path: string[]): void => {
    const help = run(...path, "--help");
    // Some commands spread their flags over several blocks: what looks like a flag is one, wherever it stands.
    commands[path.join(" ")] = help
      .split("\n")
      .flatMap((line) => /^ +((?:-\w, )?--[\w-]+(?: [A-Za-z]\w*)?)(?: {2,}|$)/.exec(line)?.[1] ?? []);
    for (const name of subcommandsIn(help)) visit([...path, name]);
  };
  visit([]);
  const version = /v(\d+\.\d+\.\d+)/.exec(run("--version"))?.[1];
  if (version === undefined) throw new Error(`${binary} --version did not say its version`);
  return { version, commands };
}

/** The root indents its commands by four, below groups; the others by two. */
function subcommandsIn(help: string): string[] {
  const lines = help.split("\n");
  const start = lines.findIndex((line) => /^(?:Available Commands|Commands)\s*$/.test(line));
  if (start === -1) return [];
  const length = lines.slice(start + 1).findIndex((line) => /^\S/.test(line));
  return lines
    .slice(start + 1, length === -1 ? undefined : start + 1 + length)
    .flatMap((line) => /^(?: {2}| {4})([a-z][\w-]*) {2,}\S/.exec(line)?.[1] ?? []);
}

// `node extract-copilot-commands.ts <path of the copilot binary>`: once for a version of the CLI.
if (import.meta.main) {
  const [binary] = process.argv.slice(2);
  if (binary === undefined) {
    process.stderr.write("Name the binary: node extract-copilot-commands.ts /usr/local/bin/copilot\n");
    process.exit(2);
  }
  const file = join(import.meta.dirname, "copilot-commands.json");
  writeFileSync(file, `${JSON.stringify(extract(binary), null, 2)}\n`);
}
