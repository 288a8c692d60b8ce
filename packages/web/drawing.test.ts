import { expect, test } from "vitest";
import { barcode, code128 } from "./barcode.tsx";
import { coverOf } from "./cover.tsx";
import { dateJa, dateTimeJa, normalizeCode, yen } from "./format.ts";

test("Code 128 B computes the published check symbol", () => {
  // "PJJ123C" is the worked example of the standard's descriptions: check symbol 54 from start A; from start B it is 55.
  expect(code128("PJJ123C")).toEqual([104, 48, 42, 42, 17, 18, 19, 35, 55, 106]);
  expect(() => code128("あ")).toThrow("cannot be written");
});

test("a barcode has the bars of its symbols: eleven modules each, thirteen for the stop, quiet zones", async () => {
  const svg = String(await barcode("A-1"));
  expect(svg).toContain(`viewBox="0 0 ${10 + 11 * 5 + 13 + 10} 40"`);
  expect(svg.match(/M/g)).toHaveLength(5 * 3 + 4);
});

test("an item has the same cover everywhere, and a shelf has many colours", () => {
  expect(coverOf("2900000000017")).toEqual(coverOf("2900000000017"));
  const shelf = Array.from({ length: 64 }, (_, index) => coverOf(String(2_900_000_000_000 + index)));
  expect(new Set(shelf.map(({ palette }) => palette)).size).toBe(8);
  expect(new Set(shelf.map(({ pattern }) => pattern)).size).toBe(8);
});

test("amounts, days and instants read as Japanese does, whatever zone the machine has", () => {
  expect([yen(1234), yen(-50), yen(0)]).toEqual(["¥1,234", "−¥50", "¥0"]);
  expect(dateJa("2026-11-24")).toBe("2026年11月24日(火)");
  expect(dateTimeJa("2026-11-24T15:05:00Z")).toBe("2026年11月25日(水) 00:05");
});

test("a code typed in full width is the same code", () => {
  expect(normalizeCode(" ２９００-A ")).toBe("2900-A");
});
