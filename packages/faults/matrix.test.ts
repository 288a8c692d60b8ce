import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { faults, keyOf, proofs, readPage, table } from "./matrix.ts";

test("every fault of the matrix has a test, and every test that names one names one of the matrix", () => {
  const proven = new Set(proofs().map(({ row }) => row));
  expect([...proven].toSorted((a, b) => a - b)).toEqual(Object.keys(faults).map(Number));
});

test("MATRIX.md lists each of these tests, and nothing else (node matrix.ts --write)", () => {
  expect(readFileSync(new URL("MATRIX.md", import.meta.url), "utf8")).toBe(table(proofs(), readPage()));
});

test("each of them has passed all of its latest runs, at least ten (node matrix.ts --runs 10 --write [row …])", () => {
  const { results } = readPage();
  const wanting = proofs().filter((proof) => {
    const { passed, runs } = results.get(keyOf(proof)) ?? { passed: 0, runs: 0 };
    return runs < 10 || passed < runs;
  });
  expect(wanting.map(keyOf)).toEqual([]);
});
