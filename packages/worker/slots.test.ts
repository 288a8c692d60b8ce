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
