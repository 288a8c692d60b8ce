import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";
import { toValue } from "./node.ts";
import type { Problem } from "./types.ts";
import { parseYaml } from "./yaml.ts";

function interpolated(text: string, env: Record<string, string> = {}) {
  const problems: Problem[] = [];
  const { root } = parseYaml("m.yml", text);
  if (!root) throw new Error("not read");
  const node = interpolate(root, { application: "shop", environment: "test", env }, problems);
  return { node, value: toValue(node), problems };
}

test("the application's and the environment's name, then the process's environment, are put into values", () => {
  const { value } = interpolated("a: ${COPILOT_APPLICATION_NAME}-${COPILOT_ENVIRONMENT_NAME}-${TAG}\n", {
    TAG: "v1",
  });
  expect(value).toEqual({ a: "shop-test-v1" });
});

test("keys and comments are left alone", () => {
  const { value, problems } = interpolated("${TAG}: 1 # ${TAG}\n");
  expect(value).toEqual({ "${TAG}": 1 });
  expect(problems).toEqual([]);
});

test("a name without a value is an error with its line, in the section of another environment too", () => {
  const { problems } = interpolated("a: 1\nenvironments:\n  other:\n    b: ${NOPE}\n");
  expect(problems).toMatchObject([{ rule: "undefined-variable", line: 4, message: "${NOPE} has no value." }]);
});

test("a misspelt reserved name is suggested", () => {
  const { problems } = interpolated("a: ${COPILOT_ENVIROMENT_NAME}\n");
  expect(problems[0]?.hint).toBe("Did you mean `COPILOT_ENVIRONMENT_NAME`?");
});

test("a reserved name that the process sets to another value is an error, to the same value it is none", () => {
  const text = "a: ${COPILOT_ENVIRONMENT_NAME}\n";
  expect(interpolated(text, { COPILOT_ENVIRONMENT_NAME: "prod" }).problems).toMatchObject([
    { rule: "reserved-variable" },
  ]);
  expect(interpolated(text, { COPILOT_ENVIRONMENT_NAME: "test" }).problems).toEqual([]);
});

test("an escaped variable loses its backslash and nothing else", () => {
  const { value, problems } = interpolated("a: \\${HOME} and ${TAG}\n", { TAG: "v1" });
  expect(value).toEqual({ a: "${HOME} and v1" });
  expect(problems).toEqual([]);
});

test("a value that becomes a JSON list of texts is a list, except in a literal block", () => {
  const env = { CMD: '["node", "main.js"]', NUMBERS: "[1, 2]", EMPTY: "[]" };
  const { value } = interpolated('a: "${CMD}"\nb: |\n  ${CMD}\nc: ${NUMBERS}\nd: ${EMPTY}\n', env);
  expect(value).toEqual({ a: ["node", "main.js"], b: '["node", "main.js"]\n', c: "[1, 2]", d: "[]" });
});

test("the result stays a text, even if it looks like a number", () => {
  const { node, value } = interpolated("cpu: ${CPU}\n", { CPU: "256" });
  expect(value).toEqual({ cpu: "256" });
  expect(node).toMatchObject({ kind: "map" });
});

test("what has no value stays as it is and is marked as not judgeable", () => {
  const { node, value } = interpolated("a: ${COPILOT_ENVIRONMENT_NAME}-${NOPE}\n");
  expect(value).toEqual({ a: "test-${NOPE}" });
  expect(node.kind === "map" && node.entries.get("a")?.value).toMatchObject({ unresolved: true });
});

test("numbers, booleans and tagged values are no texts", () => {
  expect(interpolated("a: 1\nb: true\nc: !Custom ${NOPE}\n").problems).toEqual([]);
});
