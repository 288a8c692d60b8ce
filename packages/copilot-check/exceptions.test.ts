import { join } from "node:path";
import { expect, test } from "vitest";
import { judge, readExceptions } from "./exceptions.ts";
import type { ScanFinding } from "./scanners.ts";
import { folderOf } from "./testing.ts";

const finding = (rule: string, resource: string, file = "copilot/addons/mail.yml"): ScanFinding => ({
  tool: "checkov",
  rule,
  resource,
  file,
  line: 7,
  message: "is not encrypted",
});

function judged(exceptions: string, findings: ScanFinding[], today = "2026-12-01") {
  const read = readExceptions(
    join(folderOf({ "exceptions.yml": exceptions }), "exceptions.yml"),
    "tools/exceptions.yml",
  );
  return [...read.findings, ...judge(findings, read.exceptions, "tools/exceptions.yml", today)].map(
    ({ file, line, message }) => `${file}:${line} ${message}`,
  );
}

const reason = "reason: The queue holds nothing that anybody may not read.";

test("a finding needs an exception for its rule, resource and file", () => {
  const exceptions = `- rules: [A, B]\n  resource: Mail*\n  file: copilot/*\n  ${reason}\n`;
  expect(judged(exceptions, [finding("A", "MailQueue"), finding("B", "MailTopic")])).toEqual([]);
  expect(
    judged(exceptions, [
      finding("A", "MailQueue"),
      finding("B", "MailTopic"),
      finding("A", "Queue"),
      finding("A", "MailQueue", "other.yml"),
    ]),
  ).toEqual([
    "copilot/addons/mail.yml:7 A Queue: is not encrypted (checkov)",
    "other.yml:7 A MailQueue: is not encrypted (checkov)",
  ]);
});

test("an exception that matches nothing is a failure, rule by rule", () => {
  expect(judged(`- rules: [A, B]\n  ${reason}\n- rules: [C]\n  ${reason}\n`, [finding("A", "Q")])).toEqual([
    "tools/exceptions.yml:1 The exception for B on * matches nothing any more.",
    "tools/exceptions.yml:3 The exception for C on * matches nothing any more.",
  ]);
});

test("an exception without a real reason, or with an unknown key, is a failure", () => {
  expect(judged("- rules: [A]\n", [])[0]).toContain(
    "tools/exceptions.yml:1 This exception is incomplete: reason",
  );
  expect(judged("- rules: [A]\n  reason: because\n", [])[0]).toContain("a reason says why it is right here");
  expect(judged(`- rules: [A]\n  ${reason}\n  ressource: Q\n`, [])[0]).toContain("ressource");
});

test("an exception ends with its day", () => {
  const exceptions = `- rules: [A]\n  ${reason}\n  until: "2026-12-31"\n`;
  expect(judged(exceptions, [finding("A", "Q")], "2026-12-31")).toEqual([]);
  expect(judged(exceptions, [finding("A", "Q")], "2027-01-01")).toEqual([
    "copilot/addons/mail.yml:7 A Q: is not encrypted (checkov)",
    "tools/exceptions.yml:1 The exception for A ended on 2026-12-31.",
  ]);
});
