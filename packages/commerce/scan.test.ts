import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkDigit, isJan, normalise, parseScan, post, searchText } from "./index.ts";

test.each([
  ["4901234567894", { code: "4901234567894" }],
  [" ４９０１２３４５６７８９４\n", { code: "4901234567894" }],
  ["2000000000015", { code: "2000000000015" }],
  ["1920193005006", { ignored: "second-row" }],
  ["M0012345678", { member: "0012345678" }],
  ["R-HONTEN-1-000012", { receipt: "honten-1-000012" }],
  ["snack-01", { code: "snack-01" }],
])("the scan %j means %j", (raw, meaning) => {
  expect(parseScan(raw)).toEqual(meaning);
});

test("one wrong digit in a JAN code is always found", () => {
  const twelve = fc.stringMatching(/^\d{12}$/);
  fc.assert(
    fc.property(twelve, fc.nat({ max: 12 }), fc.integer({ min: 1, max: 9 }), (start, at, by) => {
      const code = start + checkDigit(start);
      expect(isJan(code)).toBe(true);
      const wrong = code.slice(0, at) + String((Number(code[at]) + by) % 10) + code.slice(at + 1);
      expect(isJan(wrong)).toBe(false);
    }),
  );
});

test("hiragana, half-width kana and capitals find the same word", () => {
  expect(normalise("ﾎｼﾒｸﾞﾘ ＡＢＣ")).toBe(normalise("ほしめぐり abc"));
  const text = searchText({
    code: "2000000000015",
    name: "星巡りの航海図",
    kana: "ほしめぐりのこうかいず",
    maker: null,
  });
  for (const query of ["航海", "こうかい", "コウカイ", "2000000000015"])
    expect(text).toContain(normalise(query));
});

test("a sale takes stock out, a void brings exactly the same back, and a free line moves nothing", () => {
  const occurredAt = new Date("2026-11-24T03:00:00Z");
  const lines = [
    { lineNo: 1, productId: "p", qty: 2 },
    { lineNo: 2, productId: null, qty: 1 },
  ];
  const sale = post({ kind: "sale", saleId: "s", occurredAt, lines });
  expect(sale).toEqual([
    { productId: "p", qty: -2, kind: "sale", sourceType: "sale", sourceId: "s", lineNo: 1, occurredAt },
  ]);
  const back = post({ kind: "void", saleId: "s", occurredAt, lines });
  expect(back.map(({ qty }) => qty)).toEqual(sale.map(({ qty }) => -qty));
});

test("a refund brings back what it names under its own name, so that a line may come back twice", () => {
  const occurredAt = new Date("2026-11-24T03:00:00Z");
  const refund = { kind: "refund" as const, occurredAt, lines: [{ lineNo: 1, productId: "p", qty: 1 }] };
  expect([...post({ ...refund, refundId: "r1" }), ...post({ ...refund, refundId: "r2" })]).toMatchObject([
    { qty: 1, sourceType: "refund", sourceId: "r1", lineNo: 1 },
    { qty: 1, sourceType: "refund", sourceId: "r2", lineNo: 1 },
  ]);
});

test("received goods carry their cost", () => {
  const occurredAt = new Date("2026-11-24T03:00:00Z");
  expect(
    post({
      kind: "receive",
      receiptId: "r",
      occurredAt,
      lines: [{ lineNo: 1, productId: "p", qty: 5, unitCostYen: 300 }],
    }),
  ).toEqual([
    {
      productId: "p",
      qty: 5,
      kind: "receive",
      sourceType: "receiving",
      sourceId: "r",
      lineNo: 1,
      unitCostYen: 300,
      occurredAt,
    },
  ]);
});
