import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

/** A piece of work that the test ends. */
function piece(slots: Slots, log: string[], name: string, alone = false) {
  let end!: () => void;
  const held = new Promise<void>((resolve) => (end = resolve));
  const done = slots.run(
    async () => {
      log.push(`+${name}`);
      await held;
      log.push(`-${name}`);
    },
    { alone },
  );
  return { end, done };
}

test("no more than its size run at once, in the order in which they came", async () => {
  const slots = new Slots(2);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => piece(slots, log, name));
  await Promise.resolve();
  expect(log).toEqual(["+a", "+b"]);
  b!.end();
  await b!.done;
  c!.end();
  await c!.done;
  a!.end();
  await a!.done;
  expect(log).toEqual(["+a", "+b", "-b", "+c", "-c", "-a"]);
  expect(slots.taken).toBe(0);
});

test("what has to be alone waits for everybody, and everybody who comes later waits for it", async () => {
  const slots = new Slots(2);
  const log: string[] = [];
  const a = piece(slots, log, "a");
  const alone = piece(slots, log, "alone", true);
  const b = piece(slots, log, "b");
  a.end();
  await a.done;
  alone.end();
  b.end();
  await Promise.all([alone.done, b.done]);
  expect(log).toEqual(["+a", "-a", "+alone", "-alone", "+b", "-b"]);
});

test("a failure gives the place back", async () => {
  const slots = new Slots(1);
  await expect(slots.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await slots.run(async () => "next")).toBe("next");
});

test("places that are all taken by the same ones are stuck from the last one's start", async () => {
  const slots = new Slots(2);
  const log: string[] = [];
  const first = piece(slots, log, "first");
  const begun = performance.now();
  await expect.poll(() => performance.now() - begun).toBeGreaterThan(50);
  expect(slots.stuckMs()).toBe(0);
  const second = piece(slots, log, "second");
  // The first one's time does not count: with a place free nobody was stuck.
  expect(slots.stuckMs()).toBeLessThan(50);
  await expect.poll(() => slots.stuckMs()).toBeGreaterThan(20);
  first.end();
  await first.done;
  expect(slots.stuckMs()).toBe(0);
  second.end();
  await second.done;
});
