import { expect, test } from "vitest";
import { splitShell } from "./shell.ts";

test.each([
  ["node main.js", ["node", "main.js"]],
  [`sh -c 'echo "a b"'`, ["sh", "-c", 'echo "a b"']],
  [String.raw`a "b \"c\"" d\ e`, ["a", 'b "c"', "d e"]],
  [`a '' ""`, ["a", "", ""]],
  ["a # not this\nb", ["a", "b"]],
  ["a#b", ["a#b"]],
  ["  ", []],
])("%j splits like a shell", (text, words) => {
  expect(splitShell(text)).toEqual(words);
});

test("a quote that is not closed splits into nothing", () => {
  expect(splitShell(`a "b`)).toBeUndefined();
  expect(splitShell("a\\")).toBeUndefined();
});
