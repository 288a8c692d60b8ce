import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { listBlocked, settleBlocked } from "./blocked.ts";
import { peek, redrive } from "./dead-letters.ts";
import { edit } from "./edit.ts";
import type { Intent } from "./operate.ts";
import { cancelParked, discard, listParked, lookAtParked, replayParked } from "./parked.ts";
import type { Output } from "./print.ts";
import { listQueues, printQueueUrl } from "./queues.ts";
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

const usage = `Usage: pnpm ops <command> <environment> …

<environment> is one of copilot/environments, in AWS with your credentials, or "local" for the workspace that runs here.

  queues <environment>                                 what waits in every queue, parked, and dead
  queue <environment> <workload> [--dlq|--undelivered] a queue's address, alone
  parked <environment> [<workload>]                    the parked groups
  parked look <environment> <workload> <group> [<n>]   its messages in order, or one of them whole
  parked edit <environment> <workload> <group> <n>     replace a message: --file <path|->, or your $EDITOR
  parked replay <environment> <workload> <group|--all> let the running worker handle them, in order
  parked discard <environment> <workload> <group> <n|--all>
  dlq peek <environment> <workload>                    dead letters, none of which is deleted
  redrive <environment> <workload>                     move dead letters to the parked groups
  blocked <environment>                                events that a topic refuses
  blocked retry|skip <environment> <id>

  --dry-run            do everything, show it, and take it back
  --json               whole rows
  --reason <text>      why; edit, discard and skip demand it
  --approved-by <name> the second person; where people live from it, edit, discard and skip demand one
  --rate <n>           replay at most n messages a second and task; redrive replays only with it
  --cancel             take back what replay or redrive --rate asked for
  --wait <seconds>     how long replay waits for the outcome (60; 0: not at all)
  --limit <n>          at most so many dead letters (peek 10, redrive 10000)
  --undelivered        of dlq peek and redrive: what SNS could not deliver, instead of what the worker gave up
  --topic <name>       where a worker has several queues
  --data <dir>         data folder of the local workspace (.local)

Exit code: 0 done, 1 not (all) done, 2 the command cannot be meant so.`;

const options = {
  dlq: { type: "boolean", default: false },
  undelivered: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  all: { type: "boolean", default: false },
  cancel: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  reason: { type: "string" },
  "approved-by": { type: "string" },
  rate: { type: "string" },
  wait: { type: "string" },
  limit: { type: "string" },
  topic: { type: "string" },
  file: { type: "string" },
  data: { type: "string" },
} as const;

type Flags = ReturnType<typeof parse>["values"];
type Call = {
  target: Target;
  words: string[];
  flags: Flags;
  output: Output;
  intent: Intent;
  around: Surroundings;
};

type Command = {
  /** What follows the environment: `workload`, `n?`. */
  words: string[];
  flags: (keyof Flags)[];
  /** false: not (all) done. */
  run(call: Call): Promise<boolean | void>;
};

const common = ["json", "data", "help"] as const;
const changing = ["dry-run", "reason", "approved-by"] as const;

