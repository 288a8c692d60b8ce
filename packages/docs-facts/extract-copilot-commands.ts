import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `node extract-copilot-commands.ts <path of the copilot binary>` writes `copilot-commands.json` anew: every command
 * of the CLI with its flags as `--help` prints them, such as `-e, --env string`. Run it once for a version of the CLI.
 */

const [binary] = process.argv.slice(2);
if (binary === undefined) {
  process.stderr.write("Name the binary: node extract-copilot-commands.ts /usr/local/bin/copilot\n");
  process.exit(2);
}

function run(...args: string[]): string {
  return execFileSync(binary as string, args, { encoding: "utf8", env: { ...process.env, COLOR: "false" } });
}

/** The lines of a block of the help text: from its title to the next line that is not indented. */
function block(help: string, title: RegExp): string[] {
  const lines = help.split("\n");
  const start = lines.findIndex((line) => title.test(line));
  if (start === -1) return [];
  const length = lines.slice(start + 1).findIndex((line) => /^\S/.test(line));
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length);
}

const commands: Record<string, string[]> = {};

function visit(path: string[]): void {
  const help = run(...path, "--help");
  // Some commands spread their flags over several blocks: what looks like a flag is one, wherever it stands.
  const flags = help
    .split("\n")
    .flatMap((line) => /^ +((?:-\w, )?--[\w-]+(?: [A-Za-z]\w*)?)(?: {2,}|$)/.exec(line)?.[1] ?? []);
  commands[path.join(" ")] = flags;
  // The root indents its commands by four, below groups; the others by two.
  const names = block(help, /^(?:Available Commands|Commands)\s*$/).flatMap(
    (line) => /^(?: {2}| {4})([a-z][\w-]*) {2,}\S/.exec(line)?.[1] ?? [],
  );
  for (const name of names) visit([...path, name]);
}

visit([]);
const version = /v(\d+\.\d+\.\d+)/.exec(run("--version"))?.[1];
if (version === undefined) throw new Error(`${binary} --version did not say its version`);
writeFileSync(
  join(import.meta.dirname, "copilot-commands.json"),
  `${JSON.stringify({ version, commands }, null, 2)}\n`,
);
