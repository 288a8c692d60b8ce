import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "./extract.ts";
import { type RuleName, rules } from "./rules.ts";
import { readme } from "./readme.ts";
import { anchorsOf } from "./slug.ts";
import { urlOf } from "./finding.ts";

const written = readFileSync(new URL("README.md", import.meta.url), "utf8");

test("the README explains every rule as its own comment does: `node readme.ts` writes it", () => {
  expect(written).toBe(readme());
});

test("every rule's address leads to its heading", () => {
  const anchors = anchorsOf(parse(written));
  for (const name of Object.keys(rules) as RuleName[])
    expect(anchors).toContain(new URL(urlOf(name)).hash.slice(1));
});
