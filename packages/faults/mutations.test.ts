import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutations } from "./mutations.ts";

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");

test.each(mutations)("the mutation $name still fits the code, and its tests exist", ({ edits, tests }) => {
  for (const { file, find } of edits)
    expect(`${file}: ${read(file).split(find).length - 1}`).toBe(`${file}: 1`);
  for (const { file, title } of tests) expect(read(file)).toContain(`"${title}`);
});

test("MUTATIONS.md says of each mutation which test turned red (node mutate.ts --write)", () => {
  const table = read("faults/MUTATIONS.md");
  const rows = [...table.matchAll(/^\| `([\w-]+)` \| (.+?) \| (.+) \|$/gm)];
  expect(rows.map(([, name, design]) => ({ name, design }))).toEqual(
    mutations.map(({ name, design }) => ({ name, design })),
  );
  for (const [row] of rows)
    expect(row).toMatch(/\[(outbox|worker|faults|\.\.\/workers\/scheduled)\/\w+\.test\.ts\]/);
});
