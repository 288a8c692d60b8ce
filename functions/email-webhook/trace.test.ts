import { expect, test } from "vitest";
import { traceparent } from "./trace.ts";

test("Lambda's X-Ray header becomes a traceparent of the same trace", () => {
  expect(traceparent("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")).toBe(
    "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
  );
});

test("without a header, or with half of one, there is no trace", () => {
  expect(traceparent(undefined)).toBeUndefined();
  expect(traceparent("Root=1-5759e988-bd862e3fe1be46a994272793")).toBeUndefined();
});
