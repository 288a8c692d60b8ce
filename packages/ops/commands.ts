import { resolve } from "node:path";
import { listBlocked, lookAtBlocked, settleBlocked } from "./blocked.ts";
import { peek, redrive } from "./dead-letters.ts";
import { edit } from "./edit.ts";
import type { Flags } from "./flags.ts";
import { showLog } from "./log.ts";
import type { Intent } from "./operate.ts";
import { showOutbox } from "./outbox.ts";
import { cancelParked, discard, listParked, lookAtParked, replayParked } from "./parked.ts";
import type { Output } from "./print.ts";
import { listQueues, printQueueUrl } from "./queues.ts";
import { misuse } from "./refusal.ts";
import { forget, listStrays } from "./strays.ts";
import type { Target } from "./target.ts";

type Call = {
  target: Target;
  words: string[];
  flags: Flags;
  output: Output;
  intent: Intent;
  /** Where the operator is: relative files are meant from here. */
  from: string;
  variables: NodeJS.ProcessEnv;
};

export type Command = {
  /** One line of the list of commands. */
  about: string;
  /** What follows the environment: `workload`, `n?`. */
  words: string[];
  flags: (keyof Flags)[];
  /** What its own help says beyond that, in whole sentences. */
  more?: string;
  /** What somebody typed once, without `pnpm ops`. */
  example: string;
  /** false: not (all) done. */
  run(call: Call): Promise<boolean | void>;
};

const changing = ["dry-run", "reason", "approved-by"] as const;
const group = "0199c2d0-5a70-7d1a-8a43-0d6b2a7f4c11";

