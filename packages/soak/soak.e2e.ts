import { expect, test } from "vitest";
import { play } from "./play.ts";
import type { Step } from "./story.ts";

const sale = (n: number, at: number): Step => ({
  n,
  at,
  kind: "sale",
  till: n % 4,
  lines: [{ product: n % 3, qty: 1 }],
  mail: false,
});
const refund = (n: number, at: number, of: number, restock: boolean): Step => ({
  n,
  at,
  kind: "refund",
  till: of % 4,
  sale: of,
  lines: [{ lineNo: 1, qty: 1, restock }],
  mail: false,
});
/** Sales and refunds before, during and after the relay's death and the crash of SNS and SQS. */
const happenings: Step[] = [
  ...Array.from({ length: 20 }, (_, n) => sale(n, n * 100)),
  { n: 20, at: 2000, kind: "kill", service: "backend-outbox" },
  ...Array.from({ length: 20 }, (_, n) => sale(21 + n, 2005 + n * 100)),
  refund(42, 1900, 1, true),
  refund(43, 2100, 2, false),
  refund(44, 4200, 21, true),
  { n: 41, at: 3500, kind: "broker", ms: 1500 },
];
const steps = happenings.toSorted((a, b) => a.at - b.at);

test(
  "the shop as it is settles every sale and refund although its relay is killed and its broker crashes",
  { timeout: 300_000 },
  async () => {
    const { violations, story } = await play(steps, { seed: 1 });
    expect(violations).toEqual([]);
    expect(story.outcomes.filter(({ result }) => result === "accepted")).toHaveLength(43);
  },
);

test("a relay that begins at the newest row when it starts is found out", { timeout: 300_000 }, async () => {
  const { violations } = await play(steps, { seed: 1, plant: "relay-begins-at-the-newest" });
  const laws = new Set(violations.map(({ law }) => law));
  expect(laws).toContain("settled once");
  expect(laws).toContain("stock conserved");
  expect(laws).toContain("told once");
  // Whatever was sold while there was a relay is in order.
  expect(violations.some(({ n }) => n !== undefined && n < 10)).toBe(false);
});
