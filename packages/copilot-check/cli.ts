#!/usr/bin/env node
import { parseArgs } from "node:util";
import { runCheck } from "./check.ts";
import { formatFinding, formatTable, totals } from "./report.ts";
import { readSetting } from "./setting.ts";
import { UserError } from "./user-error.ts";

const usage = `copilot-check [check] [--update] [--no-lint] [--root dir]

check     renders every stack with the real Copilot CLI, offline, and proves that they fit together

--update  writes the expected templates instead of comparing with them
--no-lint leaves the scanners out
--root    the folder in which copilot/ lies (default: here)
`;

const options = {
  root: { type: "string", default: "." },
  update: { type: "boolean", default: false },
  "no-lint": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [command = "check"] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const setting = await readSetting(values.root);
  if (command === "check") {
    const steps = await runCheck(setting, { update: values.update, lint: !values["no-lint"], say });
    for (const { findings } of steps) for (const finding of findings) say(formatFinding(finding));
    for (const { notes = [] } of steps) for (const note of notes) say(note);
    process.stdout.write(`${formatTable(steps)}${totals(steps)}\n`);
    return steps.some(({ findings }) => findings.length > 0) ? 1 : 0;
  }
  throw new UserError(`There is no command ${command}.`, "copilot-check --help says what there is.");
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message, hint, stack } = error as UserError;
  say(error instanceof UserError ? `✘ ${message}${hint === undefined ? "" : `\n  ${hint}`}` : String(stack));
  process.exitCode = 2;
}
