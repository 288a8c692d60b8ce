import { expect, test } from "vitest";
import { shorten, suspects, tighten } from "./shorten.ts";

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

test("what is left is only what it takes to fail", async () => {
  const asked: number[] = [];
  const fails = async (some: number[]) => {
    asked.push(some.length);
    return some.includes(3) && some.includes(41);
  };
  expect(await shorten(numbers(100), fails)).toEqual([3, 41]);
  expect(asked.length).toBeLessThan(60);
});

test("it ends with the best so far when there was enough", async () => {
  let tries = 0;
  const found = await shorten(
    numbers(64),
    async (some) => some.includes(0),
    () => ++tries > 3,
  );
  expect(found).toContain(0);
  expect(found.length).toBeLessThan(64);
});

test("long pauses go, short ones stay", () => {
  const steps = [{ at: 9000 }, { at: 9500 }, { at: 60_000 }];
  expect(tighten(steps, 1000)).toEqual([{ at: 1000 }, { at: 1500 }, { at: 2500 }]);
});

test("first suspected are the first deed that went wrong and the faults around it", () => {
  const steps = numbers(100).map((n) => ({ n, at: n * 1000 }));
  const isFault = ({ n }: { n: number }) => n % 20 === 5;
  const [first, second] = suspects(steps, new Set([30, 31, 80]), isFault);
  expect(first?.map(({ n }) => n)).toEqual([25, 30]);
  expect(second?.map(({ n }) => n)).toEqual([25, 30, 31]);
  expect(suspects(steps, new Set(), isFault)).toEqual([]);
});
