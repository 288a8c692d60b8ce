import type { Ending } from "./play.ts";
import { pieces, settlements } from "./settlements.ts";
import type { Outcome } from "./shop.ts";
import { isFault } from "./story.ts";

/**
 * What came of a story, for a person to check, on one screen: documents by what was answered and what the database holds
 * of them, goods and cash as sums of the answers against the database, events, faults.
 */
export function ledger(ending: Ending): string {
  return [documents(ending), books(ending), events(ending), faults(ending), rest(ending)].join("\n\n");
}

function documents({ story: { outcomes }, violations }: Ending): string {
  const unsettled = new Set(
    violations.flatMap(({ law, n }) => (law === "settled once" && n !== undefined ? n : [])),
  );
  const rows = Object.keys(settlements).map((kind) => {
    const all = outcomes.filter(({ step }) => step.kind === kind);
    const accepted = all.filter(({ result }) => result === "accepted");
    return [
      kind,
      accepted.length,
      // A time-out or a 5xx said nothing; the same question again said yes.
      accepted.filter(({ sent }) => sent > 1).length,
      all.filter(({ result }) => result === "refused").length,
      all.filter(({ result }) => result === "unanswered").length,
      accepted.filter(({ step }) => !unsettled.has(step.n)).length,
    ];
  });
  return table(
    ["documents", "accepted", "of them unknown first", "refused", "never answered", "settled once"],
    [...rows, ["all", ...sums(rows)]],
  );
}

function books({ story: { before, after, outcomes } }: Ending): string {
  const accepted = outcomes.filter(({ result }) => result === "accepted");
  const account = (name: string, opening: number, closing: number, worth: (outcome: Outcome) => number) => {
    const changes = Object.keys(settlements).map((kind) =>
      sum(accepted.filter(({ step }) => step.kind === kind).map(worth)),
    );
    const expected = opening + sum(changes);
    return [name, opening, ...changes, expected, closing, closing - expected];
  };
  const onHand = (goods: Map<string, number>) => sum([...goods.values()]);
  return table(
    ["books", "opening", ...Object.keys(settlements), "= by answers", "in database", "difference"],
    [
      account("goods, pieces", onHand(before.onHand), onHand(after.onHand), ({ moved }) => pieces(moved)),
      account("cash, yen", before.cashYen, after.cashYen, ({ cashYen }) => cashYen),
    ],
  );
}

function events({ story: { heard } }: Ending): string {
  const rows = byName(Map.groupBy(heard, ({ topic }) => topic)).map(([topic, all]) => {
    const versioned = all.filter(({ aggregate }) => aggregate.seq !== undefined);
    return [
      topic.replace(/^.*-backend-outbox-/, ""),
      new Set(all.map(({ id }) => id)).size,
      all.length - new Set(all.map(({ id }) => id)).size,
      new Set(all.map(({ aggregate }) => aggregate.id)).size,
      versioned.length,
    ];
  });
  return table(["events by topic", "heard", "heard again", "aggregates", "order checked"], rows);
}

function faults({ steps }: Ending): string {
  const happened = steps.filter(isFault);
  const rows = byName(Map.groupBy(happened, ({ kind }) => kind)).map(([kind, all]) => {
    const whom = Map.groupBy(all, (fault) =>
      "service" in fault ? fault.service : "job" in fault ? fault.job : "",
    );
    const seconds = sum(all.map((fault) => ("ms" in fault ? fault.ms : 0))) / 1000;
    const details = [
      ...byName(whom).flatMap(([name, some]) => (name ? `${name} ${some.length}` : [])),
      ...(seconds > 0 ? [`${seconds.toFixed(1)} s in all`] : []),
    ];
    return `${kind.padEnd(8)}  ${String(all.length).padStart(4)}  ${details.join(", ")}`.trimEnd();
  });
  return [`faults, deployments and jobs: ${happened.length}`, ...rows].join("\n");
}

function rest({ settledMs, handedOver, violations }: Ending): string {
  return (
    `At rest ${Math.round(settledMs / 1000)} s after the last step` +
    `${handedOver > 0 ? `; ${handedOver} mails that the function had given up were handed over by a person` : ""}.\n` +
    (violations.length === 0
      ? "Every accepted document is settled once, goods and cash are conserved, order was kept, nothing is left over."
      : `Laws broken: ${violations.length}.`)
  );
}

type Cell = string | number;

/** The first column to the left, numbers to the right. */
function table(head: string[], rows: Cell[][]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => cell.toLocaleString("en-US")))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join("  "),
    )
    .join("\n");
}

function byName<T>(groups: Map<string, T>): [string, T][] {
  return [...groups].toSorted(([a], [b]) => a.localeCompare(b));
}

function sums(rows: Cell[][]): number[] {
  return rows[0]!.slice(1).map((_, column) => sum(rows.map((row) => Number(row[column + 1]))));
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