/** Every command, in the order in which somebody who was woken needs them. */
export const commands: Record<string, Command> = {
  queues: {
    about: "what waits in every queue, parked and dead; start here",
    words: [],
    flags: [],
    more: "Below the table stands what waits for a person, and the command for it. Nothing is taken from a queue by counting.",
    example: "queues production",
    run: ({ target, output }) => listQueues(target, output),
  },
  parked: {
    about: "the parked groups, the oldest first",
    words: ["workload?"],
    flags: [],
    more: "A group is parked when its first message failed for good: it and all that follow wait in the database, in order, for as long as it takes.",
    example: "parked production worker-item",
    run: ({ target, output, words: [workload] }) => listParked(target, output, workload),
  },
  "parked look": {
    about: "a group's messages in their order, or one of them whole",
    words: ["workload", "group", "n?"],
    flags: [],
    example: `parked look production worker-item ${group} 7`,
    run: ({ target, output, words: [workload = "", groupId = "", n] }) =>
      lookAtParked(target, output, { workload, groupId, n }),
  },
  "parked edit": {
    about: "replace a message, by your $EDITOR or --file",
    words: ["workload", "group", "n"],
    flags: [...changing, "file"],
    more: "The event's own schema must accept the new body, and its id stays: the id is what makes its effect happen once.",
    example: `parked edit production worker-item ${group} 7 --reason "the code had a space" --approved-by sato`,
    run({ target, intent, flags: { file }, from, variables, words: [workload = "", groupId = "", n = ""] }) {
      const path = file === undefined || file === "-" ? file : resolve(from, file);
      return edit(target, { workload, groupId, n }, { file: path, variables }, intent);
    },
  },
  "parked replay": {
    about: "let the running worker handle them, in order",
    words: ["workload", "group?"],
    flags: [...changing, "all", "rate", "wait", "cancel"],
    more: "Waits for the outcome. A message that fails again stays parked with all that follow it; what was handled before it stays handled.",
    example: `parked replay production worker-item ${group}`,
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
    about: "delete one message, or with --all the group",
    words: ["workload", "group", "n?"],
    flags: [...changing, "all"],
    more: "For good: its effect never happens. The body stays in the log, and the company's audit log says that it was discarded, by whom and why.",
    example: `parked discard production worker-item ${group} 7 --reason "the shop has closed" --approved-by sato --dry-run`,
    run: ({ target, intent, flags: { all }, words: [workload = "", groupId = "", n] }) =>
      discard(target, { workload, groupId, n, all }, intent),
  },
  "dlq peek": {
    about: "dead letters; none is taken away",
    words: ["workload"],
    flags: ["limit", "topic", "undelivered"],
    more: "Looking raises their receive count. SQS hands out a group from its front, so what stands behind may stay unseen; the last line says how many there are.",
    example: "dlq peek production worker-item --limit 5",
    run({ target, intent, flags, words: [workload = ""] }) {
      const limit = number("limit", flags.limit, 1) ?? 10;
      return peek(target, { workload, topic: flags.topic, undelivered: flags.undelivered, limit }, intent);
    },
  },
  redrive: {
    about: "move dead letters into the parked groups",
    words: ["workload"],
    flags: [...changing, "limit", "topic", "undelivered", "rate", "cancel"],
    more: "Never back into the live queue, where they would mix with newer messages. Each is parked before it is deleted; what was handled before only disappears. They are handled by the replay afterwards, or at once with --rate.",
    example: "redrive production worker-item --dry-run",
    run({ target, intent, flags, words: [workload = ""] }) {
      if (flags.cancel) return cancelParked(target, { workload }, intent);
      const limit = number("limit", flags.limit, 1) ?? 10_000;
      const { topic, undelivered } = flags;
      return redrive(target, { workload, topic, undelivered, limit, perSecond: rate(flags) }, intent);
    },
  },
  outbox: {
    about: "how late events leave, the relays, who hinders them",
    words: [],
    flags: [],
    example: "outbox production",
    run: ({ target, output }) => showOutbox(target, output),
  },
  blocked: {
    about: "events that a topic refuses for good",
    words: [],
    flags: [],
    more: "Each holds back the later events of its group; other groups go on.",
    example: "blocked production",
    run: ({ target, output }) => listBlocked(target, output),
  },
  "blocked look": {
    about: "one of them whole",
    words: ["id"],
    flags: [],
    example: "blocked look production 4711",
    run: ({ target, output, words: [id = ""] }) => lookAtBlocked(target, output, id),
  },
  "blocked retry": {
    about: "let the relay try it again",
    words: ["id"],
    flags: [...changing],
    example: "blocked retry production 4711",
    run: ({ target, intent, words: [id = ""] }) => settleBlocked(target, { id, action: "retry" }, intent),
  },
  "blocked skip": {
    about: "never publish it; its group goes on",
    words: ["id"],
    flags: [...changing],
    more: "For good: no subscriber ever hears of it. The body stays in the log, and the company's audit log says so.",
    example: `blocked skip production 4711 --reason "too large for SNS" --approved-by sato --dry-run`,
    run: ({ target, intent, words: [id = ""] }) => settleBlocked(target, { id, action: "skip" }, intent),
  },
  strays: {
    about: "handled events whose id lies outside every day",
    words: ["workload?"],
    flags: [],
    example: "strays production",
    run: ({ target, output, words: [workload] }) => listStrays(target, output, workload),
  },
  "strays forget": {
    about: "forget that one was handled",
    words: ["workload", "event"],
    flags: [...changing],
    more: "If a queue still holds its message, that is handled once more: wait until none can (28 days).",
    example: `strays forget production worker-item ${group} --reason "older than every queue" --approved-by sato`,
    run: ({ target, intent, words: [workload = "", eventId = ""] }) =>
      forget(target, { workload, eventId }, intent),
  },
  log: {
    about: "what operators did, the latest first",
    words: [],
    flags: ["limit"],
    more: "Look here first: somebody else may be at it. With --json whole, the bodies of what was edited, discarded or skipped included.",
    example: "log production --limit 5",
    run: ({ target, output, flags }) => showLog(target, output, number("limit", flags.limit, 1) ?? 20),
  },
  queue: {
    about: "a queue's address, alone on its line",
    words: ["workload"],
    flags: ["dlq", "undelivered", "topic"],
    example: "queue production worker-item --dlq",
    run({ target, output, words: [workload = ""], flags: { dlq, undelivered, topic } }) {
      if (dlq && undelivered) throw misuse("--dlq and --undelivered are two queues.", "Name one.");
      const which = undelivered ? "undelivered" : dlq ? "dead" : "queue";
      return printQueueUrl(target, output, { workload, topic, which });
    },
  },
};

const rate = (flags: Flags) => number("rate", flags.rate, 0.01);

function number(flag: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= least) return value;
  throw misuse(`--${flag} ${text} is not a number from ${least}.`);
}
