import { commands } from "./commands.ts";
import type { Command } from "./commands.ts";
import { meanings } from "./flags.ts";
import type { Flags } from "./flags.ts";

/** Flags that every command takes. */
export const common = ["json", "data", "help"] as const;

/** `parked look <environment> <workload> <group> [<n>]` */
export function shapeOf(name: string, { words }: Command): string {
  const rest = words.map((word) => (word.endsWith("?") ? `[<${word.slice(0, -1)}>]` : `<${word}>`));
  return [name, "<environment>", ...rest].join(" ");
}

/** All commands and flags. */
export function usage(): string {
  return `Usage: pnpm ops <command> <environment> …

<environment> is one of copilot/environments, in AWS with your credentials, or "local" for the workspace that runs here.

${listed(Object.entries(commands).map(([name, command]) => [shapeOf(name, command), command.about]))}

${flagList(Object.keys(meanings) as (keyof Flags)[])}

Each command has its own --help. What to do about which alarm stands in docs/alarms.md.
Exit code: 0 done, 1 not (all) done, 2 the command cannot be meant so.`;
}

/** One command. */
export function helpOf(name: string, command: Command): string {
  const { about, more, example, flags } = command;
  return `Usage: pnpm ops ${shapeOf(name, command)}

${about[0]?.toUpperCase()}${about.slice(1)}.${more ? `\n${more}` : ""}

${flagList([...flags, ...common])}

Example: pnpm ops ${example}`;
}

function flagList(flags: (keyof Flags)[]): string {
  return listed(flags.map((flag) => [`--${flag} ${meanings[flag][0]}`.trimEnd(), meanings[flag][1]]));
}

function listed(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
