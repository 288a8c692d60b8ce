import { afterEach, expect, test, vi } from "vitest";
import { figuresLine } from "./figures.ts";

afterEach(() => vi.unstubAllEnvs());

test("figures are fields of a log line, announced as CloudWatch wants them", () => {
  vi.stubEnv("COPILOT_APPLICATION_NAME", "shop");
  expect(
    figuresLine({ Lag: { value: 1200, unit: "Milliseconds" }, Depth: { value: 0, unit: "Count" } }, 5),
  ).toEqual({
    _aws: {
      Timestamp: 5,
      CloudWatchMetrics: [
        {
          Namespace: "shop",
          Dimensions: [["env", "service"]],
          Metrics: [
            { Name: "Lag", Unit: "Milliseconds" },
            { Name: "Depth", Unit: "Count" },
          ],
        },
      ],
    },
    Lag: 1200,
    Depth: 0,
  });
});
