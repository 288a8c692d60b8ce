import { Cron } from "croner";
import { expect, test } from "vitest";
import { parseSchedule } from "./schedule.ts";

test("five-field cron is translated to EventBridge's six fields, weekdays counted from one", () => {
  expect(parseSchedule("0 9 * * 1-5").rule).toBe("cron(0 9 ? * 2-6 *)");
  expect(parseSchedule("0 9 1 * *").rule).toBe("cron(0 9 1 * ? *)");
  expect(parseSchedule("*/5 * * * *").rule).toBe("cron(*/5 * * * ? *)");
  expect(parseSchedule("0 0 * * MON").rule).toBe("cron(0 0 ? * MON *)");
});

test.each([
  ["@hourly", "cron(0 * * * ? *)"],
  ["@daily", "cron(0 0 * * ? *)"],
  ["@midnight", "cron(0 0 * * ? *)"],
  ["@weekly", "cron(0 0 ? * 1 *)"],
  ["@monthly", "cron(0 0 1 * ? *)"],
  ["@yearly", "cron(0 0 1 1 ? *)"],
  ["@annually", "cron(0 0 1 1 ? *)"],
])("the preset %s is %s", (preset, rule) => {
  expect(parseSchedule(preset)).toMatchObject({ rule, disabled: false });
});

test("@every counts in whole minutes", () => {
  expect(parseSchedule("@every 5m")).toMatchObject({ rule: "rate(5 minutes)", everySeconds: 300 });
  expect(parseSchedule("@every 1m")).toMatchObject({ rule: "rate(1 minute)" });
  expect(parseSchedule("@every 1h30m")).toMatchObject({ rule: "rate(90 minutes)" });
  expect(() => parseSchedule("@every 90s")).toThrow("whole minutes");
  expect(() => parseSchedule("@every 30s")).toThrow("once a minute");
});

test("rate(…) and cron(…) pass as they are", () => {
  expect(parseSchedule("rate(2 hours)")).toMatchObject({ rule: "rate(2 hours)", everySeconds: 7200 });
  expect(parseSchedule("cron(0 18 ? * MON-FRI *)")).toMatchObject({
    rule: "cron(0 18 ? * MON-FRI *)",
    cron: "0 18 * * MON-FRI",
  });
});

test("none disables the rule", () => {
  expect(parseSchedule("none")).toEqual({ expression: "none", disabled: true });
});

test.each([
  ["0 9 1 * 1", "a day of the month or a weekday, not both"],
  ["60 * * * *", "60 is no minute"],
  ["* * * *", "this has 4"],
  ["0 0 * * 7", "7 is no weekday"],
  ["0 0 L * *", "L is no day of the month"],
  ["@fortnightly", "no preset"],
  ["rate(1 minutes)", "rate(1 minute)"],
  ["rate(5 weeks)", "minutes, hours or days"],
  ["cron(0 9 * * * *)", "wants `?`"],
  ["cron(0 9 * * ?)", "six fields"],
  ["? 9 * * *", "only as the day"],
])("%s is refused: %s", (expression, reason) => {
  expect(() => parseSchedule(expression)).toThrow(reason);
});

test("what Copilot would translate into other times is refused with the way out", () => {
  expect(() => parseSchedule("0 9 */2 * *")).toThrow("drops the step");
  expect(() => parseSchedule("0 9 * * 1-5/2")).toThrow("adds one to the step");
});

test.each([
  ["0 9 * * 1-5", "2026-03-07T00:00:00Z", "2026-03-09T09:00:00.000Z"],
  ["cron(0 9 ? * 2-6 *)", "2026-03-07T00:00:00Z", "2026-03-09T09:00:00.000Z"],
  ["cron(5/20 * * * ? *)", "2026-03-07T00:06:00Z", "2026-03-07T00:25:00.000Z"],
  ["cron(0 0 ? * 6#3 *)", "2026-03-01T00:00:00Z", "2026-03-20T00:00:00.000Z"],
  ["cron(0 0 L * ? *)", "2026-02-10T00:00:00Z", "2026-02-28T00:00:00.000Z"],
  ["cron(0 0 1 1 ? 2030)", "2026-02-10T00:00:00Z", "2030-01-01T00:00:00.000Z"],
  ["@weekly", "2026-03-07T00:00:00Z", "2026-03-08T00:00:00.000Z"],
])("croner runs %s after %s at %s, in UTC", (expression, after, next) => {
  const cron = new Cron(parseSchedule(expression).cron ?? "", { timezone: "UTC", paused: true });
  expect(cron.nextRun(new Date(after))?.toISOString()).toBe(next);
});
