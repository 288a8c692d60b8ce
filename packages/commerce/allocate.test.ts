import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate, sellable, wanted, type Ask, type StoreStock } from "./index.ts";

const product = (
  storeId: string,
  itemId: string,
  available: number,
  more: Partial<StoreStock> = {},
): StoreStock => ({
  productId: `${storeId}-${itemId}`,
  storeId,
  itemId,
  condition: "A",
  priceYen: 500,
  available,
  safetyQty: 0,
  allocationRank: 100,
  ...more,
});
const ask = (lineNo: number, itemId: string, qty: number): Ask => ({ lineNo, itemId, condition: "A", qty });
const stores = (answer: ReturnType<typeof allocate>) =>
  "shipments" in answer ? answer.shipments.map(({ storeId }) => storeId) : answer;

describe("allocation", () => {
  test("takes one store that has everything over two with a better rank", () => {
    const stock = [
      product("a", "x", 1, { allocationRank: 1 }),
      product("b", "y", 1, { allocationRank: 1 }),
      product("c", "x", 1),
      product("c", "y", 1),
    ];
    expect(stores(allocate([ask(1, "x", 1), ask(2, "y", 1)], stock))).toEqual(["c"]);
  });

  test("among equals prefers the lower rank, then more stock, then the id", () => {
    expect(
      stores(allocate([ask(1, "x", 1)], [product("a", "x", 5), product("b", "x", 1, { allocationRank: 1 })])),
    ).toEqual(["b"]);
    expect(stores(allocate([ask(1, "x", 9)], [product("a", "x", 9), product("b", "x", 9)]))).toEqual(["a"]);
  });

  test("keeps the safety stock and names what is missing", () => {
    expect(allocate([ask(1, "x", 3)], [product("a", "x", 4, { safetyQty: 2 })])).toEqual({
      missing: [{ itemId: "x", condition: "A", qty: 1 }],
    });
  });

  test("splits a line over stores when no store has it all", () => {
    expect(allocate([ask(1, "x", 3)], [product("a", "x", 2), product("b", "x", 2)])).toEqual({
      shipments: [
        { storeId: "a", lines: [{ lineNo: 1, productId: "a-x", qty: 2 }] },
        { storeId: "b", lines: [{ lineNo: 1, productId: "b-x", qty: 1 }] },
      ],
    });
  });

  const stock = fc
    .array(
      fc.tuple(
        fc.constantFrom("a", "b", "c", "d"),
        fc.constantFrom("x", "y", "z"),
        fc.integer({ min: -1, max: 4 }),
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 1, max: 3 }),
      ),
      { maxLength: 12 },
    )
    .map((rows) => [
      ...new Map(
        rows.map(([storeId, itemId, available, safetyQty, allocationRank]) => [
          `${storeId}${itemId}`,
          product(storeId, itemId, available, { safetyQty, allocationRank }),
        ]),
      ).values(),
    ]);
  const asks = fc
    .array(fc.tuple(fc.constantFrom("x", "y", "z"), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((rows) => rows.map(([itemId, qty], index) => ask(index + 1, itemId, qty)));
  const free = (some: StoreStock[], itemId: string) =>
    some.filter((one) => one.itemId === itemId).reduce((sum, one) => sum + sellable(one), 0);
  const need = (some: Ask[], itemId: string) =>
    some.filter((one) => one.itemId === itemId).reduce((sum, one) => sum + one.qty, 0);

  test("is complete or names exactly the shortage, never promises more than there is, and no other split has fewer shipments", () => {
    fc.assert(
      fc.property(asks, stock, (wantedLines, shelf) => {
        const answer = allocate(wantedLines, shelf);
        const short = ["x", "y", "z"].flatMap((itemId) => {
          const qty = need(wantedLines, itemId) - free(shelf, itemId);
          return need(wantedLines, itemId) > 0 && qty > 0 ? [{ itemId, condition: "A", qty }] : [];
        });
        const missing = "missing" in answer ? answer.missing : [];
        expect(missing.sort((a, b) => (a.itemId < b.itemId ? -1 : 1))).toEqual(short);
        if ("missing" in answer) return;
        for (const { lineNo, qty } of wantedLines) {
          const given = answer.shipments.flatMap(({ lines }) => lines).filter((one) => one.lineNo === lineNo);
          expect(given.reduce((sum, one) => sum + one.qty, 0)).toBe(qty);
        }
        for (const one of shelf) {
          const given = answer.shipments
            .flatMap(({ lines }) => lines)
            .filter(({ productId }) => productId === one.productId);
          expect(given.reduce((sum, { qty }) => sum + qty, 0)).toBeLessThanOrEqual(sellable(one));
        }
        const names = ["a", "b", "c", "d"];
        const fewest = Math.min(
          ...Array.from({ length: 16 }, (_, mask) => names.filter((_, bit) => (mask >> bit) & 1))
            .filter((chosen) => {
              const there = shelf.filter(({ storeId }) => chosen.includes(storeId));
              return ["x", "y", "z"].every((itemId) => free(there, itemId) >= need(wantedLines, itemId));
            })
            .map((chosen) => chosen.length),
        );
        expect(answer.shipments).toHaveLength(fewest);
        expect(allocate(wantedLines, shelf.toReversed())).toEqual(answer);
      }),
      { numRuns: 500 },
    );
  });

  test("of many stores still covers everything with stores that are all needed", () => {
    const shelf = Array.from({ length: 40 }, (_, index) =>
      product(`s${String(index).padStart(2, "0")}`, "x", 1),
    );
    const answer = allocate([ask(1, "x", 25)], shelf);
    expect(stores(answer)).toHaveLength(25);
    expect(stores(allocate([ask(1, "x", 1)], shelf))).toEqual(["s00"]);
  });
});

test("a channel shows what all stores can give at the lowest price that has some", () => {
  const shelf = [
    product("a", "x", 3, { safetyQty: 1, priceYen: 600 }),
    product("b", "x", 0, { priceYen: 400 }),
    product("c", "x", -2, { priceYen: 500 }),
  ];
  expect(wanted(shelf)).toEqual({ qty: 2, priceYen: 600 });
  expect(wanted([])).toBeUndefined();
});
