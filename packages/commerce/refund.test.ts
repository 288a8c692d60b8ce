import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  price,
  refund,
  settle,
  taxes,
  type Refund,
  type RefundableSale,
  type Refusal,
  type Rounding,
  type TaxGroup,
  type Tender,
} from "./index.ts";

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const rounding = fc.constantFrom<Rounding>("floor", "round", "ceil");

/** A sale with discounts, several rates, and a card for some of it. */
const sale = fc
  .record({
    lines: fc.array(
      fc.record({
        ratePct: fc.constantFrom(10, 8, 0),
        unitPriceYen: fc.integer({ min: 0, max: 3000 }),
        qty: fc.integer({ min: 1, max: 7 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    off: fc.option(fc.record({ yen: fc.integer({ min: 0, max: 4000 }) })),
    card: fc.nat(),
    direction: rounding,
  })
  .map(({ lines, off, card, direction }): { sale: RefundableSale; direction: Rounding } => {
    const priced = price(
      lines.map((line, index) => ({ ...line, lineNo: index + 1, name: "本" })),
      off,
    );
    const totalYen = sum(priced.map(({ amountYen }) => amountYen));
    const cardYen = totalYen === 0 ? 0 : card % (totalYen + 1);
    const tenders: Tender[] = [
      ...(cardYen > 0 ? [{ method: "card" as const, amountYen: cardYen, paymentId: "p" }] : []),
      ...(totalYen > cardYen ? [{ method: "cash" as const, tenderedYen: totalYen }] : []),
    ];
    const settled = settle(totalYen, tenders);
    if ("refused" in settled) throw new Error(settled.message);
    const payments = settled.payments.map((payment, index) => ({ ...payment, lineNo: index + 1 }));
    return {
      sale: { state: "completed", lines: priced, taxes: taxes(priced, direction), payments },
      direction,
    };
  });

/** Brings everything back in the order that `picks` choose, some pieces at a time. */
function inParts(sold: RefundableSale, picks: number[], roundingOf: (n: number) => Rounding): Refund[] {
  const left = new Map(sold.lines.map(({ lineNo, qty }) => [lineNo, qty]));
  const done: Refund[] = [];
  for (let n = 0; sum([...left.values()]) > 0; n += 1) {
    const pick = picks[n % picks.length] ?? 0;
    const open = [...left].filter(([, qty]) => qty > 0);
    const chosen = open.filter((_, index) => ((pick >> index) & 1) === 1);
    const asked = (chosen.length > 0 ? chosen : open.slice(0, 1)).map(([lineNo, qty]) => ({
      lineNo,
      qty: 1 + ((pick >> 8) % qty),
      restock: pick % 2 === 0,
    }));
    done.push(accepted(refund(sold, done, asked, roundingOf(n))));
    for (const { lineNo, qty } of asked) left.set(lineNo, (left.get(lineNo) ?? 0) - qty);
  }
  return done;
}

function accepted(answer: Refund | Refusal): Refund {
  if ("refused" in answer) throw new Error(`${answer.refused}: ${answer.message}`);
  return answer;
}

const picks = fc.array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 12 });

/** Every part of a sale: pieces and yen of each line, gross and tax of each rate, the yen of each payment. */
const partsOf = (sold: RefundableSale) => ({
  lines: sold.lines.map(({ lineNo, qty, amountYen }) => [lineNo, qty, amountYen]),
  taxes: sold.taxes.map(({ ratePct, grossYen, taxYen }) => [ratePct, grossYen, taxYen]),
  payments: sold.payments.map(({ method, amountYen }) => [method, amountYen]),
});

/** The same parts, added up from the refunds. */
const partsBack = (sold: RefundableSale, refunds: Refund[]) => ({
  lines: sold.lines.map(({ lineNo }) => {
    const back = refunds.flatMap(({ lines }) => lines.filter((line) => line.lineNo === lineNo));
    return [lineNo, sum(back.map(({ qty }) => qty)), sum(back.map(({ amountYen }) => amountYen))];
  }),
  taxes: sold.taxes.map(({ ratePct }) => {
    const back = refunds.flatMap((one) => one.taxes.filter((group) => group.ratePct === ratePct));
    return [ratePct, sum(back.map(({ grossYen }) => grossYen)), sum(back.map(({ taxYen }) => taxYen))];
  }),
  payments: sold.payments.map(({ lineNo, method }) => {
    const back = refunds.flatMap(({ payments }) => payments.filter((one) => one.lineNo === lineNo));
    const same = back.every((one) => one.method === method);
    return [same ? method : "another method", sum(back.map(({ amountYen }) => amountYen))];
  }),
});

/** What is wrong with a refund by itself: it must add up, and nothing in it may be negative or above its whole. */
const wrongWith = ({ lines, taxes: groups, payments, totalYen }: Refund) =>
  [
    ["lines", sum(lines.map(({ amountYen }) => amountYen)) === totalYen],
    ["taxes", sum(groups.map(({ grossYen }) => grossYen)) === totalYen],
    ["payments", sum(payments.map(({ amountYen }) => amountYen)) === totalYen],
    ["a line below nothing", lines.every(({ amountYen }) => amountYen >= 0)],
    ["an empty payment", payments.every(({ amountYen }) => amountYen > 0)],
    ["a tax below nothing", groups.every(({ taxYen }) => taxYen >= 0)],
    ["a tax above its gross", groups.every(({ grossYen, taxYen }) => taxYen <= grossYen)],
  ].flatMap(([what, right]) => (right ? [] : [what]));

describe("partial refunds", () => {
  test("in any order end at exactly what was paid and taxed, and none is negative or above", () => {
    fc.assert(
      fc.property(sale, picks, ({ sale: sold, direction }, order) => {
        const refunds = inParts(sold, order, () => direction);
        expect(refunds.flatMap(wrongWith)).toEqual([]);
        expect(partsBack(sold, refunds)).toEqual(partsOf(sold));
      }),
    );
  });

  test("do so too when the company changes its rounding between them", () => {
    fc.assert(
      fc.property(sale, picks, fc.array(rounding, { minLength: 1 }), ({ sale: sold }, order, directions) => {
        const refunds = inParts(sold, order, (n) => directions[n % directions.length] as Rounding);
        expect(refunds.flatMap(wrongWith)).toEqual([]);
        expect(partsBack(sold, refunds)).toEqual(partsOf(sold));
      }),
    );
  });

  test("leave the receipt of what was kept: its tax is that of a sale of just those pieces", () => {
    fc.assert(
      fc.property(sale, picks, ({ sale: sold, direction }, order) => {
        const [first] = inParts(sold, order, () => direction);
        const back = new Map(first?.lines.map(({ lineNo, amountYen }) => [lineNo, amountYen]));
        const kept = sold.lines.map((line) => ({
          ratePct: line.ratePct,
          amountYen: line.amountYen - (back.get(line.lineNo) ?? 0),
        }));
        const taxLeft = (groups: TaxGroup[]) =>
          groups.map(({ ratePct, taxYen }) => {
            const refunded = first?.taxes.find((group) => group.ratePct === ratePct)?.taxYen ?? 0;
            return [ratePct, taxYen - refunded];
          });
        expect(taxLeft([...sold.taxes])).toEqual(
          taxes(kept, direction).map(({ ratePct, taxYen }) => [ratePct, taxYen]),
        );
      }),
    );
  });
});

const twoLines: RefundableSale = {
  state: "completed",
  lines: [
    { lineNo: 1, name: "本", ratePct: 10, qty: 3, amountYen: 100 },
    { lineNo: 2, name: "煎餅", ratePct: 8, qty: 1, amountYen: 108 },
  ],
  taxes: [
    { ratePct: 10, grossYen: 100, taxYen: 9 },
    { ratePct: 8, grossYen: 108, taxYen: 8 },
  ],
  payments: [
    { lineNo: 1, method: "card", amountYen: 50 },
    { lineNo: 2, method: "cash", amountYen: 158 },
  ],
};

test("a line of 100 yen for three comes back as 33, 33 and 34, to the card first", () => {
  const done: Refund[] = [];
  for (let n = 0; n < 3; n += 1)
    done.push(accepted(refund(twoLines, done, [{ lineNo: 1, qty: 1, restock: true }], "floor")));
  expect(done.map(({ totalYen }) => totalYen)).toEqual([33, 33, 34]);
  expect(done.map((one) => one.taxes)).toEqual([
    [{ ratePct: 10, grossYen: 33, taxYen: 3 }],
    [{ ratePct: 10, grossYen: 33, taxYen: 3 }],
    [{ ratePct: 10, grossYen: 34, taxYen: 3 }],
  ]);
  expect(done.map(({ payments }) => payments)).toEqual([
    [{ lineNo: 1, method: "card", amountYen: 33 }],
    [
      { lineNo: 1, method: "card", amountYen: 17 },
      { lineNo: 2, method: "cash", amountYen: 16 },
    ],
    [{ lineNo: 2, method: "cash", amountYen: 34 }],
  ]);
});

// odoo/odoo#55114: rounded each for itself, the taxes of 1 and 10 yen are 0 and 0 of a tax of 1.
test("eleven yen that come back as one and ten take their one yen of tax along", () => {
  const sold: RefundableSale = {
    state: "completed",
    lines: [
      { lineNo: 1, name: "飴", ratePct: 10, qty: 1, amountYen: 1 },
      { lineNo: 2, name: "飴", ratePct: 10, qty: 1, amountYen: 10 },
    ],
    taxes: [{ ratePct: 10, grossYen: 11, taxYen: 1 }],
    payments: [{ lineNo: 1, method: "cash", amountYen: 11 }],
  };
  const first = accepted(refund(sold, [], [{ lineNo: 1, qty: 1, restock: false }], "floor"));
  const second = accepted(refund(sold, [first], [{ lineNo: 2, qty: 1, restock: false }], "floor"));
  expect(first.taxes[0]?.taxYen ?? 0).toBe(1);
  expect(second.taxes).toEqual([{ ratePct: 10, grossYen: 10, taxYen: 0 }]);
});

test.each<[string, number, Rounding, Rounding, number[]]>([
  // 1.04 yen was taken as 2, and is now 1.04 less 0.96, each rounded down: all of a yen, and not 2 of it.
  ["more tax than the yen that comes back", 14, "ceil", "floor", [1, 1]],
  // 0.96 yen was taken as 0, and what is left of it would now be 1.
  ["less than no tax", 13, "floor", "ceil", [0, 0]],
])("after a change of rounding there is not %s", (_, pieces, sold, now, expected) => {
  const candy = { lineNo: 1, name: "飴", ratePct: 8, qty: pieces, amountYen: pieces };
  const sale: RefundableSale = {
    state: "completed",
    lines: [candy],
    taxes: taxes([candy], sold),
    payments: [{ lineNo: 1, method: "cash", amountYen: pieces }],
  };
  const first = accepted(refund(sale, [], [{ lineNo: 1, qty: 1, restock: true }], now));
  const rest = accepted(refund(sale, [first], [{ lineNo: 1, qty: pieces - 1, restock: true }], now));
  expect([first, rest].map((one) => one.taxes[0]?.taxYen)).toEqual(expected);
});

test.each<[string, RefundableSale, { lineNo: number; qty: number }[], string]>([
  ["a voided sale", { ...twoLines, state: "voided" }, [{ lineNo: 1, qty: 1 }], "sale_voided"],
  ["nothing", twoLines, [], "nothing_asked"],
  ["more than was sold", twoLines, [{ lineNo: 1, qty: 4 }], "above_sold"],
  ["half a piece", twoLines, [{ lineNo: 1, qty: 0.5 }], "bad_qty"],
  ["less than nothing", twoLines, [{ lineNo: 1, qty: -1 }], "bad_qty"],
  ["a line that the sale has not", twoLines, [{ lineNo: 3, qty: 1 }], "line_unknown"],
  [
    "a line twice",
    twoLines,
    [
      { lineNo: 1, qty: 1 },
      { lineNo: 1, qty: 1 },
    ],
    "line_twice",
  ],
])("a refund of %s is refused", (_, sold, asked, refused) => {
  const asks = asked.map((ask) => ({ ...ask, restock: true }));
  expect(refund(sold, [], asks, "floor")).toMatchObject({ refused });
});

test("what came back before counts, and the refusal says how much is left", () => {
  const first = accepted(refund(twoLines, [], [{ lineNo: 1, qty: 2, restock: true }], "floor"));
  expect(refund(twoLines, [first], [{ lineNo: 1, qty: 2, restock: true }], "floor")).toEqual({
    refused: "above_sold",
    message: "「本」で返品できるのはあと1点です(会計3点、返品済み2点)。",
  });
});
