import { random } from "fault-proxy";
import type { Rule } from "fault-proxy";
import { startPostgres } from "test-postgres";
import { expect, test } from "vitest";
import { blockedEvents, retryBlocked } from "outbox";
import { Client } from "pg";
import { askForReplay } from "worker";
import { Lab, nothingWrong } from "./lab.ts";
import type { Verdict } from "./lab.ts";
import type { Process } from "./process.ts";
import { upTo } from "./testing.ts";

// `FAULT_SECONDS=60 FAULT_SEED=7 npx vitest run mix.test.ts` is the long one.
const seconds = Number(process.env["FAULT_SECONDS"] ?? 5);
const seed = Number(process.env["FAULT_SEED"] ?? Math.trunc(Math.random() * 1_000_000));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const groups = upTo(12).map((n) => `g${n}`);

test(
  "fault 25: in a random mix of all of these nothing is lost, doubled, out of order or dead",
  { timeout: 120_000 + seconds * 1000 },
  async ({ onTestFinished }) => {
    const server = await startPostgres({ settings: { max_connections: "200" } });
    onTestFinished(() => server.stop());
    const lab = await Lab.open(server, { seed });
    onTestFinished(() => lab.close());
    const queue = await lab.queue({ visibility: 2, maxReceives: 100 });
    // Of each pair one goes by a clock that is wrong.
    const clocks = { one: 10 * 60_000, two: 0 };
    const relays: Process<unknown>[] = (["one", "two"] as const).map((id) =>
      lab.relay(id, { sessionTimeoutMs: 1000, publishTimeoutMs: 500, clockShiftMs: clocks[id] }),
    );
    const workers: Process<unknown>[] = [-clocks.one, 0].map((clockShiftMs) =>
      lab.worker(queue, { clockShiftMs }),
    );

    const next = random(seed);
    const among = <T>(all: T[]): T => all[Math.floor(next() * all.length)]!;
    const story: string[] = [];
    /** What ends faults that last for a while. */
    const undo: Promise<unknown>[] = [];

    const rule = (what: Rule) => () => {
      const added = lab.proxy.add(what);
      undo.push(pause(200 + next() * 600).then(() => lab.proxy.remove(added)));
    };
    const signal = (processes: Process<unknown>[], name: NodeJS.Signals) => () => {
      const one = among(processes);
      one.signal(name);
      if (name === "SIGSTOP") undo.push(pause(300 + next() * 2200).then(() => one.signal("SIGCONT")));
    };
    /** Handlers do this with a group, for a while. */
    const behaving =
      (what: string, ms = 100 + next() * 300) =>
      async () => {
        const group = among(groups);
        await lab.behave(group, 0, what);
        undo.push(pause(ms).then(() => heal(group)));
      };
    const publish = ["PublishBatch"];
    const faults: Record<string, () => unknown> = {
      "a relay is killed": signal(relays, "SIGKILL"),
      "a relay is frozen": signal(relays, "SIGSTOP"),
      "a relay leaves": signal(relays, "SIGTERM"),
      "a worker is killed": signal(workers, "SIGKILL"),
      "a worker is frozen": signal(workers, "SIGSTOP"),
      "a worker leaves": signal(workers, "SIGTERM"),
      "publishing fails": rule({
        actions: publish,
        fault: { kind: "error", status: 503, code: "ServiceUnavailable" },
      }),
      "publishing times out": rule({ actions: publish, chance: 0.5, fault: { kind: "silence" } }),
      "answers of publishing are lost": rule({ actions: publish, chance: 0.5, fault: { kind: "lose" } }),
      "entries fail": rule({
        chance: 0.2,
        fault: { kind: "partial", code: "InternalError", senderFault: false },
      }),
      "calls are repeated": rule({ actions: [...publish, "DeleteMessageBatch"], fault: { kind: "repeat" } }),
      "answers come late": rule({ chance: 0.3, fault: { kind: "delay", ms: 200, of: "answer" } }),
      "deletes fail": rule({
        actions: ["DeleteMessageBatch"],
        chance: 0.5,
        fault: { kind: "error", status: 500, code: "InternalError" },
      }),
      "receives fail": rule({ actions: ["ReceiveMessage"], fault: { kind: "lose" } }),
      "time-outs end": () => lab.stub.expire(`${queue.name}.fifo`),
      "the broker forgets": () => lab.stub.advance(6 * 60_000),
      "connections are cut": () => cut(),
      "the database restarts": () => server.pause().then(() => server.resume()),
      "the database is read-only": async () => {
        await lab.rows(`alter database ${database} set default_transaction_read_only = on`);
        try {
          await cut();
          await pause(300 + next() * 700);
        } finally {
          await writable();
        }
      },
      "a writer holds its transaction open": async () => {
        const slow = new Client({ connectionString: lab.databaseUrl });
        slow.on("error", () => {});
        const [group, ms] = [among(groups), 300 + next() * 1500];
        const written = (async () => {
          await slow.connect();
          await slow.query("begin");
          await lab.write(group, 2, {}, slow);
          await pause(ms);
          await slow.query("commit");
        })();
        // It may be cut off meanwhile: then nothing was committed.
        undo.push(written.catch(() => {}).then(() => slow.end().catch(() => {})));
      },
      "entries are refused for good": rule({
        actions: publish,
        chance: 0.3,
        fault: { kind: "partial", code: "InvalidParameter", senderFault: true },
      }),
      "a handler fails for a while": behaving("fail"),
      "a handler refuses": behaving("refuse"),
      "a handler ends its process": behaving("exit"),
      "a handler is slower than the visibility": behaving("slow 3000"),
      "a handler is asked to wait": behaving("wait 1"),
      "somebody repairs what waits for a person": repair,
    };
    const database = new URL(lab.databaseUrl).pathname.slice(1);
    const cut = () =>
      lab.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
      );
    async function writable(): Promise<void> {
      const admin = new Client({ connectionString: server.url() });
      admin.on("error", () => {});
      await admin.connect();
      await admin.query(`alter database ${database} reset default_transaction_read_only`);
      await admin.end();
      await cut();
    }
    async function repair(): Promise<void> {
      const client = await lab.client();
      for (const { id } of await blockedEvents(client)) await retryBlocked(client, id);
      await askForReplay(client, { consumer: queue.name });
    }
    async function heal(group: string): Promise<void> {
      await lab.behave(group, 0, undefined).catch(() => pause(100).then(() => heal(group)));
    }

    const ended = new AbortController();
    let written = 0;
    const enough = () => written >= 50;
    const writer = (async () => {
      while (!ended.signal.aborted) {
        const count = 1 + Math.floor(next() * 3);
        // The database may be away: then nothing was committed, and nothing is expected.
        await lab.write(among(groups), count).then(
          () => (written += count),
          () => {},
        );
        await pause(10 + next() * 30);
      }
    })();
    const until = performance.now() + seconds * 1000;
    // On a busy machine until there is something to lose.
    while (performance.now() < until || !enough()) {
      const what = among(Object.keys(faults));
      const left = ((until - performance.now()) / 1000).toFixed(1);
      // The database may be away just now.
      const failed = await (async () => void (await faults[what]!()))().catch(
        (error: Error) => error.message,
      );
      story.push(`${left} s left: ${what}${failed === undefined ? "" : ` (could not be done: ${failed})`}`);
      await pause(100 + next() * 300);
    }
    ended.abort();
    await Promise.all([writer, ...undo]);
    lab.proxy.clear();

    // Until nothing is blocked or parked any more: a repaired one may have to wait behind another.
    let verdict: Verdict;
    const deadline = performance.now() + 90_000;
    do {
      await repair().catch(() => {});
      await pause(500);
      verdict = await lab.verdict();
      if (verdict.twice + verdict.misordered + verdict.dead > 0) break;
    } while (verdict.lost + verdict.left + verdict.parked > 0 && performance.now() < deadline);
    // A handler whose connection was cut while its process was frozen may be overtaken: its transaction is gone by then.
    const expected = { ...nothingWrong, overlapping: verdict.overlapping };
    expect(verdict, `FAULT_SEED=${seed}\n${story.join("\n")}`).toEqual(expected);
    const effects = await lab.effects(queue);
    expect(effects.length).toBeGreaterThanOrEqual(written);
    for (const group of groups) {
      const numbers = effects
        .filter((name) => name.startsWith(`${group}-`))
        .map((name) => Number(name.split("-")[1]));
      expect([group, numbers]).toEqual([group, upTo(numbers.length)]);
    }
  },
);
