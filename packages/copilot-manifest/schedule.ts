import { Cron } from "croner";
import { parseDuration } from "./duration.ts";
import type { Schedule } from "./types.ts";

const presets: Record<string, { rule: string; cron: string }> = {
  "@hourly": { rule: "cron(0 * * * ? *)", cron: "0 * * * *" },
  "@daily": { rule: "cron(0 0 * * ? *)", cron: "0 0 * * *" },
  "@midnight": { rule: "cron(0 0 * * ? *)", cron: "0 0 * * *" },
  "@weekly": { rule: "cron(0 0 ? * 1 *)", cron: "0 0 * * 0" },
  "@monthly": { rule: "cron(0 0 1 * ? *)", cron: "0 0 1 * *" },
  "@yearly": { rule: "cron(0 0 1 1 ? *)", cron: "0 0 1 1 *" },
  "@annually": { rule: "cron(0 0 1 1 ? *)", cron: "0 0 1 1 *" },
};

/**
 * Reads `on.schedule` as Copilot does: `rate(…)`, `cron(…)` (EventBridge's six fields), five-field cron, the presets,
 * `@every 5m`, `none`. The `cron` of the result is for croner, in UTC.
 * Throws an Error that says why where Copilot or EventBridge would refuse it.
 */
export function parseSchedule(expression: string): Schedule {
  const text = expression.trim();
  if (text === "none") return { expression, disabled: true };
  const rate = /^rate\((.*)\)$/.exec(text);
  if (rate) return { expression, rule: text, everySeconds: rateSeconds(rate[1] ?? ""), disabled: false };
  const aws = /^cron\((.*)\)$/.exec(text);
  if (aws) return { expression, rule: text, cron: fromEventBridge(aws[1] ?? ""), disabled: false };
  const every = /^@every (.*)$/.exec(text);
  if (every) return { expression, ...everyRule(every[1] ?? ""), disabled: false };
  if (text.startsWith("@")) return { expression, ...preset(text), disabled: false };
  return { expression, ...fiveFields(text), disabled: false };
}

function preset(text: string): { rule: string; cron: string } {
  const found = presets[text];
  if (!found)
    throw new Error(`${text} is no preset; known are ${Object.keys(presets).join(", ")} and @every 5m`);
  return found;
}

function everyRule(text: string): { rule: string; everySeconds: number } {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new Error(`${text} is no Go duration like 5m or 1h30m`);
  if (seconds < 60) throw new Error("EventBridge runs a job once a minute at most: write @every 1m or more");
  if (seconds % 60 !== 0) throw new Error("EventBridge counts in whole minutes");
  const minutes = seconds / 60;
  return { rule: `rate(${minutes} ${minutes === 1 ? "minute" : "minutes"})`, everySeconds: seconds };
}

function rateSeconds(text: string): number {
  const [, number = "", unit = ""] = /^\s*(\d+)\s+(minutes?|hours?|days?)\s*$/.exec(text) ?? [];
  const count = Number(number);
  const seconds = { minute: 60, hour: 3600, day: 86_400 }[unit.replace(/s$/, "")];
  if (!seconds || count < 1)
    throw new Error(`rate(${text}) must be like rate(5 minutes), with minutes, hours or days`);
  if ((count === 1) === unit.endsWith("s"))
    throw new Error(`EventBridge wants rate(${count} ${unit.replace(/s$/, "")}${count === 1 ? "" : "s"})`);
  return count * seconds;
}

const months = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC";
const weekdays = "SUN|MON|TUE|WED|THU|FRI|SAT";

/** Minute, hour, day, month, weekday: the largest value of each, and the names that it may have. */
const fieldRules = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of the month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: months },
  { name: "weekday", min: 0, max: 6, names: weekdays },
];

function fiveFields(text: string): { rule: string; cron: string } {
  const fields = text.split(/\s+/);
  if (fields.length !== 5) {
    throw new Error(`a cron has five fields (minute hour day month weekday), this has ${fields.length}`);
  }
  fields.forEach(checkField);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  const dayWritten = !/[*?]/.test(day);
  const weekdayWritten = !/[*?]/.test(weekday);
  if (dayWritten && weekdayWritten)
    throw new Error("EventBridge takes a day of the month or a weekday, not both");
  // Three mistakes of Copilot's translation, which would change the times without a word.
  if (day.startsWith("*/") || weekday.startsWith("*/")) {
    throw new Error(
      "Copilot drops the step of a day or weekday like */2 and runs daily: write the days out, or cron(…)",
    );
  }
  if (weekday.includes("/"))
    throw new Error("Copilot adds one to the step of a weekday too: write the weekdays out, or cron(…)");
  const ruleDay = weekdayWritten ? "?" : dayWritten ? day : "*";
  const ruleWeekday = weekdayWritten ? weekday.replaceAll(/\d/g, (digit) => String(Number(digit) + 1)) : "?";
  const rule = `${minute} ${hour} ${ruleDay} ${month} ${ruleWeekday} *`;
  return { rule: `cron(${rule})`, cron: fromEventBridge(rule) };
}

/** What Copilot's parser (robfig/cron) takes in a field: `*`, `?`, values, ranges, lists and steps; no L, W or #. */
function checkField(field: string, i: number): void {
  const { name, min, max, names } = fieldRules[i] as (typeof fieldRules)[number];
  const value = names ? `(?:\\d+|${names})` : "\\d+";
  const pattern = new RegExp(`^(?:[*?]|${value}(?:-${value})?)(?:/\\d+)?$`, "i");
  for (const part of field.split(",")) {
    const wrong =
      !pattern.test(part) ||
      [...(part.split("/")[0] ?? "").matchAll(/\d+/g)].some(([n]) => Number(n) < min || Number(n) > max);
    if (wrong)
      throw new Error(`${part} is no ${name} (${min} to ${max}${names ? `, ${names.slice(0, 3)}…` : ""})`);
  }
}

/** EventBridge's six fields, weekdays 1–7 from Sunday, in croner's words: weekdays 0–6 from Sunday, a year as the seventh field. */
function fromEventBridge(text: string): string {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6) {
    throw new Error(
      `EventBridge's cron has six fields (minute hour day month weekday year), this has ${fields.length}`,
    );
  }
  const [minute = "", hour = "", day = "", month = "", weekday = "", year = ""] = fields;
  if ((day === "?") === (weekday === "?")) {
    throw new Error("EventBridge wants `?` as the day of the month or as the weekday, and not as both");
  }
  if ([minute, hour, month].some((field) => field.includes("?"))) {
    throw new Error("EventBridge takes `?` only as the day of the month or as the weekday");
  }
  const fromZero = weekday.replaceAll(/(?<![#/\d])\d+/g, (number) => String(Number(number) - 1));
  const five = [minute, hour, day, month, fromZero].map((field, i) =>
    withRange(field.replaceAll("?", "*"), i),
  );
  return runnable(year === "*" ? five.join(" ") : ["0", ...five, year].join(" "));
}

/** `5/15` means "from 5 on"; croner wants the range written: `5-59/15`. */
function withRange(field: string, i: number): string {
  return field
    .split(",")
    .map((part) => part.replace(/^(\w+)\/(\d+)$/, `$1-${fieldRules[i]?.max}/$2`))
    .join(",");
}

function runnable(pattern: string): string {
  try {
    // Paused and without a job it holds no timer.
    new Cron(pattern, { timezone: "UTC", paused: true }).stop();
    return pattern;
  } catch (error) {
    throw new Error((error as Error).message.replace(/^CronPattern: /, ""), { cause: error });
  }
}
