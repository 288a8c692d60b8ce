import { expect, test } from "vitest";
import { ledger } from "./ledger.ts";
import type { Ending } from "./play.ts";
import type { Outcome } from "./shop.ts";
import type { Step } from "./story.ts";

const sale = (n: number, rest: Partial<Outcome> = {}): Outcome => ({
  step: { n, at: n, kind: "sale", till: 0, lines: [], mail: false },
  id: `sale ${n}`,
  result: "accepted",
  lines: [{ productId: "p", qty: 2 }],
  moved: [{ productId: "p", qty: -2 }],
  cashYen: 1500,
  sent: 1,
  ...rest,
});
const heard = (id: string, seq?: number) => ({
  topic: "product.fifo",
  id,
  type: "product.stock_changed",
  aggregate: { type: "product", id: "p", ...(seq === undefined ? {} : { seq }) },
});
const steps: Step[] = [
  { n: 5, at: 5, kind: "broker", ms: 1500 },
  { n: 6, at: 6, kind: "kill", service: "worker-item" },
  { n: 7, at: 7, kind: "kill", service: "backend-api" },
  { n: 8, at: 8, kind: "kill", service: "worker-item" },
  { n: 9, at: 9, kind: "job", job: "job-daily" },
];
const ending: Ending = {
  steps,
  story: {
    before: { onHand: new Map([["p", 1000]]), placed: new Map(), cashYen: 0 },
    after: { onHand: new Map([["p", 996]]), placed: new Map(), cashYen: 2900 },
    outcomes: [
      sale(0),
      sale(1, { sent: 3 }),
      sale(2, { result: "refused" }),
      sale(3, { result: "unanswered" }),
    ],
    heard: [heard("a", 1), heard("b", 2), heard("b", 2), heard("c")],
    queues: [],
    brokerCrashed: true,
  },
  violations: [{ law: "settled once", what: "sale 1 is not", n: 1 }],
  settledMs: 12_300,
  handedOver: 0,
};
/** A line of the ledger by its beginning, as words. */
const row = (name: string) =>
  ledger(ending)
    .split("\n")
    .find((line) => line.startsWith(name))
    ?.slice(name.length)
    .trim()
    .split(/\s+/);

test("documents are counted by what was answered and by what the database holds of them", () => {
  expect(row("sale")).toEqual(["2", "1", "1", "1", "1"]);
  expect(row("all")).toEqual(["2", "1", "1", "1", "1"]);
});

test("books are the opening and what each kind of accepted document moved, and name what is missing", () => {
  const [opening, sold, ...others] = row("goods, pieces")!;
  expect([opening, sold, ...others.slice(-3)]).toEqual(["1,000", "-4", "996", "996", "0"]);
  expect(row("cash, yen")!.slice(-3)).toEqual(["3,000", "2,900", "-100"]);
});

test("events are counted once, and once more when they came again", () => {
  expect(row("product.fifo")).toEqual(["3", "1", "1", "3"]);
});

test("faults are told by kind and by whom they hit", () => {
  expect(row("kill")!.join(" ")).toBe("3 backend-api 1, worker-item 2");
  expect(row("broker")!.join(" ")).toBe("1 1.5 s in all");
  expect(row("job ")!.join(" ")).toBe("1 job-daily 1");
  expect(ledger(ending)).toContain("At rest 12 s after the last step.\nLaws broken: 1.");
});
