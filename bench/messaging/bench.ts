import { parseArgs } from "node:util";
import * as consumer from "./consumer.ts";
import { endToEnd } from "./end-to-end.ts";
import * as peers from "./peers.ts";
import * as relays from "./relays.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";
import { takeover } from "./takeover.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 3 : 7));

/** One line of the table: a way, what it is measured against, and how it must compare. */
type Line = { what: string; ratio: number; bar: string; ok: boolean | undefined; values: string };

/** Told at once: a whole run takes minutes, and whoever stops it keeps what was measured. */
function tell({ what, ratio, bar, ok, values: absolute }: Line): void {
  const mark = ok === undefined ? " " : ok ? "✓" : "✗";
  process.stdout.write(
    `${what.padEnd(62)}  ${ratio.toFixed(2).padStart(5)}  ${bar.padStart(6)} ${mark}  ${absolute}\n`,
  );
}

/**
 * Runs all ways in turn, round after round, so that a busy moment hits each of them, and compares within a round: what
 * counts is the median of the rounds' ratios to the first way.
 */
async function compare(
  title: string,
  ways: Record<string, () => Promise<number>>,
  bars: Record<string, number>,
): Promise<void> {
  if (!title.includes(values.only)) return;
  const names = Object.keys(ways);
  const seen = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      seen.get(name)?.push((await ways[name]?.()) ?? NaN);
    }
  }
  const [first = ""] = names;
  for (const name of names.slice(1)) {
    const ratio = median((seen.get(name) ?? []).map((value, n) => value / (seen.get(first)?.[n] ?? NaN)));
    const bar = bars[name];
    tell({
      what: `${title}: ${name} / ${first}`,
      ratio,
      bar: bar === undefined ? "" : `≥ ${bar}`,
      ok: bar === undefined ? undefined : ratio >= bar,
      values: `${rate(seen.get(name))} / ${rate(seen.get(first))}`,
    });
  }
}

async function consumers(rig: Rig): Promise<void> {
  const messages = quick ? 2000 : 5000;
  const from = (consume: consumer.Consume) => async () => {
    const url = await rig.queue(messages, 1000);
    const perSecond = await consume(rig, url, messages);
    await rig.dropQueues([url]);
    return perSecond;
  };
  await compare(
    "consumer, no database",
    { floor: from(consumer.bareLoop), ours: from(consumer.engineAlone) },
    { ours: 0.8 },
  );
  await compare(
    "consumer, a transaction each",
    { floor: from(consumer.bareTransactions), ours: from(consumer.engineWithDatabase) },
    { ours: 0.8 },
  );
  await compare(
    "transactions with inbox row and parked check",
    {
      bare: () => consumer.transactions(rig, messages),
      ours: () => consumer.inboxTransactions(rig, messages),
    },
    { ours: 0.65 },
  );
  await compare(
    "transactions with an outbox row",
    {
      bare: () => consumer.transactions(rig, messages),
      ours: () => consumer.outboxTransactions(rig, messages),
    },
    { ours: 0.75 },
  );
}

async function drains(rig: Rig): Promise<void> {
  const events = quick ? 3000 : 10_000;
  for (const [groups, bar] of [
    [1000, 0.8],
    [60, 0.8],
    [10, 0.3],
  ] as const) {
    await compare(
      `drain, ${groups} groups`,
      {
        floor: () => relays.drain(rig, relays.floor, events, groups),
        ours: () => relays.drain(rig, relays.ours, events, groups),
      },
      { ours: bar },
    );
  }
}

/** A report that stays open: each fetch passes by all that was deleted since. */
async function drainsBesideSnapshot(rig: Rig): Promise<void> {
  const events = quick ? 10_000 : 100_000;
  await compare(
    `${events} beside an old snapshot`,
    {
      none: () => relays.drain(rig, relays.ours, events, 1000),
      open: () => relays.drainBesideOldSnapshot(rig, relays.ours, events, 1000),
    },
    { open: 0.2 },
  );
}

/** Their rows go out one by one or nearly so: fewer are enough. */
async function drainsOfPeers(rig: Rig): Promise<void> {
  const events = quick ? 600 : 3000;
  const drain = (start: relays.StartRelay) => () => relays.drain(rig, start, events, 1000);
  await compare(
    "drain, peers",
    {
      floor: drain(relays.floor),
      ours: drain(relays.ours),
      "pg-boss, 100": drain(peers.pgBoss),
      "graphile-worker": drain(peers.graphileWorker),
      "pg-transactional-outbox, polling": drain(peers.pgTransactionalOutbox),
    },
    {},
  );
}

async function latencies(rig: Rig): Promise<void> {
  if (!"latency".includes(values.only)) return;
  const seconds = quick ? 3 : 5;
  const floors: number[] = [];
  const our: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floors.push(...(await relays.latencies(rig, relays.floor, seconds, 200)));
    our.push(...(await relays.latencies(rig, relays.ours, seconds, 200)));
  }
  for (const percent of [50, 99]) {
    const [floor, ours] = [floors, our].map((times) => percentile(times, percent));
    const ratio = (ours ?? NaN) / (floor ?? NaN);
    tell({
      what: `latency at 200/s, p${percent}: ours / floor`,
      ratio,
      bar: "≤ 2",
      ok: ratio <= 2,
      values: `${ours?.toFixed(1)} / ${floor?.toFixed(1)} ms`,
    });
  }
}

async function takeovers(rig: Rig): Promise<void> {
  if (!"takeover".includes(values.only)) return;
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await takeover(rig));
  const longest = Math.max(...times) / 1000;
  tell({
    what: "take-over after SIGKILL, the slowest, in s",
    ratio: longest,
    bar: "≤ 1",
    ok: longest <= 1,
    values: `median ${Math.round(median(times))} ms`,
  });
}

async function wholeWay(rig: Rig): Promise<void> {
  const events = quick ? 300 : 1000;
  await compare(
    "end to end, 7 queues",
    { floor: () => endToEnd(rig, "floor", events), ours: () => endToEnd(rig, "ours", events) },
    { ours: 0.7 },
  );
}

function median(numbers: number[]): number {
  return percentile(numbers, 50);
}

function percentile(numbers: number[], percent: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}

function rate(numbers: number[] = []): string {
  return `${Math.round(median(numbers))}/s`;
}

const rig = await startRig();
process.stdout.write(`${`${rounds} rounds`.padEnd(62)}  ratio     bar\n`);
try {
  await consumers(rig);
  await drains(rig);
  await drainsBesideSnapshot(rig);
  await drainsOfPeers(rig);
  await latencies(rig);
  await takeovers(rig);
  await wholeWay(rig);
} finally {
  await rig.close();
}
