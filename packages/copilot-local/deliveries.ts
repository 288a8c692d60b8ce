import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cloud } from "./cloud.ts";
import { invoke } from "./functions.ts";
import type { LocalFunction, MailRule } from "./local-addons.ts";
import { rulesFor, sesEvent, type Envelope } from "./mail.ts";

export interface DeliveriesOptions {
  /** Invocations that have not succeeded yet are kept here, over a restart. */
  directory: string;
  rules: MailRule[];
  functions: { name: string; fn: LocalFunction; port: number; ready(): boolean }[];
  cloud: Pick<Cloud, "putObject" | "send">;
  log: (name: string, text: string) => void;
  /**
   * Between the attempts of one invocation. AWS waits one minute, then two. Here the second comes soon, since somebody is
   * waiting; the third does not, since what outlasts a short outage in AWS must do so here.
   */
  retryAfterMs?: number[];
}

export interface Deliveries {
  /** A mail arrived: it is put where its rules say, and the functions they name are called, once each. */
  receive(mail: Envelope): Promise<void>;
  /** From now on invocations are carried out, those that an earlier start left over first. */
  start(): void;
  /** How many have not succeeded yet and have not been given up. */
  pending(): number;
  close(): void;
}

interface Pending {
  functionArn: string;
  event: unknown;
}

/** Asynchronous invocations, as Lambda does them: at least once, three attempts, then the function's failure queue. */
export function openDeliveries(options: DeliveriesOptions): Deliveries {
  const { directory, rules, functions, cloud, log, retryAfterMs = [1_000, 60_000] } = options;
  mkdirSync(directory, { recursive: true });
  let started = false;
  let closed = false;
  let count = 0;
  const running = new Set<string>();

  const carryOut = async (file: string) => {
    if (!started || closed || running.has(file)) return;
    running.add(file);
    const { functionArn, event } = JSON.parse(readFileSync(file, "utf8")) as Pending;
    const target = functions.find(({ fn }) => fn.arn === functionArn);
    if (!target) {
      rmSync(file);
      return;
    }
    const { name, fn, port } = target;
    for (let attempt = 0; ; attempt++) {
      while (!target.ready()) {
        if (closed) return;
        await pause(100);
      }
      try {
        await invoke(fn, port, event);
        break;
      } catch (error) {
        if (closed) return;
        const wait = retryAfterMs[attempt];
        const { message } = error as Error;
        if (wait === undefined) {
          log(name, `[copilot-local] invocation failed ${attempt + 1} times and is given up: ${message}`);
          if (fn.failures) cloud.send(fn.failures, JSON.stringify(event));
          break;
        }
        log(name, `[copilot-local] invocation failed, again in ${wait / 1000} s: ${message}`);
        await pause(wait);
      }
    }
    rmSync(file, { force: true });
  };

  return {
    async receive(mail) {
      for (const { rule, recipients } of rulesFor(rules, mail.recipients)) {
        if (rule.bucket !== undefined) {
          cloud.putObject(rule.bucket, `${rule.keyPrefix}${mail.id}`, mail.raw, "message/rfc822");
        }
        if (rule.functionArn === undefined) continue;
        const pending: Pending = {
          functionArn: rule.functionArn,
          event: await sesEvent(mail, recipients, rule.functionArn),
        };
        const file = join(directory, `${mail.id}-${count++}.json`);
        writeFileSync(`${file}.new`, JSON.stringify(pending));
        renameSync(`${file}.new`, file);
        void carryOut(file);
      }
    },
    start() {
      started = true;
      for (const name of readdirSync(directory).sort()) {
        if (name.endsWith(".json")) void carryOut(join(directory, name));
      }
    },
    pending: () => readdirSync(directory).filter((name) => name.endsWith(".json")).length,
    close() {
      closed = true;
    },
  };
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
