import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const lines = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const having = (word: string) => lines.filter((line) => line.startsWith(`${word} `));
const final = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));

test("every stage starts from one base, pinned by its digest", () => {
  expect(having("ARG")[0]).toMatch(/^ARG BASE=node:24\.\d+\.\d+-[a-z]+-slim@sha256:[0-9a-f]{64}$/);
  expect(having("FROM").every((line) => /^FROM \$\{BASE\}(?: AS \w+)?$/.test(line))).toBe(true);
});

test("the image runs as nobody's user, with Node as its first process", () => {
  expect(final).toContain("USER 1000:1000");
  expect(final.at(-1)).toBe('CMD ["node", "main.mjs"]');
  expect(final.filter((line) => line.startsWith("RUN "))).toEqual([]);
});

test("no argument or variable of the image carries a secret, and nothing is fetched by ADD", () => {
  expect(having("ADD")).toEqual([]);
  expect(
    [...having("ARG"), ...having("ENV")].filter((line) => /secret|token|password|key=/i.test(line)),
  ).toEqual([]);
});
