// Swaps each bad design of mutations.ts into a copy of the packages and sees which test turns red:
// `node mutate.ts [name …]`, `--write` keeps the table in MUTATIONS.md. Takes minutes, so it is no part of `npm test`.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutations } from "./mutations.ts";
import type { Edit, Mutation, Suspect } from "./mutations.ts";
import { patternOf, runTests } from "./run-tests.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** What mutations change, and whose tests notice: name, and place in the workspace. */
const copied = new Map([
  ["outbox", "packages/outbox"],
  ["worker", "packages/worker"],
  ["faults", "packages/faults"],
  ["@noren/database", "packages/database"],
  ["worker-scheduled", "workers/scheduled"],
]);

/** Copies the packages, so that they import each other's copies and everything else as it is. Returns its `packages/`. */
function copy(): string {
  const place = mkdtempSync(join(tmpdir(), "mutate-"));
  for (const name of ["tsconfig.base.json", "tsconfig.json"]) cpSync(join(root, name), join(place, name));
  for (const path of copied.values()) {
    const [from, to] = [join(root, path), join(place, path)];
    cpSync(from, to, { recursive: true, filter: (one) => basename(one) !== "node_modules" });
    link(join(from, "node_modules"), join(to, "node_modules"), place);
  }
  return join(place, "packages");
}

function link(from: string, to: string, place: string, scope = ""): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name.startsWith(".")) continue;
    const [target, mine] = [join(from, name), copied.get(scope + name)];
    if (name.startsWith("@")) link(target, join(to, name), place, `${name}/`);
    else symlinkSync(mine ? join(place, mine) : realpathSync(target), join(to, name));
  }
}

function apply(place: string, { file, find, replace }: Edit): void {
  const path = join(place, file);
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(find, () => replace),
  );
}

/** A test that noticed. */
type Red = { file: string; title: string; why: string };

/** Runs tests in a copy; returns those that failed, and how many passed. */
function run(place: string, { file, title }: Suspect): { failed: Red[]; passed: number } {
  // The names of a test and its groups are one string to vitest; the title begins somewhere in it.
  const all = runTests(join(place, file), patternOf(title));
  const failed = all.filter(({ status }) => status === "failed");
  return {
    failed: failed.map(({ title, why }) => ({ file, title, why: why.split("\n")[0] ?? "" })),
    passed: all.length - failed.length,
  };
}

/** The first test that notices; undefined when all stay green. */
function judge(mutation: Mutation): Red | undefined {
  const place = copy();
  try {
    for (const edit of mutation.edits) apply(place, edit);
    for (const test of mutation.tests) {
      const [red] = run(place, test).failed;
      if (red) return red;
    }
    return undefined;
  } finally {
    rmSync(dirname(place), { recursive: true, force: true });
  }
}

function control(chosen: Mutation[]): void {
  const place = copy();
  const tests = new Map(
    chosen.flatMap((one) => one.tests).map((test) => [`${test.file} ${test.title}`, test]),
  );
  for (const [name, test] of tests) {
    const { failed, passed } = run(place, test);
    process.stderr.write(`${failed.length > 0 || passed === 0 ? "✘" : "✔"} without a mutation: ${name}\n`);
    if (failed.length > 0 || passed === 0) process.exitCode = 1;
  }
  rmSync(dirname(place), { recursive: true, force: true });
}

const names = process.argv.slice(2).filter((one) => !one.startsWith("--"));
const chosen = mutations.filter(({ name }) => names.length === 0 || names.includes(name));
if (!process.argv.includes("--no-control")) control(chosen);
const page = new URL("MUTATIONS.md", import.meta.url);

/** The page with the rows of `fresh`; those of all others as they are. */
function table(fresh: Map<string, string>): string {
  const before = existsSync(page) ? readFileSync(page, "utf8") : "";
  const rows = new Map([...before.matchAll(/^\| `([\w-]+)` .+$/gm)].map(([row, name = ""]) => [name, row]));
  return [
    "# Bad designs and the tests that notice",
    "",
    "Written by `node mutate.ts --write`.",
    "",
    "| mutation | design | turned red |",
    "| --- | --- | --- |",
    ...mutations.flatMap(({ name }) => fresh.get(name) ?? rows.get(name) ?? []),
    "",
  ].join("\n");
}

const write = process.argv.includes("--write");
const fresh = new Map<string, string>();
for (const mutation of chosen) {
  const red = judge(mutation);
  const told = red ? `${red.file}: ${red.title}\n    ${red.why}` : "no test noticed";
  process.stderr.write(`${red ? "✔" : "✘"} ${mutation.name}: ${told}\n`);
  if (!red) process.exitCode = 1;
  const link = red ? `[${red.file}](../${red.file}): ${red.title}` : "**none**";
  fresh.set(mutation.name, `| \`${mutation.name}\` | ${mutation.design} | ${link} |`);
  // Whoever stops it keeps what was seen.
  if (write) writeFileSync(page, table(fresh));
}
if (!write) process.stdout.write(table(fresh));
