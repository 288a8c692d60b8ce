import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  price,
  receipt,
  settle,
  spread,
  taxes,
  type Discount,
  type LineInput,
  type ReceiptSale,
  type Rounding,
  type Tender,
} from "./index.ts";

const yen = fc.integer({ min: 0, max: 200_000 });
const rounding = fc.constantFrom<Rounding>("floor", "round", "ceil");
const discount: fc.Arbitrary<Discount | null> = fc.oneof(
  fc.constant(null),
  yen.map((amount) => ({ yen: amount })),
  fc.integer({ min: 0, max: 100 }).map((percent) => ({ percent })),
);
const line: fc.Arbitrary<LineInput> = fc.record({
  ratePct: fc.constantFrom(10, 8, 0),
  unitPriceYen: yen,
  qty: fc.integer({ min: 1, max: 20 }),
  discount,
});
const basket = fc.array(line, { minLength: 1, maxLength: 12 });
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const total = (lines: { amountYen: number }[]) => sum(lines.map(({ amountYen }) => amountYen));

describe("a receipt adds up", () => {
  test("lines = gross per rate = payments = total, and tax lies between nothing and gross", () => {
    fc.assert(
      fc.property(basket, discount, rounding, yen, (lines, off, direction, extra) => {
        const priced = price(lines, off);
        const groups = taxes(priced, direction);
        const due = total(priced);
        expect(sum(groups.map(({ grossYen }) => grossYen))).toBe(due);
        for (const { ratePct, grossYen, taxYen } of groups) {
          expect(grossYen).toBe(total(priced.filter((one) => one.ratePct === ratePct)));
          expect(taxYen).toBeGreaterThanOrEqual(0);
          expect(taxYen).toBeLessThanOrEqual(grossYen);
        }
        const settled = settle(due, due === 0 ? [] : [{ method: "cash", tenderedYen: due + extra }]);
        if ("refused" in settled) throw new Error(settled.message);
        expect(sum(settled.payments.map(({ amountYen }) => amountYen))).toBe(due);
      }),
    );
  });

  test("tax is rounded once per rate, not once per line", () => {
    const lines = Array.from({ length: 10 }, () => ({ ratePct: 10, unitPriceYen: 5, qty: 1 }));
    expect(taxes(price(lines), "floor")).toEqual([{ ratePct: 10, grossYen: 50, taxYen: 4 }]);
  });

  test.each<[Rounding, number]>([
    ["floor", 9],
    ["round", 9],
    ["ceil", 10],
  ])("of a tax of 9.09 yen in 100, %s makes %i", (direction, taxYen) => {
    expect(taxes([{ ratePct: 10, amountYen: 100 }], direction)[0]?.taxYen).toBe(taxYen);
  });

  test("a rate of 0 needs no other code", () => {
    expect(taxes([{ ratePct: 0, amountYen: 300 }], "ceil")).toEqual([
      { ratePct: 0, grossYen: 300, taxYen: 0 },
    ]);
  });
});

