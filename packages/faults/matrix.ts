// The faults of the messaging engines, and which test proves each: `node matrix.ts` prints the table, `--write` keeps it in
// MATRIX.md, `--runs 5` runs every test so often and tells how many passed.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const faults: Record<number, string> = {
  1: "relay killed in mid-publish, a second relay is up",
  2: "relay frozen, thawed later",
  3: "broker answers 500, 503, throttles, or not at all",
  4: "answer lost after success",
  5: "entries of a batch fail, bursts in one group",
  6: "entry refused for good",
  7: "call repeated when the broker has forgotten it",
  8: "relays start and leave, rolling",
  9: "writer holds a transaction open",
  10: "consumer dies before commit, between commit and delete, during delete",
  11: "every message twice, at once to two consumers",
  12: "poisoned head of a group, whole batch in hand, two consumers",
  13: "message that ends its process",
  14: "handler slower than the visibility time-out, with and without heartbeat",
  15: "database restarts, fails over, is read-only",
  16: "database down longer than tries × visibility",
  17: "clock of a task wrong by ten minutes",
  18: "dead letters moved back, replay after newer events",
  19: "SIGTERM under load",
  20: "the other side asks to wait",
  21: "one store dumps 100,000 events",
  22: "old snapshot open meanwhile",
  23: "old, new and unknown versions, unknown type",
  24: "envelope form and raw form",
  25: "random mix of all of these, seeded",
};

export type Proof = { row: number; title: string; file: string };

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The tests whose titles begin with `fault` and a row's number, anywhere in the workspace. */
export function proofs(): Proof[] {
  const files = globSync("{packages,workers,jobs,backend-services}/*/*.{test,e2e}.ts", {
    cwd: root,
  }).toSorted();
  return files.flatMap((file) =>
    [...readFileSync(`${root}/${file}`, "utf8").matchAll(/"(fault (\d+): [^"\n]+)"/g)].map(
      ([, title = "", row]): Proof => ({ row: Number(row), title: title.replace(/^fault \d+: /, ""), file }),
    ),
  );
}

export function table(all: Proof[]): string {
  const here = "packages/faults";
  const rows = Object.entries(faults).flatMap(([row, fault]) =>
    all
      .filter((proof) => proof.row === Number(row))
      .map(({ title, file }) => `| ${row} | ${fault} | ${title} | [${file}](${relative(here, file)}) |`),
  );
  return [
    "# Faults and their tests",
    "",
    "Written by `node matrix.ts --write`.",
    "",
    "| # | fault | test | file |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

type Results = { testResults: { assertionResults: { title: string; status: string }[] }[] };

/** Runs every proof `times` times; returns passes by row. */
function run(all: Proof[], times: number): Map<number, number> {
  const passed = new Map(Object.keys(faults).map((row) => [Number(row), 0]));
  const tests = new Map<number, number>();
  for (let n = 0; n < times; n++) {
    const failed = new Set<number>();
    for (const [folder, proofs] of Map.groupBy(all, ({ file }) => dirname(file))) {
      const files = [...new Set(proofs.map(({ file }) => relative(folder, file)))];
      const cwd = `${root}/${folder}`;
      spawnSync(
        "vitest",
        ["run", "--config", `${root}/vitest.config.ts`, "-t", "^(.* )?fault \\d+:", ...files],
        { cwd, stdio: "inherit" },
      );
      const results = JSON.parse(
        readFileSync(`${cwd}/node_modules/.cache/vitest/results.json`, "utf8"),
      ) as Results;
      for (const { title, status } of results.testResults.flatMap(
        ({ assertionResults }) => assertionResults,
      )) {
        const row = Number(/^fault (\d+):/.exec(title)?.[1]);
        if (!row || status === "pending" || status === "skipped") continue;
        tests.set(row, (tests.get(row) ?? 0) + 1);
        if (status !== "passed") failed.add(row);
      }
    }
    for (const row of tests.keys()) if (!failed.has(row)) passed.set(row, (passed.get(row) ?? 0) + 1);
  }
  return passed;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const all = proofs();
  const [verb, times] = process.argv.slice(2);
  if (verb === "--write") writeFileSync(new URL("MATRIX.md", import.meta.url), table(all));
  else if (verb === "--runs") {
    const runs = Number(times ?? 1);
    for (const [row, passed] of run(all, runs)) {
      process.stdout.write(`${passed === runs ? "✔" : "✘"} ${row} ${faults[row]}: ${passed} of ${runs}\n`);
      if (passed < runs) process.exitCode = 1;
    }
  } else process.stdout.write(table(all));
}
