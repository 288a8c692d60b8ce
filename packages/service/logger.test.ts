import { expect, test } from "vitest";
import { logger } from "./logger.ts";

function captured(): { lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

test("an entry is one JSON line with the fixed keys", () => {
  const out = captured();
  logger("worker-item", out).info({ eventId: "e1" }, "handled");
  expect(out.lines).toHaveLength(1);
  const entry = JSON.parse(out.lines[0]!);
  expect(entry).toMatchObject({
    level: "info",
    service: "worker-item",
    env: "local",
    msg: "handled",
    eventId: "e1",
  });
  expect(new Date(entry.time).toISOString()).toBe(entry.time);
});

test("an error is written with its causes, and what a driver hung on it is not", () => {
  const out = captured();
  const cause = Object.assign(new Error("duplicate key"), { code: "23505", detail: "Key (mail)=(a@b.jp)" });
  logger("x", out).error({ err: new TypeError("cannot save", { cause }) }, "failed");
  const { err } = JSON.parse(out.lines[0]!);
  expect(err).toMatchObject({ type: "TypeError", message: "cannot save", cause: { code: "23505" } });
  expect(err.stack).toContain("logger.test.ts");
  expect(out.lines[0]).not.toContain("a@b.jp");
});