describe("a discount", () => {
  test("is spread without losing a yen, and no line goes below nothing", () => {
    fc.assert(
      fc.property(basket, discount, (lines, off) => {
        const priced = price(lines, off);
        const before = total(price(lines));
        const wanted = off === null ? 0 : "yen" in off ? off.yen : Math.floor((before * off.percent) / 100);
        expect(sum(priced.map((one) => one.spreadDiscountYen))).toBe(Math.min(before, wanted));
        for (const one of priced) {
          expect(one.spreadDiscountYen).toBeGreaterThanOrEqual(0);
          expect(one.amountYen).toBeGreaterThanOrEqual(0);
          expect(one.amountYen).toBe(
            one.unitPriceYen * one.qty - one.lineDiscountYen - one.spreadDiscountYen,
          );
        }
      }),
    );
  });

  test("gives the same totals per rate in whatever order the lines were scanned", () => {
    const shuffled = basket.chain((lines) =>
      fc.record({
        lines: fc.constant(lines),
        other: fc.shuffledSubarray(lines, { minLength: lines.length, maxLength: lines.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, discount, rounding, ({ lines, other }, off, direction) => {
        expect(taxes(price(other, off), direction)).toEqual(taxes(price(lines, off), direction));
      }),
    );
  });

  test("spread keeps the sum, stays near the exact share and never exceeds the weight", () => {
    fc.assert(
      fc.property(fc.array(yen, { minLength: 1, maxLength: 20 }), fc.nat(), (weights, seed) => {
        const all = sum(weights);
        const amount = all === 0 ? 0 : seed % (all + 1);
        const shares = spread(amount, weights);
        expect(sum(shares)).toBe(amount);
        for (const [index, share] of shares.entries()) {
          const weight = weights[index] ?? 0;
          expect(share).toBeLessThanOrEqual(weight);
          expect(Math.abs(share - (all === 0 ? 0 : (amount * weight) / all))).toBeLessThan(1);
        }
      }),
    );
  });

  test("of one yen over equal rates falls to the higher rate", () => {
    const lines = [
      { ratePct: 8, unitPriceYen: 100, qty: 1 },
      { ratePct: 10, unitPriceYen: 100, qty: 1 },
    ];
    expect(price(lines, { yen: 1 }).map((one) => one.spreadDiscountYen)).toEqual([0, 1]);
  });
});

describe("settling", () => {
  const tenders: fc.Arbitrary<Tender[]> = fc.array(
    fc.oneof(
      fc.record({ method: fc.constant("cash" as const), tenderedYen: fc.integer({ min: 1, max: 50_000 }) }),
      fc.record({
        method: fc.constantFrom("card" as const, "qr" as const),
        amountYen: fc.integer({ min: 1, max: 50_000 }),
        paymentId: fc.uuid(),
      }),
    ),
    { maxLength: 4 },
  );

  test("tendered less change is what was due, and only cash gives change", () => {
    fc.assert(
      fc.property(yen, tenders, (due, given) => {
        const settled = settle(due, given);
        if ("refused" in settled) return;
        const tendered = sum(given.map((one) => (one.method === "cash" ? one.tenderedYen : one.amountYen)));
        expect(tendered - settled.changeYen).toBe(due);
        expect(settled.changeYen).toBeGreaterThanOrEqual(0);
        expect(settled.changeYen === 0 || given.some(({ method }) => method === "cash")).toBe(true);
        for (const payment of settled.payments) expect(payment.amountYen).toBeGreaterThan(0);
      }),
    );
  });

  test.each<[string, number, Tender[], string]>([
    ["too little", 500, [{ method: "cash", tenderedYen: 499 }], "short"],
    ["nothing for something", 500, [], "short"],
    ["a card above what is due", 500, [{ method: "card", amountYen: 501, paymentId: "1" }], "above_due"],
    ["half a yen", 500, [{ method: "cash", tenderedYen: 500.5 }], "bad_amount"],
    [
      "cash on top of a card that pays all",
      500,
      [
        { method: "card", amountYen: 500, paymentId: "1" },
        { method: "cash", tenderedYen: 100 },
      ],
      "cash_not_needed",
    ],
  ])("refuses %s", (_, due, given, refused) => {
    expect(settle(due, given)).toMatchObject({ refused });
  });

  test("takes cards first and the change out of the cash", () => {
    expect(
      settle(1500, [
        { method: "cash", tenderedYen: 1000 },
        { method: "card", amountYen: 700, paymentId: "1" },
      ]),
    ).toEqual({
      payments: [
        { method: "card", amountYen: 700, paymentId: "1" },
        { method: "cash", amountYen: 800, tenderedYen: 1000 },
      ],
      changeYen: 200,
    });
  });
});

describe("the receipt's paper", () => {
  const sale = (cashYen: number, method = "cash"): ReceiptSale => ({
    saleId: "s",
    receiptNo: "honten-1-000012",
    completedAt: new Date("2026-11-24T03:00:00Z"),
    businessDate: "2026-11-24",
    state: "completed",
    registerCode: "1",
    staffName: "山田",
    lines: [
      {
        name: "のれん煎餅",
        taxClass: "reduced",
        ratePct: 8,
        unitPriceYen: cashYen,
        qty: 1,
        lineDiscountYen: 0,
        spreadDiscountYen: 0,
        amountYen: cashYen,
      },
    ],
    taxes: taxes([{ ratePct: 8, amountYen: cashYen }], "floor"),
    payments: [{ method, amountYen: cashYen, ...(method === "cash" ? { tenderedYen: cashYen + 100 } : {}) }],
    totalYen: cashYen,
  });
  const company = { name: "のれん堂", invoiceNo: "T1234567890123" };
  const store = { name: "本店", address: null, phone: null };

  test("names issuer and number, marks what is reduced, and gives both tax and rate", () => {
    expect(receipt(sale(216), company, store)).toMatchObject({
      issuer: { name: "のれん堂", invoiceNo: "T1234567890123" },
      lines: [{ name: "のれん煎餅", reduced: true }],
      taxes: [{ ratePct: 8, grossYen: 216, taxYen: 16, reduced: true }],
      tenderedYen: 316,
      changeYen: 100,
    });
  });

  test("claims no number that the company does not have", () => {
    expect(receipt(sale(216), { ...company, invoiceNo: null }, store).issuer).toEqual({ name: "のれん堂" });
  });

  test("has a box for the stamp from 50,000 yen in cash without the tax, never for a card", () => {
    expect(receipt(sale(53_998), company, store).stampDuty).toBe(false);
    expect(receipt(sale(54_000), company, store).stampDuty).toBe(true);
    expect(receipt(sale(54_000, "card"), company, store).stampDuty).toBe(false);
  });
});
