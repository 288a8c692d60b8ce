import { expect, test } from "vitest";
import {
  add,
  empty,
  type Product,
  pieces,
  quickAmounts,
  scanOf,
  select,
  setQty,
  tender,
  total,
  uuidV7,
} from "./basket.ts";

const product = (n: number, priceYen = 100): Product => ({
  productId: `p${n}`,
  code: `29000000000${n}`,
  name: `商品${n}`,
  condition: { code: "new", name: "新品" },
  priceYen,
  ratePct: 10,
  available: 3,
});
const basketOf = (...products: Product[]) => products.reduce(add, empty("sale-1"));

test("each scan is one line in order, or one more of the line it already has", () => {
  const basket = basketOf(product(1), product(2), product(1), product(3), product(1));
  expect(basket.lines.map(({ productId, qty }) => [productId, qty])).toEqual([
    ["p1", 3],
    ["p2", 1],
    ["p3", 1],
  ]);
  expect([pieces(basket), total(basket), basket.selected]).toEqual([5, 500, 0]);
});

test("a basket ends at 200 lines and a line at 999 pieces", () => {
  const full = basketOf(...Array.from({ length: 205 }, (_, index) => product(index)));
  expect(full.lines).toHaveLength(200);
  expect(setQty(full, 0, 5_000).lines[0]?.qty).toBe(999);
});

test("a quantity of zero takes the line away and the selection stays inside", () => {
  const basket = setQty(basketOf(product(1), product(2)), 1, 0);
  expect([basket.lines.length, basket.selected]).toEqual([1, 0]);
  expect(select(basket, 7).selected).toBe(0);
  expect(setQty(basket, 9, 1)).toBe(basket);
});

test("quick amounts begin with the exact one, rise, and never fall short", () => {
  expect(quickAmounts(4_810)).toEqual([4_810, 4_900, 5_000, 10_000]);
  expect(quickAmounts(1_000)).toEqual([1_000, 5_000, 10_000]);
  expect(quickAmounts(12_340)).toEqual([12_340, 13_000, 15_000, 20_000]);
  expect(quickAmounts(180)).toEqual([180, 200, 500, 1_000]);
});

test("an empty tender is exact, more gives change, less is refused with what is missing", () => {
  expect(tender(4_810, "")).toEqual({ ok: true, tenderedYen: 4_810, changeYen: 0 });
  expect(tender(4_810, "１０,０００")).toEqual({ ok: true, tenderedYen: 10_000, changeYen: 5_190 });
  expect(tender(4_810, "4000")).toEqual({ ok: false, why: "お預かりが 810円 足りません。" });
  expect(tender(4_810, "abc")).toMatchObject({ ok: false });
});

test("a code scanned into the tendered field is not money", () => {
  for (const code of ["4901234567894", "49123456"]) expect(tender(100, code)).toMatchObject({ ok: false });
});

test("a scan is read in narrow form; the second row of a book's bars is not a product", () => {
  expect(scanOf(" ４９０１ ")).toEqual({ kind: "code", code: "4901" });
  expect(scanOf("1920193018005")).toEqual({ kind: "second-row" });
  expect(scanOf("  ")).toEqual({ kind: "nothing" });
});

test("sale ids are UUIDs of version 7 that carry their time", () => {
  const id = uuidV7(Date.UTC(2026, 10, 24), new Uint8Array(10).fill(255));
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(Date.UTC(2026, 10, 24));
});
