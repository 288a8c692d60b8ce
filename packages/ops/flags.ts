import { parseArgs } from "node:util";
import { misuse } from "./refusal.ts";

const options = {
  "dry-run": { type: "boolean", default: false },
  reason: { type: "string" },
  "approved-by": { type: "string" },
  json: { type: "boolean", default: false },
  all: { type: "boolean", default: false },
  rate: { type: "string" },
  cancel: { type: "boolean", default: false },
  wait: { type: "string" },
  limit: { type: "string" },
  undelivered: { type: "boolean", default: false },
  dlq: { type: "boolean", default: false },
  topic: { type: "string" },
  file: { type: "string" },
  data: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

export type Flags = ReturnType<typeof parse>["values"];

/** What each is for, with its value's name. */
export const meanings: Record<keyof Flags, [value: string, meaning: string]> = {
  "dry-run": ["", "do everything, show it, and take it back"],
  reason: ["<text>", "why; what cannot be undone demands it"],
  "approved-by": [
    "<name>",
    "the second person; where people live from it, what cannot be undone demands one",
  ],
  json: ["", "whole rows, as JSON, for scripts"],
  all: ["", "all of them, instead of one"],
  rate: ["<n>", "replay at most n messages a second and task (redrive: and only with it at all)"],
  cancel: ["", "take back what replay or redrive --rate asked for"],
  wait: ["<seconds>", "how long to wait for the outcome (60; 0: not at all)"],
  limit: ["<n>", "at most so many (dlq peek 10, redrive 10000, log 20)"],
  undelivered: ["", "what SNS could not deliver, instead of what the worker gave up"],
  dlq: ["", "the dead-letter queue, instead of the queue"],
  topic: ["<name>", "which queue, where a worker has several"],
  file: ["<path|->", "the new message from a file or from standard input, instead of your $EDITOR"],
  data: ["<dir>", "data folder of the local workspace (.local)"],
  help: ["", "this text; after a command, of that command"],
};

/** The words and flags of a command line. Throws a Refusal that says which flag is none. */
export function parse(args: string[]) {
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