const commands: Record<string, Command> = {
  queues: { words: [], flags: [], run: ({ target, output }) => listQueues(target, output) },
  queue: {
    words: ["workload"],
    flags: ["dlq", "undelivered", "topic"],
    run({ target, output, words: [workload = ""], flags: { dlq, undelivered, topic } }) {
      const which = undelivered ? "undelivered" : dlq ? "dead" : "queue";
      return printQueueUrl(target, output, { workload, topic, which });
    },
  },
  parked: {
    words: ["workload?"],
    flags: [],
    run: ({ target, output, words: [workload] }) => listParked(target, output, workload),
  },
  "parked look": {
    words: ["workload", "group", "n?"],
    flags: [],
    run: ({ target, output, words: [workload = "", groupId = "", n] }) =>
      lookAtParked(target, output, { workload, groupId, n }),
  },
  "parked edit": {
    words: ["workload", "group", "n"],
    flags: [...changing, "file"],
    run({ target, intent, flags: { file }, around, words: [workload = "", groupId = "", n = ""] }) {
      const path = file === undefined || file === "-" ? file : resolve(around.from, file);
      return edit(target, { workload, groupId, n }, { file: path, variables: around.variables }, intent);
    },
  },
  "parked replay": {
    words: ["workload", "group?"],
    flags: [...changing, "all", "rate", "wait", "cancel"],
    run({ target, intent, flags, words: [workload = "", groupId] }) {
      if (flags.cancel) return cancelParked(target, { workload, groupId }, intent);
      if ((groupId === undefined) !== flags.all) {
        throw misuse("it must be clear what is replayed.", "Name one group, or all of them by --all.");
      }
      const waitSeconds = number("wait", flags.wait, 0) ?? 60;
      return replayParked(target, { workload, groupId, perSecond: rate(flags), waitSeconds }, intent);
    },
  },
  "parked discard": {
    words: ["workload", "group", "n?"],
    flags: [...changing, "all"],
    run: ({ target, intent, flags: { all }, words: [workload = "", groupId = "", n] }) =>
      discard(target, { workload, groupId, n, all }, intent),
  },
  "dlq peek": {
    words: ["workload"],
    flags: ["limit", "topic", "undelivered"],
    run({ target, intent, flags, words: [workload = ""] }) {
      const limit = number("limit", flags.limit, 1) ?? 10;
      return peek(target, { workload, topic: flags.topic, undelivered: flags.undelivered, limit }, intent);
    },
  },
  redrive: {
    words: ["workload"],
    flags: [...changing, "limit", "topic", "undelivered", "rate", "cancel"],
    run({ target, intent, flags, words: [workload = ""] }) {
      if (flags.cancel) return cancelParked(target, { workload }, intent);
      const limit = number("limit", flags.limit, 1) ?? 10_000;
      const { topic, undelivered } = flags;
      return redrive(target, { workload, topic, undelivered, limit, perSecond: rate(flags) }, intent);
    },
  },
  blocked: { words: [], flags: [], run: ({ target, output }) => listBlocked(target, output) },
  "blocked retry": {
    words: ["id"],
    flags: [...changing],
    run: ({ target, intent, words: [id = ""] }) => settleBlocked(target, { id, action: "retry" }, intent),
  },
  "blocked skip": {
    words: ["id"],
    flags: [...changing],
    run: ({ target, intent, words: [id = ""] }) => settleBlocked(target, { id, action: "skip" }, intent),
  },
};

/** Runs one command line and resolves to its exit code. Never rejects: what went wrong is a note. */
export async function run(args: string[], around: Surroundings): Promise<number> {
  let target: Target | undefined;
  try {
    const { values: flags, positionals } = parse(args);
    if (flags.help || positionals.length === 0) {
      around.out(usage);
      return flags.help ? 0 : 2;
    }
    const { name, command, words } = commandOf(positionals);
    prove(name, command, words, flags, args);
    const [environment = "", ...rest] = words;
    const output: Output = { json: flags.json, out: around.out, note: around.note };
    const intent: Intent = {
      dryRun: flags["dry-run"],
      reason: flags.reason,
      approver: flags["approved-by"],
      output,
    };
    const data = flags.data === undefined ? join(around.root, ".local") : resolve(around.from, flags.data);
    target = await (around.open?.(environment) ??
      openTarget(environment, { root: around.root, data, variables: around.variables }));
    const done = await command.run({ target, words: rest, flags, output, intent, around });
    return done === false ? 1 : 0;
  } catch (error) {
    around.note(formatError(error));
    return (error as { exitCode?: number }).exitCode ?? 1;
  } finally {
    await target?.close();
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Node's own hint about `--` only confuses here.
    throw misuse(
      (error as Error).message.split(". To specify")[0] ?? "",
      "pnpm ops --help lists the options.",
    );
  }
}

function commandOf(words: string[]): { name: string; command: Command; words: string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = commands[name];
    if (command) return { name, command, words: words.slice(length) };
  }
  throw misuse(
    `"${words.slice(0, 2).join(" ")}" is no command.`,
    `There are ${Object.keys(commands).join(", ")}.`,
  );
}

function prove(name: string, command: Command, words: string[], flags: Flags, args: string[]): void {
  const expected = ["environment", ...command.words];
  const fewest = expected.filter((word) => !word.endsWith("?")).length;
  if (words.length < fewest || words.length > expected.length) {
    const shape = expected.map((word) => (word.endsWith("?") ? `[<${word.slice(0, -1)}>]` : `<${word}>`));
    throw misuse(`"${args.join(" ")}" is not complete, or too much.`, `pnpm ops ${name} ${shape.join(" ")}`);
  }
  const allowed: string[] = [...common, ...command.flags];
  const given = Object.entries(flags).filter(([, value]) => value !== undefined && value !== false);
  const stray = given.find(([flag]) => !allowed.includes(flag));
  if (stray) throw misuse(`--${stray[0]} means nothing to ${name}.`, "pnpm ops --help lists what does.");
}

const rate = (flags: Flags) => number("rate", flags.rate, 0.01);

function number(flag: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= least) return value;
  throw misuse(`--${flag} ${text} is not a number from ${least}.`);
}
