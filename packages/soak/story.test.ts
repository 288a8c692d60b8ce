import { expect, test } from "vitest";
import { PRODUCTS, UNSEEN, isFault, storyOf, tell } from "./story.ts";

const options = { seed: 7, minutes: 2, rate: 5, faultSeconds: 5, services: ["a", "b"], jobs: ["j"] };

test("the same seed is the same story, another seed is another", () => {
  expect(storyOf(options)).toEqual(storyOf(options));
  expect(storyOf({ ...options, seed: 8 })).not.toEqual(storyOf(options));
});

test("a story lasts as long as it was asked to, at its rate, with its faults", () => {
  const steps = storyOf(options);
  expect(steps.map(({ n }) => n)).toEqual(steps.map((_, n) => n));
  expect(steps.every(({ at }, n) => at >= (steps[n - 1]?.at ?? 0) && at <= 120_000)).toBe(true);
  // 600 deeds and 24 faults on average.
  expect(steps.filter((step) => !isFault(step)).length).toBeGreaterThan(500);
  expect(steps.filter(isFault).length).toBeGreaterThan(10);
  expect(storyOf({ ...options, faultSeconds: 0 }).some(isFault)).toBe(false);
  // In ten minutes everything happens.
  const kinds = storyOf({ ...options, minutes: 10 }).map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(
    new Set([
      "sale",
      "refund",
      "buyback",
      "receive",
      "order",
      "mall",
      "kill",
      "freeze",
      "deploy",
      "database",
      "stall",
      "broker",
      "job",
    ]),
  );
});

test("a refund is of a sale that its own store has made before, and of nothing that was not on its receipt", () => {
  const steps = storyOf(options);
  const refunds = steps.filter((step) => step.kind === "refund");
  expect(refunds.length).toBeGreaterThan(30);
  const wrong = refunds.filter((refund) => {
    const sale = steps[refund.sale];
    if (sale?.kind !== "sale" || sale.n >= refund.n || sale.mail !== refund.mail) return true;
    // The first two tills stand in one store.
    if (Math.max(1, sale.till) !== Math.max(1, refund.till)) return true;
    return !refund.lines.every(({ lineNo, qty }) => qty > 0 && qty <= (sale.lines[lineNo - 1]?.qty ?? 0));
  });
  expect(wrong).toEqual([]);
  expect(new Set(refunds.map(({ sale }) => sale)).size).toBeLessThan(refunds.length);
});

test("all sorts of people sell to the shop, also what a store never had, for less and for more than 10,000 yen", () => {
  const buybacks = storyOf(options).filter((step) => step.kind === "buyback");
  expect(new Set(buybacks.map(({ seller }) => seller))).toEqual(new Set(["named", "unnamed", "unwilling"]));
  const products = buybacks.flatMap(({ lines }) => lines.map(({ product }) => product));
  expect(new Set(products)).toEqual(new Set(Array.from({ length: PRODUCTS + UNSEEN }, (_, n) => n)));
  const sizes = buybacks.map(({ lines, unitYen }) => lines.reduce((sum, { qty }) => sum + qty * unitYen, 0));
  expect(new Set(sizes.map((yen) => yen >= 10_000))).toEqual(new Set([true, false]));
});

test("a step is told in one line", () => {
  expect(
    tell({
      n: 3,
      at: 1500,
      kind: "sale",
      till: 1,
      lines: [
        { product: 2, qty: 3 },
        { product: 0, qty: 1 },
      ],
      mail: true,
    }),
  ).toBe("   1.5 s  #3     till 1 sells 3×p2 1×p0 and mails the receipt");
});
