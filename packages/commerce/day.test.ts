import { expect, test } from "vitest";
import { bankTransferDeadline, businessDate, rateOn, releaseAt, taxRate } from "./index.ts";

test.each([
  ["2026-11-24T04:59:59+09:00", "2026-11-23"],
  ["2026-11-24T05:00:00+09:00", "2026-11-24"],
  ["2026-11-24T23:59:59+09:00", "2026-11-24"],
  ["2027-01-01T00:30:00+09:00", "2026-12-31"],
])("%s belongs to the store's day %s when it starts at five", (at, day) => {
  expect(businessDate(new Date(at), "05:00")).toBe(day);
  expect(businessDate(new Date(at), "05:00:00")).toBe(day);
});

test.each(["2026-11-24T00:00:00+09:00", "2026-11-24T12:00:00+09:00", "2026-11-24T23:59:59+09:00"])(
  "a transfer for an order placed at %s may arrive until the end of the 27th in Japan",
  (placedAt) => {
    expect(bankTransferDeadline(new Date(placedAt))).toEqual(new Date("2026-11-27T23:59:59+09:00"));
  },
);

test("an order is let go half an hour after its deadline", () => {
  expect(releaseAt(new Date("2026-11-27T14:59:59Z"))).toEqual(new Date("2026-11-27T15:29:59Z"));
});

test("a rate holds from its first day until the day before the next one's first", () => {
  const rates = [
    taxRate({ tax_class: "standard", valid: "[2014-04-01,2019-10-01)", rate_pct: 8 }),
    taxRate({ tax_class: "standard", valid: "[2019-10-01,)", rate_pct: 10 }),
  ];
  expect(rateOn(rates, "standard", "2019-09-30")).toBe(8);
  expect(rateOn(rates, "standard", "2019-10-01")).toBe(10);
  expect(() => rateOn(rates, "standard", "2014-03-31")).toThrow("Add a row to tax_rates");
  expect(() => rateOn(rates, "reduced", "2026-11-24")).toThrow("No reduced tax rate");
});
