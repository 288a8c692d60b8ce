import { expect, test } from "vitest";
import { readable } from "./logs.ts";

test("what a setup command has to tell people is a line each in the terminal, not JSON", () => {
  const notes = [
    { label: "code", value: "NOREN-1" },
    { label: "PIN", value: "1234" },
  ];
  expect(readable(JSON.stringify({ level: 30, msg: "filled", rows: 3, notes }))).toBe(
    "INFO filled rows=3 \n    code: NOREN-1 \n    PIN: 1234",
  );
  expect(readable("no JSON")).toBe("no JSON");
});

test("figures for CloudWatch are shown once, without what describes them", () => {
  const line = { level: 30, msg: "figures", _aws: { CloudWatchMetrics: [] }, OutboxLag: 3 };
  expect(readable(JSON.stringify(line))).toBe("INFO figures OutboxLag=3");
});
