// The faults of the messaging engines, which test proves each, and how often it passed: `node matrix.ts` prints the table.
// `--runs 10` runs every proof so often, `--runs 10 7 12` those of two rows; with `--write` MATRIX.md keeps the results.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { patternOf, runTests } from "./run-tests.ts";

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
/** How many runs of a proof passed. */
type Result = { passed: number; runs: number };
/** What MATRIX.md says: on which machine it was measured last, and the result of each proof that it knows. */
export type Page = { machine: string; results: Map<string, Result> };

const root = fileURLToPath(new URL("../../", import.meta.url));
const path = new URL("MATRIX.md", import.meta.url);

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

/** One proof's key in a page. */
export const keyOf = ({ row, title, file }: Proof): string => `${row} ${file} ${title}`;

/** Reads the page back; a proof that was renamed since has no result any more. */
export function readPage(): Page {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const rows = text.matchAll(/^\| (\d+) \| .+? \| (.+) \| \[(.+?)\]\(.+?\) \| (\d+) of (\d+) \|$/gm);
  return {
    machine: /^Machine of the latest runs: (.+)$/m.exec(text)?.[1] ?? "none yet",
    results: new Map(
      [...rows].map(([, row, title = "", file = "", passed, runs]) => [
        keyOf({ row: Number(row), title, file }),
        { passed: Number(passed), runs: Number(runs) },
      ]),
    ),
  };
}

export function table(all: Proof[], { machine, results }: Page): string {
  const here = "packages/faults";
  const rows = Object.entries(faults).flatMap(([row, fault]) =>
    all
      .filter((proof) => proof.row === Number(row))
      .map((proof) => {
        const { passed, runs } = results.get(keyOf(proof)) ?? { passed: 0, runs: 0 };
        const link = `[${proof.file}](${relative(here, proof.file)})`;
        return `| ${row} | ${fault} | ${proof.title} | ${link} | ${passed} of ${runs} |`;
      }),
  );
  return [
    "# Faults and their tests",
    "",
    "Measured and written by `node matrix.ts --runs 10 --write`: how many of the latest runs of each test passed.",
    "",
    `Machine of the latest runs: ${machine}`,
    "",
    "| # | fault | test | file | passed |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Runs the proofs `times` times, one file after the other, and tells each failure on stderr. Yields after each round. */
function* measure(all: Proof[], times: number): Generator<{ results: Map<string, Result>; loads: number[] }> {
  const loads: number[] = [];
  const results = new Map(all.map((proof) => [keyOf(proof), { passed: 0, runs: 0 }]));
  for (let run = 1; run <= times; run++) {
    for (const [file, some] of Map.groupBy(all, (proof) => proof.file)) {
      const rows = [...new Set(some.map(({ row }) => row))].join("|");
      const outcomes = runTests(`${root}${file}`, `fault (${rows}):`);
      for (const proof of some) {
        const title = new RegExp(`^${patternOf(`fault ${proof.row}: ${proof.title}`)}$`);
        const mine = outcomes.filter((outcome) => title.test(outcome.title));
        const failed = mine.filter(({ status }) => status !== "passed");
        const result = results.get(keyOf(proof))!;
        result.runs += 1;
        if (mine.length > 0 && failed.length === 0) result.passed += 1;
        for (const { title: what, why } of failed)
          process.stderr.write(`✘ run ${run}, ${file}: ${what}\n${why}\n`);
        if (mine.length === 0) process.stderr.write(`✘ run ${run}, ${file}: ${proof.title}: was not run\n`);
      }
      loads.push(loadavg()[0]!);
    }
    const good = [...results.values()].filter(({ passed, runs }) => passed === runs).length;
    process.stderr.write(`run ${run} of ${times}: ${good} of ${all.length} have always passed\n`);
    yield { results, loads };
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const all = proofs();
  let page = readPage();
  const write = process.argv.includes("--write");
  const args = process.argv.slice(2).filter((one) => one !== "--write");
  if (args[0] === "--runs") {
    const rows = args.slice(2).map(Number);
    const chosen = all.filter(({ row }) => rows.length === 0 || rows.includes(row));
    const times = Number(args[1]);
    for (const { results, loads } of measure(chosen, times)) {
      // Another one may measure other rows meanwhile.
      page = readPage();
      for (const [key, result] of results) {
        page.results.set(key, result);
        if (result.passed < result.runs) process.exitCode = 1;
      }
      const load = `${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}`;
      page.machine = `${availableParallelism()} cores, load average ${load}, Node ${process.versions.node}`;
      // Whoever stops it keeps what was measured.
      if (write) writeFileSync(path, table(all, page));
    }
  }
  if (write) writeFileSync(path, table(all, page));
  else process.stdout.write(table(all, page));
}
