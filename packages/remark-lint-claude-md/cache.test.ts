import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openCache } from "./cache.ts";
import { check } from "./check.ts";
import { parse } from "./extract.ts";
import { openProject } from "./open.ts";
import { pack, unpack } from "./pack.ts";
import { repository, write } from "./testing.ts";

const files = {
  ".gitignore": "node_modules/\n",
  "claude-md.config.mjs":
    'export default { templates: [{ files: ["**"], template: "docs/template.md" }] };\n',
  "docs/template.md": "# {{path}}/CLAUDE.md\n\n## Notes\n- say something\n",
  "docs/CLAUDE.md": "# docs/CLAUDE.md\n\n## Notes\n- the [root](../CLAUDE.md#notes)\n",
  "CLAUDE.md": "# CLAUDE.md\n\n## Notes\n- **a**: b\n\n```text\n./\n└── docs/\n```\n",
};

async function report(root: string, warm: boolean): Promise<string> {
  const cache = openCache(warm ? root : undefined);
  const findings = check(await openProject(root, { cache }));
  cache.save(true);
  return JSON.stringify(findings);
}

function cacheFile(root: string): string {
  const folder = join(root, "node_modules/.cache/claude-md");
  return join(folder, readdirSync(folder)[0] ?? "");
}

test("after any sequence of edits a warm report is the cold one", async () => {
  const root = repository(files);
  mkdirSync(join(root, "node_modules"));
  const edit = fc.oneof(
    fc.record({
      path: fc.constantFrom("CLAUDE.md", "docs/CLAUDE.md", "jobs/CLAUDE.md"),
      text: fc.constantFrom(
        ...Object.values(files),
        "",
        "# x\n\n[a](#b) [c](jobs/CLAUDE.md#notes)\n",
        "\u{FEFF}# y",
      ),
    }),
    fc.record({ path: fc.constantFrom("docs/CLAUDE.md", "jobs/CLAUDE.md"), text: fc.constant(undefined) }),
    fc.record({ path: fc.constantFrom("jobs/main.ts", "docs/x.md"), text: fc.constant("x") }),
    fc.record({
      path: fc.constant("docs/template.md"),
      text: fc.constantFrom(files["docs/template.md"], "# {{path}}/CLAUDE.md\n\n## Other\n"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      for (const { path, text } of edits)
        if (text === undefined) rmSync(join(root, path), { force: true });
        else write(root, { [path]: text });
      expect(await report(root, true)).toBe(await report(root, false));
    }),
    { numRuns: 25 },
  );
});

test("a cache that was cut off, changed or written by another is an empty one", async () => {
  const root = repository(files);
  mkdirSync(join(root, "node_modules"));
  const cold = await report(root, true);
  const file = cacheFile(root);
  const whole = readFileSync(file, "utf8");
  for (const broken of ["", "x", "{}", whole.slice(0, -5), whole.replace('"a"', '"b"'), whole.repeat(2)]) {
    writeFileSync(file, broken);
    expect(await report(root, true)).toBe(cold);
    expect(readFileSync(file, "utf8")).toBe(whole);
  }
});

test("a folder that cannot be written costs the cache, not the run", async () => {
  const root = repository(files);
  writeFileSync(join(root, "node_modules"), "a file");
  expect(await report(root, true)).toBe(await report(root, false));
});

test("documents that are gone are forgotten, unless only a part was asked for", () => {
  const root = repository(files);
  mkdirSync(join(root, "node_modules"));
  const first = openCache(root);
  first.factsOf("# a");
  first.factsOf("# b");
  first.save(true);
  const part = openCache(root);
  part.factsOf("# a");
  part.save(false);
  expect(readFileSync(cacheFile(root), "utf8").split("\n")).toHaveLength(4);
  const next = openCache(root);
  next.factsOf("# a");
  next.save(true);
  expect(readFileSync(cacheFile(root), "utf8").split("\n")).toHaveLength(3);
});

test("the command uses it, and --no-cache does not", () => {
  const root = repository(files);
  mkdirSync(join(root, "node_modules"));
  const cli = new URL("cli.ts", import.meta.url).pathname;
  const run = (...args: string[]) => spawnSync(process.execPath, [cli, "check", ...args], { cwd: root });
  expect(run("--no-cache").status).toBe(1);
  expect(existsSync(join(root, "node_modules/.cache"))).toBe(false);
  const { stdout } = run();
  expect(existsSync(cacheFile(root))).toBe(true);
  expect(run().stdout).toEqual(stdout);
});

test("packed facts are unpacked as they were", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          ..."# a\n|## **b**\n|- **c**: d\n|[e](f)|![g](h)|```sh\ni\n```\n|<!-- j k -->|<a id=l>|該当なし — m|TODO|`n o`|\n\n|> |[p]: q\n".split(
            "|",
          ),
        ),
      ),
      (parts) => {
        const facts = parse(parts.join(""));
        expect(unpack(pack(facts))).toEqual(facts);
      },
    ),
  );
  for (const foreign of ["", "null", "{}", "[1]", "[1,2"]) expect(unpack(foreign)).toBeUndefined();
});
