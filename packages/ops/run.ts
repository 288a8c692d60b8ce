import { join, resolve } from "node:path";
import { commands } from "./commands.ts";
import type { Command } from "./commands.ts";
import { explain } from "./explain.ts";
import { parse } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { common, helpOf, shapeOf, usage } from "./help.ts";
import type { Intent } from "./operate.ts";
import type { Output } from "./print.ts";
import { formatError, misuse } from "./refusal.ts";
import { openTarget } from "./target.ts";
import type { Target } from "./target.ts";

export type Surroundings = {
  /** The folder that holds copilot/. */
  root: string;
  /** Where the operator is: relative files are meant from here. */
  from: string;
  variables: NodeJS.ProcessEnv;
  out: (line: string) => void;
  note: (line: string) => void;
  /** Another way to a target than the environment's, for tests. */
  open?: (name: string) => Promise<Target>;
};

/** Runs one command line and resolves to its exit code. Never rejects: what went wrong is a note. */
export async function run(args: string[], around: Surroundings): Promise<number> {
  let target: Target | undefined;
  const { root, from, variables } = around;
  try {
    const line = commandLine(args);
    if ("help" in line) {
      around.out(line.help);
      return line.exitCode;
    }
    const { command, flags, environment, words } = line;
    const output: Output = { json: flags.json, out: around.out, note: around.note };
    const intent: Intent = {
      dryRun: flags["dry-run"],
      reason: flags.reason,
      approver: flags["approved-by"],
      output,
    };
    const data = flags.data === undefined ? join(root, ".local") : resolve(from, flags.data);
    target = await (around.open?.(environment) ?? openTarget(environment, { root, data, variables }));
    if (flags.data !== undefined && target.name !== "local")
      throw misuse(`--data is the folder of a local workspace, and ${target.name} is in AWS.`);
    const done = await command.run({ target, words, flags, output, intent, from, variables });
    return done === false ? 1 : 0;
  } catch (thrown) {
    const error = explain(thrown, target?.name);
    around.note(formatError(error));
    return (error as { exitCode?: number }).exitCode ?? 1;
  } finally {
    await target?.close();
  }
}

type CommandLine =
  | { command: Command; flags: Flags; environment: string; words: string[] }
  | { help: string; exitCode: number };

/** What a command line means. Throws a Refusal when it can mean nothing. */
export function commandLine(args: string[]): CommandLine {
  const { values: flags, positionals } = parse(args);
  if (positionals.length === 0) return { help: usage(), exitCode: flags.help ? 0 : 2 };
  const { name, command, words } = commandOf(positionals);
  if (flags.help) return { help: helpOf(name, command), exitCode: 0 };
  prove(name, command, words, flags, args);
  const [environment = "", ...rest] = words;
  return { command, flags, environment, words: rest };
}

function commandOf(words: string[]): { name: string; command: Command; words: string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = commands[name];
    if (command) return { name, command, words: words.slice(length) };
  }
  const [first = ""] = words;
  const family = Object.keys(commands).filter((name) => name.startsWith(`${first} `));
  throw misuse(
    `"${words.slice(0, 2).join(" ")}" is no command.`,
    `Try ${(family.length > 0 ? family : Object.keys(commands)).join(", ")}.`,
  );
}

function prove(name: string, command: Command, words: string[], flags: Flags, args: string[]): void {
  const expected = ["environment", ...command.words];
  const fewest = expected.filter((word) => !word.endsWith("?")).length;
  if (words.length < fewest || words.length > expected.length) {
    throw misuse(
      `"${args.join(" ")}" ${words.length < fewest ? "is not complete" : "says too much"}.`,
      `pnpm ops ${shapeOf(name, command)}`,
    );
  }
  const allowed: string[] = [...common, ...command.flags];
  const given = Object.entries(flags).filter(([, value]) => value !== undefined && value !== false);
  const meaningless = given.find(([flag]) => !allowed.includes(flag));
  if (meaningless)
    throw misuse(`--${meaningless[0]} means nothing to ${name}.`, `pnpm ops ${name} --help lists what does.`);
}
