import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration, wholeSeconds } from "./duration.ts";

test.each([
  ["90s", 90],
  ["1h30m", 5400],
  ["1.5h", 5400],
  ["1500ms", 1.5],
  ["100us", 0.0001],
  ["-5s", -5],
  ["0", 0],
  ["336h", 1_209_600],
])("%s is %d seconds", (text, seconds) => {
  expect(parseDuration(text)).toBeCloseTo(seconds, 9);
});

test.each(["20d", "90", "", "1h 30m", "m", "1w", "5 m", ".s", "1hh"])("%s is no Go duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test("what is below a second is cut, not rounded", () => {
  expect(wholeSeconds("1500ms")).toBe(1);
  expect(wholeSeconds("999ms")).toBe(0);
  expect(wholeSeconds("1.9999s")).toBe(1);
});

test("hours, minutes and seconds add up whatever they are", () => {
  const part = fc.nat(9999);
  fc.assert(
    fc.property(part, part, part, (h, m, s) => {
      expect(wholeSeconds(`${h}h${m}m${s}s`)).toBe(h * 3600 + m * 60 + s);
    }),
  );
});
