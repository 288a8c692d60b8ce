import { expect, test } from "vitest";
import { openingPrice } from "./opening-price.ts";

test.each([
  ["new", 1980],
  ["S", 1580],
  ["A", 1380],
  ["B", 990],
  ["C", 590],
  ["junk", 990],
])("an item listed at 1,980 yen opens in condition %s at %i yen", (condition, yen) => {
  expect(openingPrice(1980, condition)).toBe(yen);
});

test("without a list price there is none", () => {
  expect(openingPrice(0, "A")).toBe(0);
});
