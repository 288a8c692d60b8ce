import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BuybackCommand,
  type BuybackLine,
  type BuybackState,
  buybackAfter,
  identityDocuments,
  identityDuty,
  keepIdentityUntil,
  mayKeepNumber,
  mayPay,
} from "./buyback.ts";

const toy = (unitPriceYen: number, qty = 1): BuybackLine => ({
  category: "おもちゃ",
  identityAlways: false,
  qty,
  unitPriceYen,
});
const book: BuybackLine = { category: "本", identityAlways: true, qty: 1, unitPriceYen: 10 };
const today = "2026-11-24";
const adult = { checkedOn: today, birthDate: "1990-04-01", guardianConsent: false };
const agreed = (...lines: BuybackLine[]) => ({ state: "agreed" as const, lines });

describe("identity", () => {
  test.each([
    ["below 10,000 yen it is waived", [toy(9_999)], []],
    ["from 10,000 yen in all it is needed", [toy(10_000)], ["合計が10,000円以上です。"]],
    ["the total counts, not the dearest piece", [toy(2_500, 3), toy(2_500)], ["合計が10,000円以上です。"]],
    ["a book needs it at any price", [book], ["「本」は金額にかかわらず本人確認が要ります。"]],
    [
      "each reason is told once",
      [book, toy(10_000), book],
      ["合計が10,000円以上です。", "「本」は金額にかかわらず本人確認が要ります。"],
    ],
    ["nothing needs nothing", [], []],
  ])("%s", (_, lines, why) => {
    expect(identityDuty(lines)).toEqual({ duty: why.length > 0, why });
  });

  test("a further line never lifts the duty", () => {
    const line = fc.record({
      category: fc.constantFrom("本", "おもちゃ"),
      identityAlways: fc.boolean(),
      qty: fc.integer({ min: 1, max: 30 }),
      unitPriceYen: fc.integer({ min: 0, max: 12_000 }),
    });
    fc.assert(
      fc.property(fc.array(line), line, (lines, more) => {
        expect([identityDuty(lines).duty, true]).toContain(identityDuty([more, ...lines]).duty);
      }),
    );
  });

  test("the numbers of the My Number card and of health insurance are not kept", () => {
    expect(identityDocuments.filter((document) => !mayKeepNumber(document))).toEqual([
      "my_number_card",
      "health_insurance",
    ]);
  });
});

describe("paying out", () => {
  test("what the seller agreed to is paid, without identity where none is needed", () => {
    expect(mayPay(agreed(toy(300, 3)), null, today)).toEqual({ totalYen: 900, identityDuty: false });
  });

  test("is refused without identity when the duty arises, and says why", () => {
    expect(mayPay(agreed(book), null, today)).toEqual({
      refused: "identity_missing",
      message: "「本」は金額にかかわらず本人確認が要ります。本人確認を登録してから支払ってください。",
    });
    expect(mayPay(agreed(book), adult, today)).toEqual({ totalYen: 10, identityDuty: true });
  });

  test.each([
    ["asked for on the day before the 18th birthday", "2008-11-25", true],
    ["not asked for on the 18th birthday", "2008-11-24", false],
  ])("a guardian's consent is %s", (_, birthDate, asked) => {
    const refused = { refused: "guardian_consent_missing" };
    const paid = { totalYen: 300 };
    for (const lines of [agreed(toy(300)), agreed({ ...book, unitPriceYen: 300 })]) {
      expect(mayPay(lines, { ...adult, birthDate }, today)).toMatchObject(asked ? refused : paid);
      expect(mayPay(lines, { ...adult, birthDate, guardianConsent: true }, today)).toMatchObject(paid);
    }
  });

  test("who was born on 29 February is of age on 1 March", () => {
    const leapling = { ...adult, checkedOn: "2026-02-28", birthDate: "2008-02-29" };
    expect(mayPay(agreed(book), leapling, "2026-02-28")).toMatchObject({
      refused: "guardian_consent_missing",
    });
    expect(mayPay(agreed(book), leapling, "2026-03-01")).toMatchObject({ totalYen: 10 });
  });

  test("an identity that was checked long before is checked again, so that it is kept three years from the payment", () => {
    expect(keepIdentityUntil("2026-11-24")).toBe("2029-12-24");
    expect(keepIdentityUntil("2028-02-29")).toBe("2031-03-31");
    expect(mayPay(agreed(book), { ...adult, checkedOn: "2026-10-25" }, today)).toMatchObject({
      totalYen: 10,
    });
    expect(mayPay(agreed(book), { ...adult, checkedOn: "2026-10-24" }, today)).toMatchObject({
      refused: "identity_old",
    });
  });

  test("whatever is paid under the duty has an identity", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20_000 }).map((yen) => toy(yen))),
        fc.boolean(),
        (lines, shown) => {
          const answer = mayPay(agreed(...lines), shown ? adult : null, today);
          expect("totalYen" in answer).toBe(shown || !identityDuty(lines).duty);
        },
      ),
    );
  });
});

describe("a buy-back", () => {
  const every: [BuybackState, BuybackCommand, string][] = [
    ["appraised", "agree", "agreed"],
    ["appraised", "pay_out", "not_agreed"],
    ["appraised", "decline", "declined"],
    ["agreed", "agree", "already_agreed"],
    ["agreed", "pay_out", "paid_out"],
    ["agreed", "decline", "declined"],
    ["paid_out", "agree", "already_paid"],
    ["paid_out", "pay_out", "already_paid"],
    ["paid_out", "decline", "already_paid"],
    ["declined", "agree", "declined!"],
    ["declined", "pay_out", "declined!"],
    ["declined", "decline", "declined!"],
  ];
  test.each(every)("that is %s answers %s with %s", (state, command, answer) => {
    const after = buybackAfter(state, command);
    expect(typeof after === "string" ? after : `${after.refused}${state === "declined" ? "!" : ""}`).toBe(
      answer,
    );
  });

  test("that the seller has not agreed to, or that has ended, is not paid", () => {
    for (const state of ["appraised", "paid_out", "declined"] as const)
      expect(mayPay({ state, lines: [toy(100)] }, adult, today)).toHaveProperty("refused");
  });
});
