#!/usr/bin/env node
import { parseArgs } from "node:util";
import { readable } from "./logs.ts";
import { createRunner, type Running } from "./runner.ts";
import type { RunnerEvent } from "./state.ts";
import { formatError, UserError } from "./user-error.ts";

const usage = `Usage: npm start -- [options]

  --env <name>      environment of the manifests to mirror (staging)
  --port <n>        port of the dashboard (4000; 0: any free one)
  --headless        status only: no log lines in the terminal
  --until ready     stop and exit 0 once everything is ready, 1 when it cannot be
  --fresh           empty the data folder first
  --data <dir>      where data, logs and mail are kept (.local)
  --free-ports      choose every port free, to run beside another one
  --no-watch        do not restart workloads when their sources change
  --help            this text
`;

function readFlags(args: string[]) {
  const options = {
    env: { type: "string", default: "staging" },
    port: { type: "string" },
    headless: { type: "boolean", default: false },
    until: { type: "string" },
    fresh: { type: "boolean", default: false },
    data: { type: "string", default: ".local" },
    "free-ports": { type: "boolean", default: false },
    "no-watch": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ args, options, allowPositionals: false }));
  } catch (error) {
    // Node's own hint about `--` only confuses here.
    throw new UserError((error as Error).message.split(". To specify")[0]!, `There are:\n${usage}`);
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && (!/^\d+$/.test(values.port!) || port > 65_535)) {
    throw new UserError(`--port ${values.port} is not a port.`, "A number from 0 to 65535.");
  }
  if (values.until !== undefined && values.until !== "ready") {
    throw new UserError(`--until ${values.until} is not known.`, "There is only --until ready.");
  }
  return { ...values, port };
}

/** The terminal: steps and states as they come; log lines with the name of who wrote them, padded, in one column. */
function printer(headless: boolean): (event: RunnerEvent) => void {
  let width = 20;
  const say = (name: string, text: string) => {
    width = Math.max(width, name.length);
    for (const line of text.split("\n")) console.log(`${name.padEnd(width)} | ${line}`);
  };
  return (event) => {
    switch (event.kind) {
      case "dashboard":
        console.log(`dashboard: ${event.url}`);
        break;
      case "step":
        say("copilot-local", `${event.text}: ${event.ms} ms`);
        break;
      case "notice":
        say("copilot-local", event.text);
        break;
      case "workload":
        if (event.status === "ready") say(event.name, `ready after ${event.ms} ms`);
        else if (event.status === "backing-off")
          say(event.name, `ended by itself: ${event.detail}; starts again`);
        else if (event.status === "unhealthy") say(event.name, `does not answer well: ${event.detail}`);
        break;
      case "line":
        if (!headless && event.name !== "postgres") say(event.name, readable(event.text));
        break;
    }
  };
}

async function main(args: string[]): Promise<number> {
  const flags = readFlags(args);
  if (flags.help) {
    console.log(usage);
    return 0;
  }
  const begun = performance.now();
  const runner = createRunner({
    environment: flags.env,
    port: flags.port,
    data: flags.data,
    fresh: flags.fresh,
    freePorts: flags["free-ports"],
    watch: !flags["no-watch"] && flags.until === undefined,
    onEvent: printer(flags.headless),
  });

  let leave!: (code: number) => void;
  const left = new Promise<number>((done) => (leave = done));
  let asked = 0;
  let failed = false;
  const end = (why: string) => {
    // One Ctrl-C reaches us twice, from the terminal and from npm; only a later one is impatience.
    if (asked > 0) {
      if (performance.now() - asked > 1_000) process.exit(1);
      return;
    }
    asked = performance.now();
    console.error(`\n${why}: stops everything (at most 10 s) …`);
    void runner.stop().then(
      () => leave(failed ? 1 : 0),
      (error: unknown) => {
        console.error(formatError(error));
        leave(1);
      },
    );
  };
  process.on("SIGINT", () => end("Ctrl-C"));
  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGHUP", () => end("SIGHUP"));
  // A terminal that was closed: what we say goes nowhere, and that is no reason to die with everything running.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  // A mistake of ours: said in full, and still nothing may be left behind.
  process.on("uncaughtException", (error) => {
    console.error(formatError(error));
    failed = true;
    end("an error of the runner itself");
  });
  watchParent(() => end("the parent process is gone"));

  let running: Running;
  try {
    running = await runner.start();
    const report = await Promise.race([running.ready(), left.then(() => undefined)]);
    if (report) {
      console.log(`all ready after ${Math.round(performance.now() - begun)} ms; dashboard: ${running.url}`);
      if (flags.until === "ready") {
        const width = Math.max(...report.map(({ name }) => name.length), 0);
        for (const { name, ms } of report)
          console.log(`  ${name.padEnd(width)}  ${String(ms).padStart(6)} ms`);
        await runner.stop();
        return 0;
      }
    }
  } catch (error) {
    if (asked > 0) return left;
    console.error(formatError(error));
    // What is broken may be mended while the rest runs: a save restarts it. Only a check has to say no.
    if (flags.until === "ready" || !(error instanceof UserError) || !isRunning()) {
      await runner.stop();
      return 1;
    }
  }
  return left;

  function isRunning(): boolean {
    return running !== undefined && asked === 0;
  }
}

/** npm dies of a SIGTERM without telling what it started: it is gone when somebody else has become our parent. */
function watchParent(onGone: () => void) {
  const parent = process.ppid;
  if (parent === 1 || process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, 300).unref();
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(formatError(error));
  process.exitCode = 1;
}
// Nothing is left to wait for; a stray socket of a library must not keep the terminal.
process.exit();
